import Glibc
import SystemPackage

/// A mapping of a file made by mmap(2), removed when its owner goes.
@safe public struct MappedPages: ~Copyable, @unchecked Sendable {
    /// First byte. Valid while this value lives.
    @unsafe public let address: UnsafeMutableRawPointer
    public let byteCount: Int

    /// Takes over a mapping that nobody else removes.
    @unsafe public init(adopting address: UnsafeMutableRawPointer, byteCount: Int) {
        // SAFETY: the caller hands over a mapping of this size that nobody else removes.
        unsafe self.address = address
        self.byteCount = byteCount
    }

    /// Maps `byteCount` bytes of a file from `fileOffset`, shared.
    /// - Parameters:
    ///   - protection: PROT_READ, PROT_WRITE.
    ///   - flags: more of mmap's flags, for example MAP_POPULATE.
    public init(
        sharing descriptor: borrowing OwnedDescriptor, fileOffset: Int = 0, byteCount: Int,
        protection: Int32 = PROT_READ | PROT_WRITE, flags: Int32 = 0, subject: @autoclosure () -> String
    ) throws(SystemCallError) {
        // SAFETY: a fresh mapping at an address of the kernel's choice aliases nothing of ours.
        let address = unsafe mmap(nil, byteCount, protection, MAP_SHARED | flags, descriptor.number, fileOffset)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw SystemCallError(call: "mmap", subject: "\(byteCount) bytes of \(subject())", errno: Errno(rawValue: Glibc.errno))
        }
        // SAFETY: the mapping just made, which this value alone owns.
        unsafe self.address = address
        self.byteCount = byteCount
    }

    deinit {
        // SAFETY: this value alone owns the mapping.
        _ = unsafe munmap(address, byteCount)
    }

    /// Nobody unmaps them any more: they stay as long as the process.
    consuming func keepForever() { discard self }
}
