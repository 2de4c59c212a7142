import LinuxIO
import NicModels

/// Where a model's cable leads, as people write it:
///
///     lab                                     a wire in shared memory
///     tap:unic0                               a tap interface of this machine's kernel
///     udp:192.0.2.1:4789,192.0.2.2:4789       another machine: local endpoint, peer's endpoint
///     udp:[2001:db8::1]:4789,[2001:db8::2]:4789
enum WireAddress: Equatable {
    case sharedMemory(name: String)
    case tap(interface: String)
    case udp(local: IPEndpoint, peer: IPEndpoint)

    /// What is wrong with a text, and what would be right.
    struct Wrong: Error {
        let reason: String
        let fix: String
    }

    /// Longest name in shared memory: it becomes part of a file's and a socket's name.
    static let longestName = 64

    init(_ text: String) throws(Wrong) {
        if let interface = text.rest(after: "tap:") {
            self = .tap(interface: try Self.interface(interface))
        } else if let endpoints = text.rest(after: "udp:") {
            self = try Self.udp(endpoints)
        } else {
            guard Self.isName(text, longest: Self.longestName), !text.hasPrefix(".") else {
                throw Wrong(
                    reason: "'\(text)' is no name of a wire",
                    fix:
                        "A wire's name has 1 to \(Self.longestName) letters, digits, '-', '_' and '.', and does not begin with '.', for example lab. Other wires are tap:INTERFACE and udp:LOCAL:PORT,PEER:PORT."
                )
            }
            self = .sharedMemory(name: text)
        }
    }

    private static func isName(_ text: String, longest: Int) -> Bool {
        let allowed = text.utf8.allSatisfy {
            $0 >= 0x30 && $0 <= 0x39 || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || "-_.".utf8.contains($0)
        }
        return allowed && !text.isEmpty && text.utf8.count <= longest
    }

    /// The kernel takes more characters, and reads '%d' as "any number".
    private static func interface(_ text: String) throws(Wrong) -> String {
        let longest = TapInterface.maximumNameByteCount
        guard isName(text, longest: longest), text != ".", text != ".." else {
            throw Wrong(
                reason: "'\(text)' is no name of a tap interface",
                fix: "It has 1 to \(longest) letters, digits, '-', '_' and '.', for example tap:unic0.")
        }
        return text
    }

    private static func udp(_ text: String) throws(Wrong) -> WireAddress {
        let form = "Write local and peer endpoint like udp:192.0.2.1:4789,192.0.2.2:4789 or udp:[2001:db8::1]:4789,[2001:db8::2]:4789."
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw Wrong(reason: "'\(text)' is not two endpoints with a comma between them", fix: form) }
        guard let local = IPEndpoint(parts[0]) else { throw Wrong(reason: "'\(parts[0])' is no IP address with a port", fix: form) }
        guard let peer = IPEndpoint(parts[1]) else { throw Wrong(reason: "'\(parts[1])' is no IP address with a port", fix: form) }
        guard local.isIPv6 == peer.isIPv6 else { throw Wrong(reason: "\(local) and \(peer) are of different families", fix: form) }
        guard !peer.isUnspecified, !peer.isMulticast, !local.isMulticast else {
            throw Wrong(reason: "\(local) and \(peer) are not the addresses of two hosts", fix: form)
        }
        return .udp(local: local, peer: peer)
    }
}

extension String {
    fileprivate func rest(after prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
