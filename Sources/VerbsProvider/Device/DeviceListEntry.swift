public import CVerbs
import Glibc

// Devices (ibv_get_device_list(3)). Arrays are of calloc(3): they go back with free(3), here.

@c(ibv_get_device_list) public func verbsGetDeviceList(
    _ count: UnsafeMutablePointer<Int32>?
) -> UnsafeMutablePointer<UnsafeMutablePointer<ibv_device>?>? {
    // SAFETY: only compared.
    let isThere = unsafe VerbsDevice.device != nil && VerbsDevice.url() != nil
    // SAFETY: two zeroed pointers, the last of which ends the list.
    guard let list = unsafe calloc(2, MemoryLayout<UnsafeMutablePointer<ibv_device>?>.stride) else {
        return unsafe VerbsError.null(VerbsError.noMemory)
    }
    // SAFETY: as above.
    let devices = unsafe list.assumingMemoryBound(to: UnsafeMutablePointer<ibv_device>?.self)
    if isThere { unsafe devices[0] = VerbsDevice.device }
    // SAFETY: NULL, or a number's place (ibv_get_device_list(3)).
    unsafe count?.pointee = isThere ? 1 : 0
    return unsafe devices
}

@c(ibv_free_device_list) public func verbsFreeDeviceList(_ list: UnsafeMutablePointer<UnsafeMutablePointer<ibv_device>?>?) {
    // SAFETY: NULL, or what ibv_get_device_list returned.
    unsafe free(list)
}

@c(ibv_get_device_name) public func verbsGetDeviceName(_ device: UnsafeMutablePointer<ibv_device>?) -> UnsafePointer<CChar>? {
    guard let device = unsafe device, let offset = MemoryLayout<ibv_device>.offset(of: \ibv_device.name) else { return nil }
    // SAFETY: the name lies in the structure, and a zero behind it; the device stays for the process's life.
    return unsafe UnsafePointer((UnsafeMutableRawPointer(device) + offset).assumingMemoryBound(to: CChar.self))
}

@c(ibv_get_device_index) public func verbsGetDeviceIndex(_ device: UnsafeMutablePointer<ibv_device>?) -> Int32 { -1 }

/// Of the port's Ethernet address: 0 before the device is opened for the first time.
@c(ibv_get_device_guid) public func verbsGetDeviceGUID(_ device: UnsafeMutablePointer<ibv_device>?) -> UInt64 {
    OpenAdapter.macAddress.map { NodeIdentifier.identifier(of: $0.bits).bigEndian } ?? 0
}

/// Keeps memory from being shared with children: nothing here needs that.
@c(ibv_fork_init) public func verbsForkInit() -> Int32 { 0 }
@c(ibv_is_fork_initialized) public func verbsIsForkInitialized() -> ibv_fork_status { IBV_FORK_UNNEEDED }
