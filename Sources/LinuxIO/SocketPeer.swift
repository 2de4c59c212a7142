import CLinuxShims
import Glibc

/// The process that made a connected Unix socket's other end (unix(7), SO_PEERCRED). nil: no such socket, or a process that this one
/// cannot see.
public func socketPeerProcess(_ descriptor: Int32) -> Int32? {
    // struct ucred, which glibc hides: process, user, group.
    var credentials: [Int32] = [0, 0, 0]
    var length = socklen_t(12)
    // SAFETY: an array of the length that is told is written for the time of the call.
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0, length == 12, credentials[0] > 0 else {
        return nil
    }
    return credentials[0]
}
