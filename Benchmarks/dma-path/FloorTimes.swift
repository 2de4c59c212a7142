import CLinuxShims
import Glibc
import LinuxIO

/// What the system calls of a register's read cost, and nothing else: 32 bytes there and 36 back, as REGION_READ and its reply
/// have (a header, an access, four bytes of data), by the same C functions on a pair of sockets. No protocol, no model.
func timeFloor(isBusy: Bool) throws {
    let cpus = Processor.usable
    guard let first = cpus.first, let last = cpus.last, !isBusy || cpus.count > 1 else { fatalError("two CPUs are needed") }
    let (ours, theirs) = socketPair(isBlocking: !isBusy)
    let count = 20_000
    let server = try WorkerThread {
        do { try Processor.pinCallingThread(to: isBusy ? last : first) } catch { fatalError("\(error)") }
        var peer = FloorPeer(socket: theirs)
        for _ in 0..<count {
            peer.receive(32)
            peer.send(36)
        }
    }
    try Processor.pinCallingThread(to: first)
    var peer = FloorPeer(socket: ours)
    var times: [Double] = []
    for _ in 0..<count {
        let start = MonotonicClock.nanoseconds()
        peer.send(32)
        peer.receive(36)
        times.append(Double(MonotonicClock.nanoseconds() - start) / 1000)
    }
    server.join()
    _ = close(ours)
    _ = close(theirs)
    print("{\"floor\":\(median(times))}")
}

private struct FloorPeer {
    let socket: Int32
    private var bytes = [UInt8](repeating: 0, count: 64)
    private var descriptors = [Int32](repeating: -1, count: Int(UNIC_MAX_FDS))

    init(socket: Int32) { self.socket = socket }

    mutating func send(_ count: Int) {
        // SAFETY: the array has more bytes than are sent, and lives for the call.
        let sent = unsafe bytes.withUnsafeBytes { unsafe unic_send_fds(socket, $0.baseAddress, count, nil, 0, 0) }
        guard sent == count else { fatalError("sendmsg gave \(sent), errno \(errno)") }
    }

    /// A socket that does not block is asked again and again.
    mutating func receive(_ count: Int) {
        var descriptorCount: Int32 = 0
        var truncated: Int32 = 0
        var got = 0
        repeat {
            // SAFETY: both arrays have room for what is received, and live for the call.
            got = unsafe bytes.withUnsafeMutableBytes {
                unsafe unic_receive_fds(socket, $0.baseAddress, count, &descriptors, &descriptorCount, &truncated, 0)
            }
        } while got == -1 && errno == EAGAIN
        guard got == count else { fatalError("recvmsg gave \(got), errno \(errno)") }
    }
}

private func socketPair(isBlocking: Bool) -> (Int32, Int32) {
    var numbers: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (isBlocking ? 0 : SOCK_NONBLOCK.rawValue))
    // SAFETY: socketpair(2) writes two numbers into an array of two.
    guard unsafe socketpair(AF_UNIX, type, 0, &numbers) == 0 else { fatalError("socketpair: errno \(errno)") }
    return (numbers[0], numbers[1])
}
