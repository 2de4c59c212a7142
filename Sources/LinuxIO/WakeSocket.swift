import CLinuxShims
import Glibc
import SystemPackage

/// A datagram socket with a name of the abstract namespace (unix(7)), which others of the same network namespace send a byte
/// to when its owner sleeps. The name goes with the socket, kill -9 included. What a byte says is only "look".
public struct WakeSocket: ~Copyable, Sendable {
    public enum Outcome: Equatable, Sendable {
        /// The byte lies in the other's socket, or its socket is so full that it is awake anyway.
        case delivered
        /// Nobody has that name, or not any more.
        case nobody
    }

    private let descriptor: OwnedDescriptor

    /// - Parameter name: at most 107 bytes.
    /// - Throws: EADDRINUSE if somebody has the name.
    public init(name: [UInt8]) throws(SystemCallError) {
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let number = try systemCall("socket", on: "a wake-up socket") { socket(AF_UNIX, type, 0) }
        let descriptor = OwnedDescriptor(adopting: number)
        try systemCall("bind", on: "@" + String(decoding: name, as: UTF8.self)) {
            // SAFETY: the bytes are read for the time of the call.
            unsafe name.withUnsafeBytes { unsafe unic_bind_abstract(number, $0.baseAddress, $0.count) }
        }
        self.descriptor = descriptor
    }

    /// Readable while a byte lies in it.
    public var number: Int32 { descriptor.number }

    /// Sends a byte to another socket; never waits.
    public borrowing func wake(_ name: [UInt8]) -> Outcome {
        let from = number
        do {
            try systemCall("sendto", on: "a wake-up socket") {
                // SAFETY: the bytes are read for the time of the call.
                unsafe name.withUnsafeBytes { unsafe unic_send_byte_abstract(from, $0.baseAddress, $0.count) }
            }
            return .delivered
        } catch {
            return error.errno == .resourceTemporarilyUnavailable || error.errno == .noBufferSpace ? .delivered : .nobody
        }
    }

    /// Takes out what lies there, at most 64 bytes' worth: whoever sends without end does not keep its owner here.
    public borrowing func drain() {
        var byte: UInt8 = 0
        for _ in 0..<64 {
            // SAFETY: one byte of a local is written for the time of the call.
            if unsafe recv(number, &byte, 1, Int32(MSG_DONTWAIT)) < 0 { return }
        }
    }
}
