import CLinuxShims
import Glibc

extension OwnedDescriptor {
    /// A descriptor of our own for an open file that somebody else has by a number.
    public static func duplicate(of number: Int32) throws(SystemCallError) -> OwnedDescriptor {
        let copy = try systemCall("fcntl(F_DUPFD_CLOEXEC)", on: "descriptor \(number)") { unic_fcntl(number, F_DUPFD_CLOEXEC, 0) }
        return OwnedDescriptor(adopting: copy)
    }
}
