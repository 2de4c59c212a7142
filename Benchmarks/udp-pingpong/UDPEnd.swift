import LinuxIO
import SystemPackage

/// One end of the ping-pong: a socket and the message that goes back and forth.
struct UDPEnd: ~Copyable {
    private let socket: OwnedDescriptor
    private let sleeps: Bool
    private static let message = [UInt8](repeating: 0x78, count: 18)

    init(local: IPEndpoint, peer: IPEndpoint, sleeps: Bool) throws {
        socket = try UDPSocket.connected(local: local, peer: peer)
        self.sleeps = sleeps
    }

    func send() throws {
        // SAFETY: the array lives for the call; its length is given.
        let outcome = unsafe Self.message.withUnsafeBytes { bytes -> DatagramOutcome in
            guard let base = bytes.baseAddress else { return .wouldBlock }
            return unsafe socket.writeDatagram(base, byteCount: bytes.count)
        }
        // An earlier message may have found nobody: the other end is not up yet.
        guard outcome == .bytes(Self.message.count) || outcome == .failed(.connectionRefused) else {
            throw UDPEndError(what: "send", outcome: outcome)
        }
    }

    /// Takes one message. False: none came in time.
    func receive(timeoutMilliseconds: Int32) throws -> Bool {
        var buffer: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let deadline = Deadline(afterMilliseconds: UInt64(timeoutMilliseconds))
        var looks = 0
        while true {
            // SAFETY: the tuple lives for the call; its length is given.
            let outcome = unsafe withUnsafeMutableBytes(of: &buffer) { bytes -> DatagramOutcome in
                guard let base = bytes.baseAddress else { return .wouldBlock }
                return unsafe socket.readDatagram(base, byteCount: bytes.count)
            }
            if case .bytes(let count) = outcome, count == Self.message.count { return true }
            if sleeps { _ = waitForReadable([socket.number], timeoutMilliseconds: deadline.remainingMilliseconds) }
            looks &+= 1
            // As unic's waits do: two ends may share a processor.
            if !sleeps, looks & 63 == 0 { Processor.yield() }
            if sleeps || looks & 255 == 0, deadline.hasPassed { return false }
        }
    }
}

struct UDPEndError: Error {
    let what: String
    let outcome: DatagramOutcome
}
