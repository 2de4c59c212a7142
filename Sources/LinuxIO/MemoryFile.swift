import CLinuxShims
import Glibc
import SystemPackage

/// Anonymous shared memory with a descriptor (memfd_create(2)), sealed so that nobody can shrink it under a mapping.
public enum MemoryFile {
    /// - Parameter byteCount: rounded up to whole pages by the kernel when mapped.
    public static func create(name: String, byteCount: Int) throws(SystemCallError) -> OwnedDescriptor {
        // SAFETY: the C string lives for the call, which does not keep it.
        let number = try systemCall("memfd_create", on: name) { unsafe unic_memfd_create(name, UInt32(MFD_CLOEXEC | MFD_ALLOW_SEALING)) }
        let file = OwnedDescriptor(adopting: number)
        try systemCall("ftruncate", on: "\(name) to \(byteCount) bytes") { ftruncate(number, byteCount) }
        try seal(file, subject: name)
        return file
    }

    /// Fixes the length of a file of memfd_create(2) for good.
    public static func seal(_ file: borrowing OwnedDescriptor, subject: @autoclosure () -> String) throws(SystemCallError) {
        let number = file.number
        let seals = Int(UNIC_F_SEAL_SHRINK | UNIC_F_SEAL_GROW | UNIC_F_SEAL_SEAL)
        try systemCall("fcntl(F_ADD_SEALS)", on: subject()) { unic_fcntl(number, Int32(UNIC_F_ADD_SEALS), seals) }
    }
}
