public import CVerbs
import Glibc

// What a device, its port and its tables say (ibv_query_device(3), ibv_query_port(3), ibv_query_gid(3), ibv_query_pkey(3)).

@c(ibv_query_device) public func verbsQueryDevice(
    _ context: UnsafeMutablePointer<ibv_context>?, _ attributes: UnsafeMutablePointer<ibv_device_attr>?
) -> Int32 {
    // SAFETY: a context of this library, and a structure's place.
    guard let object = unsafe VerbsObject<OpenContext>(context: context), let attributes = unsafe attributes else {
        return VerbsError.invalid
    }
    unsafe attributes.pointee = PortAttributes.device(object.state.adapter.state.port.macAddress)
    return 0
}

/// - Parameter byteCount: of the structure that the program knows: a newer one is longer, and zero behind what is known here.
func verbsQueryDeviceExtended(
    _ context: UnsafeMutablePointer<ibv_context>?, _ input: UnsafePointer<ibv_query_device_ex_input>?,
    _ attributes: UnsafeMutablePointer<ibv_device_attr_ex>?, _ byteCount: Int
) -> Int32 {
    // SAFETY: a context of this library, and so many bytes.
    guard let object = unsafe VerbsObject<OpenContext>(context: context), let attributes = unsafe attributes,
        byteCount >= MemoryLayout<ibv_device_attr>.size
    else { return VerbsError.invalid }
    let bytes = UnsafeMutableRawPointer(attributes)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    // SAFETY: as above; the old structure is the new one's beginning.
    unsafe bytes.assumingMemoryBound(to: ibv_device_attr.self).pointee = PortAttributes.device(
        object.state.adapter.state.port.macAddress)
    return 0
}

/// Writes as much of the port's attributes as the program's structure has, and zeros behind them.
private func storePort(_ context: UnsafeMutablePointer<ibv_context>?, _ number: UInt8, _ target: UnsafeMutableRawPointer?, _ byteCount: Int)
    -> Int32
{
    // SAFETY: a context of this library, and so many bytes.
    guard let object = unsafe VerbsObject<OpenContext>(context: context), let target = unsafe target, byteCount >= 0,
        number == PortAttributes.portNumber
    else { return VerbsError.invalid }
    let adapter = object.state.adapter
    let attributes = adapter.locked {
        PortAttributes.port(linkIsUp: adapter.state.port.linkIsUp, frameByteCount: adapter.state.port.maximumFrameByteCount)
    }
    // SAFETY: as above; no more than both structures have is copied.
    unsafe target.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    unsafe withUnsafeBytes(of: attributes) { source in
        guard let from = source.baseAddress else { return }
        unsafe target.copyMemory(from: from, byteCount: min(byteCount, source.count))
    }
    return 0
}

func verbsQueryPortOperation(
    _ context: UnsafeMutablePointer<ibv_context>?, _ number: UInt8, _ attributes: UnsafeMutablePointer<ibv_port_attr>?, _ byteCount: Int
) -> Int32 {
    // SAFETY: checked there.
    unsafe storePort(context, number, UnsafeMutableRawPointer(attributes), byteCount)
}

/// The form of old programs: their structure ends before `port_cap_flags2`.
@c(ibv_query_port) public func verbsQueryPort(
    _ context: UnsafeMutablePointer<ibv_context>?, _ number: UInt8, _ attributes: OpaquePointer?
) -> Int32 {
    let end = MemoryLayout<ibv_port_attr>.offset(of: \ibv_port_attr.port_cap_flags2) ?? 0
    // SAFETY: checked there.
    return unsafe storePort(context, number, UnsafeMutableRawPointer(attributes), end)
}

/// The port's only GID. nil: no such port or index.
private func gid(_ context: UnsafeMutablePointer<ibv_context>?, port: UInt32, index: Int) -> ibv_gid? {
    // SAFETY: a context of this library.
    guard let object = unsafe VerbsObject<OpenContext>(context: context), port == UInt32(PortAttributes.portNumber), index == 0 else {
        return nil
    }
    return object.state.adapter.state.name.gid
}

@c(ibv_query_gid) public func verbsQueryGID(
    _ context: UnsafeMutablePointer<ibv_context>?, _ port: UInt8, _ index: Int32, _ result: UnsafeMutablePointer<ibv_gid>?
) -> Int32 {
    // SAFETY: a context of this library, and a structure's place.
    guard let gid = unsafe gid(context, port: UInt32(port), index: Int(index)), let result = unsafe result else {
        errno = VerbsError.invalid
        return -1
    }
    unsafe result.pointee = gid
    return 0
}

/// Fills in an entry of which the program knows so many bytes.
private func store(_ gid: ibv_gid, in target: UnsafeMutableRawPointer, byteCount: Int) {
    var entry = ibv_gid_entry()
    entry.gid = gid
    entry.port_num = UInt32(PortAttributes.portNumber)
    // UDP carries it, as RoCE v2; the kernel has no interface for it.
    entry.gid_type = IBV_GID_TYPE_ROCE_V2.rawValue
    // SAFETY: the caller's duty: so many bytes.
    unsafe target.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    unsafe withUnsafeBytes(of: entry) { source in
        guard let from = source.baseAddress else { return }
        unsafe target.copyMemory(from: from, byteCount: min(byteCount, source.count))
    }
}

@c(_ibv_query_gid_ex) public func verbsQueryGIDExtended(
    _ context: UnsafeMutablePointer<ibv_context>?, _ port: UInt32, _ index: UInt32, _ entry: UnsafeMutablePointer<ibv_gid_entry>?,
    _ flags: UInt32, _ byteCount: Int
) -> Int32 {
    // SAFETY: a context of this library, and so many bytes.
    guard let gid = unsafe gid(context, port: port, index: Int(index)), let entry = unsafe entry, flags == 0, byteCount >= 0 else {
        return VerbsError.invalid
    }
    unsafe store(gid, in: UnsafeMutableRawPointer(entry), byteCount: byteCount)
    return 0
}

@c(_ibv_query_gid_table) public func verbsQueryGIDTable(
    _ context: UnsafeMutablePointer<ibv_context>?, _ entries: UnsafeMutablePointer<ibv_gid_entry>?, _ count: Int, _ flags: UInt32,
    _ byteCount: Int
) -> Int {
    // SAFETY: a context of this library, and so many bytes for each entry.
    guard let gid = unsafe gid(context, port: 1, index: 0), let entries = unsafe entries, flags == 0, byteCount >= 0, count >= 1 else {
        return -Int(VerbsError.invalid)
    }
    unsafe store(gid, in: UnsafeMutableRawPointer(entries), byteCount: byteCount)
    return 1
}

/// A private call of rdma-core's own programs, in sysfs's numbers (libibverbs/driver.h, ibv_gid_type_sysfs): 1 is RoCE v2.
@c(ibv_query_gid_type) public func verbsQueryGIDType(
    _ context: UnsafeMutablePointer<ibv_context>?, _ port: UInt8, _ index: UInt32, _ type: UnsafeMutablePointer<UInt32>?
) -> Int32 {
    // SAFETY: a context of this library, and a number's place.
    guard unsafe gid(context, port: UInt32(port), index: Int(index)) != nil, let type = unsafe type else {
        errno = VerbsError.invalid
        return -1
    }
    unsafe type.pointee = 1
    return 0
}

@c(ibv_query_pkey) public func verbsQueryPartition(
    _ context: UnsafeMutablePointer<ibv_context>?, _ port: UInt8, _ index: Int32, _ key: UnsafeMutablePointer<UInt16>?
) -> Int32 {
    // SAFETY: a number's place.
    guard unsafe context != nil, port == PortAttributes.portNumber, index == 0, let key = unsafe key else {
        errno = VerbsError.invalid
        return -1
    }
    unsafe key.pointee = PortAttributes.partitionKey.bigEndian
    return 0
}

@c(ibv_get_pkey_index) public func verbsGetPartitionIndex(
    _ context: UnsafeMutablePointer<ibv_context>?, _ port: UInt8, _ key: UInt16
) -> Int32 {
    // SAFETY: only compared.
    if unsafe context != nil, port == PortAttributes.portNumber, UInt16(bigEndian: key) == PortAttributes.partitionKey { return 0 }
    errno = VerbsError.invalid
    return -1
}
