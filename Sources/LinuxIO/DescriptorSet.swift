import CLinuxShims
import Glibc
import SystemPackage

/// Several descriptors as one, which is readable while one of them is (epoll(7)).
public struct DescriptorSet: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    public init() throws(SystemCallError) {
        let number = try systemCall("epoll_create1", on: "a new set") { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        descriptor = OwnedDescriptor(adopting: number)
    }

    public var number: Int32 { descriptor.number }

    /// One that is in it already stays in it.
    public borrowing func insert(_ member: Int32) throws(SystemCallError) {
        // SAFETY: numbers only.
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        do {
            // SAFETY: a local is read for the time of the call.
            try systemCall("epoll_ctl", on: "descriptor \(member)") { unsafe epoll_ctl(number, EPOLL_CTL_ADD, member, &event) }
        } catch  where error.errno == .fileExists {}
    }

    /// Before the descriptor is closed. One that is not in it is none of it afterwards, either.
    public borrowing func remove(_ member: Int32) {
        // No event is read (epoll_ctl(2), EPOLL_CTL_DEL).
        _ = epoll_ctl(number, EPOLL_CTL_DEL, member, nil)
    }
}
