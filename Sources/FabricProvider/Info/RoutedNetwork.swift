import Devices
import Glibc
import LinuxIO
import MPIBridge

/// An IPv4 network with a router: for jobs whose NICs are on more than one.
///
/// `UNIC_ADDRESS` names the endpoints' addresses on this machine with the length of their network's prefix (10.1.0.4/24), one for each
/// local rank, as `UNIC_DEVICES` does; `UNIC_ROUTER` the address that leads to the other networks.
struct RoutedNetwork: Equatable, Sendable {
    let ipv4: UInt32
    let router: TransportOptions.Router

    enum Failure: Error, Equatable, CustomStringConvertible {
        case incomplete
        case notAnAddress(String)
        case noAddress(rank: Int, count: Int)
        case elsewhere(String)

        var description: String {
            switch self {
            case .incomplete: "UNIC_ROUTER and UNIC_ADDRESS go together: set both, or none."
            case .notAnAddress(let text): "'\(text)' is no IPv4 address of one host; UNIC_ADDRESS wants 10.1.0.4/24, UNIC_ROUTER 10.1.0.1."
            case .noAddress(let rank, let count):
                "UNIC_ADDRESS names \(count) addresses, and the process with local rank \(rank) needs number \(rank + 1)."
            case .elsewhere(let text): "The router \(text) is not on the network of UNIC_ADDRESS, or is the address itself."
            }
        }
    }

    /// What the environment says; nil: nothing.
    static func current() throws(Failure) -> RoutedNetwork? {
        try RoutedNetwork(
            addresses: environmentVariable("UNIC_ADDRESS"), router: environmentVariable("UNIC_ROUTER"),
            localRank: MPILaunch.current.localRank.flatMap { Int($0) } ?? 0)
    }

    init?(addresses: String?, router: String?, localRank: Int) throws(Failure) {
        guard addresses != nil || router != nil else { return nil }
        guard let addresses, let router else { throw .incomplete }
        let list = addresses.split { $0.isWhitespace || $0 == ";" }.map(String.init)
        guard list.indices.contains(localRank) else { throw .noAddress(rank: localRank, count: list.count) }
        let parts = list[localRank].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let length = Int(parts[1]), (1...30).contains(length), let own = Self.host(parts[0]) else {
            throw .notAnAddress(list[localRank])
        }
        guard let hop = Self.host(router) else { throw .notAnAddress(router) }
        ipv4 = own
        self.router = TransportOptions.Router(ipv4: hop, prefixLength: length)
        guard (own ^ hop) & self.router.mask == 0, own != hop else { throw .elsewhere(router) }
    }

    /// inet_pton(3). nil: another text; 0/8, 127/8 and what is no unicast address (RFC 6890 §2.2.2, RFC 1112 §4).
    private static func host(_ text: String) -> UInt32? {
        var address = in_addr()
        // SAFETY: the text lives for the call, and four bytes of a local are written.
        guard unsafe inet_pton(AF_INET, text, &address) == 1 else { return nil }
        let number = UInt32(bigEndian: address.s_addr)
        return [0, 127].contains(number >> 24) || number >> 28 >= 14 ? nil : number
    }
}
