import CLinuxShims
import Glibc
import SystemPackage

/// What one receive brought.
public enum ReceiveOutcome: Equatable, Sendable {
    /// So many bytes. `descriptorsLost`: more descriptors came than fit, or this process may not open more.
    case bytes(Int, descriptorsLost: Bool)
    /// Nothing there now.
    case wouldBlock
    /// The peer closed its side.
    case closed
}

extension UnixSocket {
    /// Receives at most `byteCount` bytes into `buffer` from `start`; descriptors that come along are appended.
    public borrowing func receive(
        into buffer: inout [UInt8], from start: Int, byteCount: Int, descriptors: inout [ReceivedDescriptor]
    ) throws(SystemCallError) -> ReceiveOutcome {
        precondition(start >= 0 && byteCount > 0 && byteCount <= buffer.count && start <= buffer.count - byteCount)
        // No array: most messages have none, and a receive is on the way of every one.
        var numbers = InlineArray<16, Int32>(repeating: -1)
        var count: Int32 = 0
        var truncated: Int32 = 0
        let socket = number
        do throws(SystemCallError) {
            let got = try systemCall("recvmsg", on: "a socket") { () -> Int in
                // SAFETY: the range was checked; the numbers have room for UNIC_MAX_FDS, as many as the shim writes.
                unsafe buffer.withUnsafeMutableBytes { bytes in
                    var span = numbers.mutableSpan
                    return unsafe span.withUnsafeMutableBufferPointer { numbers in
                        guard let base = bytes.baseAddress else { return 0 }
                        return unsafe unic_receive_fds(socket, base + start, byteCount, numbers.baseAddress, &count, &truncated, 0)
                    }
                }
            }
            for index in 0..<Int(count) { descriptors.append(ReceivedDescriptor(OwnedDescriptor(adopting: numbers[index]))) }
            return got == 0 ? .closed : .bytes(got, descriptorsLost: truncated != 0)
        } catch {
            if error.errno == .wouldBlock { return .wouldBlock }
            throw error
        }
    }

    /// Sends bytes from `start` on, with descriptors beside the first of them.
    /// - Returns: how many were taken; nil when the peer's buffer is full.
    public borrowing func send(_ bytes: [UInt8], from start: Int = 0, descriptors: [Int32] = []) throws(SystemCallError) -> Int? {
        precondition(start >= 0 && start < bytes.count && descriptors.count <= UnixSocket.maximumDescriptors)
        let socket = number
        do throws(SystemCallError) {
            return try systemCall("sendmsg", on: "a socket") { () -> Int in
                // SAFETY: the range was checked; both arrays live for the call and their lengths are given.
                unsafe bytes.withUnsafeBytes { bytes in
                    guard let base = bytes.baseAddress else { return 0 }
                    return unsafe unic_send_fds(socket, base + start, bytes.count - start, descriptors, Int32(descriptors.count), 0)
                }
            }
        } catch {
            if error.errno == .wouldBlock { return nil }
            throw error
        }
    }
}
