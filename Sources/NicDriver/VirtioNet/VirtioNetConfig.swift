import LinuxIO

/// What a virtio-net function says of itself (struct virtio_net_config). Fields of features that were not offered, and
/// fields beyond the structure's end, are not there.
struct VirtioNetConfig {
    private let structures: VirtioStructures
    private let common: VirtioCommonConfig
    private let offered: VirtioFeatures

    init(_ structures: VirtioStructures, common: VirtioCommonConfig, offered: VirtioFeatures) {
        self.structures = structures
        self.common = common
        self.offered = offered
    }

    private func field16(_ offset: Int, if features: VirtioFeatures) -> UInt16? {
        guard !offered.isDisjoint(with: features), offset + 2 <= structures.deviceConfig.byteCount else { return nil }
        return structures.deviceConfig.load16(at: offset)
    }

    /// Read byte by byte, as its type asks for; again if the device changed it meanwhile, a few times.
    var macAddress: MACAddress {
        var address = MACAddress(bits: 0)
        for _ in 0..<8 {
            let before = common.generation
            let bytes = (0..<6).map { structures.deviceConfig.load8(at: Virtio.NetConfig.mac + $0) }
            address = MACAddress(bytes) ?? address
            if common.generation == before { break }
        }
        return address
    }

    /// Without the field the link counts as up.
    var linkIsUp: Bool {
        guard let status = field16(Virtio.NetConfig.status, if: .status) else { return true }
        return status != 0xffff && status & Virtio.NetConfig.linkUp != 0
    }

    /// At least 1, whatever the device says.
    var maximumPairs: Int { max(1, Int(field16(Virtio.NetConfig.maximumPairs, if: [.multiqueue, .rss]) ?? 1)) }
    var mtu: UInt16? { field16(Virtio.NetConfig.mtu, if: .mtu) }

    /// Receive side scaling: the longest key, the largest table, and the kinds of packets that it hashes.
    var rss: (keyByteCount: Int, tableLength: Int, hashTypes: UInt32)? {
        guard offered.contains(.rss), Virtio.NetConfig.rssHashTypes + 4 <= structures.deviceConfig.byteCount else { return nil }
        return (
            Int(structures.deviceConfig.load8(at: Virtio.NetConfig.rssKeySize)),
            Int(structures.deviceConfig.load16(at: Virtio.NetConfig.rssTableLength)),
            structures.deviceConfig.load32(at: Virtio.NetConfig.rssHashTypes)
        )
    }
}
