public import DeviceAccess
import DeviceMemory
public import NicDriver

/// From a device's URL to a running port. The only place that knows every backend and every driver.
public enum Devices {
    /// Opens a device and starts the driver of its NIC. The calling thread owns the port.
    /// - Parameters:
    ///   - memoryNotice: told where the packets' memory came from.
    ///   - backendNotice: told by which of VFIO's interfaces the device was opened, for `vfio:` URLs.
    public static func open(
        _ url: String, options: PortOptions, memoryNotice: MemoryNotice = { _ in }, backendNotice: BackendNotice = { _ in }
    ) throws(PortError) -> any Port {
        let device = try access(url, allowsNoIOMMU: options.allowsNoIOMMU, backendNotice: backendNotice)
        return try openPort(on: device, options: options, memoryNotice: memoryNotice)
    }

    /// Opens a device without a driver.
    public static func access(
        _ url: String, allowsNoIOMMU: Bool = false, backendNotice: BackendNotice = { _ in }
    ) throws(PortError) -> any DeviceAccess {
        do throws(DeviceError) {
            let url = try DeviceURL(url)
            switch url.scheme {
            case .soft: return try openSoft(url)
            case .vfioUser: return try openVfioUser(url)
            case .vfio: return try openKernelVFIO(url, allowsNoIOMMU: allowsNoIOMMU, notice: backendNotice)
            }
        } catch { throw .device(error) }
    }

    /// Starts the driver that fits the device's identity.
    public static func openPort(
        on device: any DeviceAccess, options: PortOptions, memoryNotice: MemoryNotice = { _ in }
    ) throws(PortError) -> any Port {
        let identity: UInt32
        // PCI Local Bus 3.0 §6.2.1: vendor id in the low half of the first word, device id in the high one.
        do { identity = try device.readConfig(at: 0, byteCount: 4) } catch { throw .device(error) }
        func allocate(_ byteCount: Int) throws(PortError) -> DMAMemory {
            try packetMemory(byteCount: byteCount, preference: options.memory, device: device, notice: memoryNotice)
        }
        switch identity {
        case 0x10D3_8086: return try E1000EPort(device: device, options: options, allocate: allocate)
        case 0x10CA_8086: return try IgbvfPort(device: device, options: options, allocate: allocate)
        // virtio 1.2 "PCI Device Discovery": a network device, and a transitional one.
        case 0x1041_1AF4, 0x1000_1AF4: return try VirtioNetPort(device: device, options: options, allocate: allocate)
        case .max: throw .device(.gone(device: device.url, reason: "its config space reads all-ones"))
        default:
            throw .wrongDevice(
                url: device.url, vendor: UInt16(truncatingIfNeeded: identity), device: UInt16(truncatingIfNeeded: identity >> 16))
        }
    }
}
