import NicRegisters

/// The device configuration's bytes, and the generation that tells the driver of a change between two reads.
struct VirtioNetConfiguration {
    private var bytes = [UInt8](repeating: 0, count: VirtioNet.Config.byteCount)
    private(set) var generation: UInt8 = 0
    private var hasChanged = false

    init(_ options: VirtioNetOptions, address: UInt64) { reset(options, address: address, hasLink: false) }

    mutating func reset(_ options: VirtioNetOptions, address: UInt64, hasLink: Bool) {
        setAddress(address)
        set(hasLink ? VirtioNet.LinkStatus.linkUp : [], VirtioNet.Config.status)
        set(UInt16(options.pairs), VirtioNet.Config.maximumPairs)
        set(UInt16(options.mtu), VirtioNet.Config.mtu)
        set(UInt32(1000), VirtioNet.Config.speed)
        set(UInt8(1), VirtioNet.Config.duplex)
        guard options.pairs > 1 else { return }
        set(UInt8(VirtioNet.RSSConfig.minimumKeyByteCount), VirtioNet.Config.rssKeyByteCount)
        set(UInt16(VirtioNet.RSSConfig.minimumTableCount), VirtioNet.Config.rssTableCount)
        set(VirtioNetSteering.hashTypes, VirtioNet.Config.hashTypes)
    }

    private mutating func set<Value>(_ value: Value, _ field: VirtioField<Value, ReadOnly>) {
        for index in 0..<field.byteCount {
            let byte = UInt8(truncatingIfNeeded: value.bits >> Value.Bits(8 * index))
            if bytes[field.offset + index] != byte { hasChanged = true }
            bytes[field.offset + index] = byte
        }
    }

    /// - Parameter address: 48 bits, the first byte on the wire on top.
    mutating func setAddress(_ address: UInt64) {
        for index in 0..<6 {
            let byte = UInt8(truncatingIfNeeded: address >> UInt64(40 - 8 * index))
            if bytes[VirtioNet.Config.mac + index] != byte { hasChanged = true }
            bytes[VirtioNet.Config.mac + index] = byte
        }
    }

    var status: VirtioNet.LinkStatus {
        get {
            let at = VirtioNet.Config.status.offset
            return VirtioNet.LinkStatus(rawValue: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8)
        }
        set { set(newValue, VirtioNet.Config.status) }
    }

    /// "Common configuration structure layout": the first read after a change comes with a new generation.
    mutating func read(at offset: Int, byteCount: Int) -> UInt64 {
        if hasChanged {
            hasChanged = false
            generation &+= 1
        }
        return (0..<byteCount).reduce(0) { value, index in
            bytes.indices.contains(offset + index) ? value | UInt64(bytes[offset + index]) << UInt64(8 * index) : value
        }
    }
}
