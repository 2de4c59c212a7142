import CLinuxShims
import Glibc
import SystemPackage

/// A stream socket between processes of one machine (unix(7)), non-blocking, that carries descriptors beside the bytes.
public struct UnixSocket: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor
    public var number: Int32 { descriptor.number }

    /// `sun_path` of unix(7) holds 108 bytes, the last one the terminating NUL.
    public static let maximumPathByteCount = 107
    /// Descriptors in one message, both ways (cmsg.h, UNIC_MAX_FDS).
    public static let maximumDescriptors = 16

    public init(adopting descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    private init(newFor subject: String) throws(SystemCallError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = try systemCall("socket", on: subject) { socket(AF_UNIX, type, 0) }
        descriptor = OwnedDescriptor(adopting: number)
    }

    /// Connects to a listener. EAGAIN: its queue is full now, try again later.
    public static func connect(to path: String) throws(SystemCallError) -> UnixSocket {
        let socket = try UnixSocket(newFor: path)
        let number = socket.number
        // SAFETY: the address is a live local of that length for the time of the call.
        try unsafe withAddress(of: path, call: "connect") { address, length in
            unsafe Glibc.connect(number, address, length)
        }
        return socket
    }

    /// Creates the socket file and listens. EADDRINUSE: the path exists.
    public static func listen(at path: String, backlog: Int32) throws(SystemCallError) -> UnixSocket {
        let socket = try UnixSocket(newFor: path)
        let number = socket.number
        // SAFETY: the address is a live local of that length for the time of the call.
        try unsafe withAddress(of: path, call: "bind") { address, length in
            unsafe Glibc.bind(number, address, length)
        }
        try systemCall("listen", on: path) { Glibc.listen(number, backlog) }
        return socket
    }

    /// The next client; nil when nobody waits.
    public borrowing func accept() throws(SystemCallError) -> UnixSocket? {
        let listener = number
        do throws(SystemCallError) {
            let number = try systemCall("accept", on: "a listening socket") { Glibc.accept(listener, nil, nil) }
            let owned = OwnedDescriptor(adopting: number)
            try systemCall("fcntl(F_SETFD)", on: "a new connection") { unic_fcntl(number, F_SETFD, Int(FD_CLOEXEC)) }
            try systemCall("fcntl(F_SETFL)", on: "a new connection") { unic_fcntl(number, F_SETFL, Int(O_NONBLOCK)) }
            return UnixSocket(adopting: owned)
        } catch {
            // The client may also have gone between poll and accept.
            if error.errno == .wouldBlock || error.errno == .connectionAbort { return nil }
            throw error
        }
    }

    /// The peer reads the end of the stream, and so do we (shutdown(2)).
    public borrowing func shutDown() { _ = shutdown(number, Int32(SHUT_RDWR)) }

    private static func withAddress(
        of path: String, call: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemCallError) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= maximumPathByteCount, !bytes.contains(0) else {
            throw SystemCallError(call: call, subject: path, errno: .fileNameTooLong)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // SAFETY: the path was checked to be shorter than the field; the rest of the field is zero.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        try systemCall(call, on: path) {
            // SAFETY: sockaddr_un starts as every sockaddr does (unix(7)); it lives for the call.
            unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
            }
        }
    }
}

/// Two sockets that are connected with each other.
public struct UnixSocketPair: ~Copyable, Sendable {
    public var first: UnixSocket
    public var second: UnixSocket

    public init() throws(SystemCallError) {
        var numbers: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        // SAFETY: the array holds the two numbers that socketpair(2) writes.
        try systemCall("socketpair", on: "a pair of sockets") { unsafe socketpair(AF_UNIX, type, 0, &numbers) }
        first = UnixSocket(adopting: OwnedDescriptor(adopting: numbers[0]))
        second = UnixSocket(adopting: OwnedDescriptor(adopting: numbers[1]))
    }

    /// Gives both away.
    public consuming func split<Result: ~Copyable, Failure: Error>(
        _ body: (consuming UnixSocket, consuming UnixSocket) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(first, second)
    }
}
