import CLinuxShims
import Glibc
import SystemPackage

/// A counter that one side signals and another waits for (eventfd(2)), non-blocking.
public struct EventFD: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor

    public init() throws(SystemCallError) {
        let number = try systemCall("eventfd", on: "a new event") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) }
        descriptor = OwnedDescriptor(adopting: number)
    }

    public init(adopting descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    public var number: Int32 { descriptor.number }

    /// Adds one. A counter at its limit stays there: the waiter is awake anyway.
    public borrowing func signal() { EventFD.signal(number) }

    /// Adds one to an eventfd that somebody else owns.
    public static func signal(_ number: Int32) {
        var one: UInt64 = 1
        // SAFETY: eight bytes of a local are read for the time of the call.
        _ = unsafe write(number, &one, 8)
    }

    /// Takes the count and sets it to zero; 0 if nothing was signalled.
    @discardableResult
    public borrowing func drain() -> UInt64 { EventFD.drain(number) }

    /// Empties an eventfd that somebody else owns.
    @discardableResult
    public static func drain(_ number: Int32) -> UInt64 {
        var count: UInt64 = 0
        // SAFETY: eight bytes of a local are written for the time of the call.
        let got = unsafe read(number, &count, 8)
        return got == 8 ? count : 0
    }
}

/// Waits until one of some descriptors can be read, or hung up, or the time is over (poll(2)).
/// - Returns: the indices into `descriptors` that are ready; empty after a time-out or a signal.
public func waitForReadable(_ descriptors: [Int32], timeoutMilliseconds: Int32) -> [Int] {
    var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    // SAFETY: the array is ours for the time of the call and its length is given.
    let ready = unsafe poll(&entries, nfds_t(entries.count), timeoutMilliseconds)
    guard ready > 0 else { return [] }
    return entries.indices.filter { entries[$0].revents != 0 }
}
