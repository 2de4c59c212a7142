import CLinuxShims
import Glibc
import SystemPackage

/// What a descriptor stands for: read before a peer's descriptor is used.
public struct FileFacts: Equatable, Sendable {
    public let device: UInt64
    public let inode: UInt64
    public let byteCount: UInt64
    public let blockByteCount: Int
    public let isRegular: Bool
    /// tmpfs (memfd too) or hugetlbfs: pages that are memory, whose faults no other process answers. Only these know seals:
    /// F_GET_SEALS fails with EINVAL on any other file system (fcntl(2)).
    public let isMemory: Bool
    /// F_SEAL_SHRINK is set: no access to a mapping of it can meet the file's end.
    public let isSealedAgainstShrinking: Bool

    public init(of number: Int32) throws(SystemCallError) {
        var file = stat()
        // SAFETY: a local is written for the time of the call.
        try systemCall("fstat", on: "descriptor \(number)") { unsafe fstat(number, &file) }
        device = UInt64(file.st_dev)
        inode = UInt64(file.st_ino)
        byteCount = UInt64(clamping: file.st_size)
        blockByteCount = Int(clamping: file.st_blksize)
        isRegular = file.st_mode & S_IFMT == S_IFREG
        let seals = unic_fcntl(number, Int32(UNIC_F_GET_SEALS), 0)
        isMemory = isRegular && seals >= 0
        isSealedAgainstShrinking = seals >= 0 && seals & Int32(UNIC_F_SEAL_SHRINK) != 0
    }

    /// Whether a descriptor is a device of the kernel's VFIO: of a group, or a file of its own, a character device of the class
    /// vfio-dev (drivers/vfio/group.c, drivers/vfio/vfio_main.c). Nobody else can make a file that looks like one.
    public static func isVFIODevice(_ number: Int32) -> Bool {
        if (try? symbolicLinkTarget(of: "/proc/self/fd/\(number)")) == "anon_inode:[vfio-device]" { return true }
        var file = stat()
        // SAFETY: a local is written for the time of the call.
        guard unsafe fstat(number, &file) == 0, file.st_mode & S_IFMT == S_IFCHR else { return false }
        // gnu_dev_major(3), gnu_dev_minor(3).
        let device = UInt64(file.st_rdev)
        let major = device >> 8 & 0xfff | device >> 32 & 0xffff_f000
        let minor = device & 0xff | device >> 12 & 0xffff_ff00
        let subsystem = try? symbolicLinkTarget(of: "/sys/dev/char/\(major):\(minor)/subsystem")
        return subsystem?.split(separator: "/").last == "vfio-dev"
    }
}

extension EventFD {
    /// Takes over a peer's descriptor if it really is an eventfd: a signal writes to it, and writing to a pipe or a
    /// socket of somebody else's could block. It is made non-blocking for the same reason.
    /// - Returns: nil, the descriptor closed, if it is something else.
    public static func adopt(verifying descriptor: consuming OwnedDescriptor) -> EventFD? {
        let number = descriptor.number
        var name = [CChar](repeating: 0, count: 64)
        // SAFETY: the C string lives for the call; the array is ours and its length is given.
        let length = unsafe readlink("/proc/self/fd/\(number)", &name, name.count)
        let target = name.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }
        guard String(decoding: target, as: UTF8.self) == "anon_inode:[eventfd]" else { return nil }
        let flags = unic_fcntl(number, F_GETFL, 0)
        guard flags >= 0, unic_fcntl(number, F_SETFL, Int(flags | O_NONBLOCK)) == 0 else { return nil }
        return EventFD(adopting: descriptor)
    }
}
