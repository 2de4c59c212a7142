import CVerbs

/// Largest payloads of a datagram: ibv_mtu (infiniband/verbs.h).
enum PathMTU: Int, CaseIterable {
    case bytes256 = 256, bytes512 = 512, bytes1024 = 1024, bytes2048 = 2048, bytes4096 = 4096

    var byteCount: Int { rawValue }

    /// The largest one that a port's frames have room for.
    static func largest(frameByteCount: Int) -> PathMTU {
        allCases.last { $0.byteCount + DatagramLayout.payload <= frameByteCount } ?? .bytes256
    }

    var code: ibv_mtu {
        switch self {
        case .bytes256: IBV_MTU_256
        case .bytes512: IBV_MTU_512
        case .bytes1024: IBV_MTU_1024
        case .bytes2048: IBV_MTU_2048
        case .bytes4096: IBV_MTU_4096
        }
    }
}
