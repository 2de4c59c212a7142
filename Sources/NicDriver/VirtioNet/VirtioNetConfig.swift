import LinuxIO
import NicRegisters

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

    private func read<Value>(_ field: VirtioField<Value, ReadOnly>, if features: VirtioFeatures) -> Value? {
        guard !offered.isDisjoint(with: features), field.end <= structures.deviceConfig.byteCount else { return nil }
        return structures.deviceConfig.read(field)
    }

    /// Read byte by byte, as its type asks for; again if the device changed it meanwhile, a few times.
    var macAddress: MACAddress {
        var address = MACAddress(bits: 0)
        for _ in 0..<8 {
            let before = common.generation
            let bytes = (0..<6).map { structures.deviceConfig.load8(at: VirtioNet.Config.mac + $0) }
            address = MACAddress(bytes) ?? address
            if common.generation == before { break }
        }
        return address
    }

    /// Without the field the link counts as up.
    var linkIsUp: Bool {
        guard let status = read(VirtioNet.Config.status, if: .status) else { return true }
        return status.rawValue != 0xffff && status.contains(.linkUp)
    }

    /// At least 1, whatever the device says.
    var maximumPairs: Int { max(1, Int(read(VirtioNet.Config.maximumPairs, if: [.multiqueue, .rss]) ?? 1)) }
    var mtu: UInt16? { read(VirtioNet.Config.mtu, if: .mtu) }

    /// Receive side scaling: the longest key, the largest table, and the kinds of packets that it hashes.
    var rss: (keyByteCount: Int, tableCount: Int, hashTypes: VirtioNet.HashTypes)? {
        guard let key = read(VirtioNet.Config.rssKeyByteCount, if: .rss), let table = read(VirtioNet.Config.rssTableCount, if: .rss),
            let types = read(VirtioNet.Config.hashTypes, if: .rss)
        else { return nil }
        return (Int(key), Int(table), types)
    }
}
