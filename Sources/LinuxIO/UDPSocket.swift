import CLinuxShims
import Glibc
import SystemPackage

/// UDP between two endpoints (udp(7)).
public enum UDPSocket {
    /// What the kernel is asked to keep for a slow reader, bytes; it gives less where net.core.rmem_max is less.
    private static let bufferByteCount: Int32 = 4 << 20

    /// A socket that never waits and takes datagrams from its peer only.
    public static func connected(local: IPEndpoint, peer: IPEndpoint) throws(SystemCallError) -> OwnedDescriptor {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = try systemCall("socket", on: "\(local)") { socket(local.isIPv6 ? AF_INET6 : AF_INET, type, 0) }
        let descriptor = OwnedDescriptor(adopting: number)
        // Between bind and connect anybody's datagrams would be taken in.
        try systemCall("setsockopt(SO_ATTACH_FILTER)", on: "\(local)") { unic_shut_ears(number) }
        try systemCall("bind", on: "\(local)") {
            // SAFETY: the array lives for the call and its length is given.
            unsafe unic_bind_ip(number, local.address, local.address.count, local.port)
        }
        try systemCall("connect", on: "\(peer)") {
            // SAFETY: as above.
            unsafe unic_connect_ip(number, peer.address, peer.address.count, peer.port)
        }
        try systemCall("setsockopt(SO_DETACH_FILTER)", on: "\(local)") { unic_open_ears(number) }
        for option in [SO_RCVBUF, SO_SNDBUF] {
            var size = bufferByteCount
            // SAFETY: a local is read for the time of the call. With a smaller buffer frames are dropped sooner, no more.
            _ = unsafe setsockopt(number, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        return descriptor
    }
}
