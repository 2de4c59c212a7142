import CLinuxShims
import Glibc
import SystemPackage

/// Pieces of shared mappings, mapped a second time one behind the other (mremap(2), `old_size` zero). Guarded as
/// ``GuardedPages`` are.
public struct JoinedPages: ~Copyable, Sendable {
    private let pages: GuardedPages

    /// - Parameter pieces: addresses and sizes: whole pages of 4096 bytes of shared mappings that are there now. EINVAL: one lies
    ///   inside of a larger page.
    public init(_ pieces: [(address: UInt, byteCount: Int)]) throws(SystemCallError) {
        let total = pieces.reduce(0) { $0 + $1.byteCount }
        // SAFETY: a fresh mapping at an address of the kernel's choice aliases nothing of ours.
        let place = unsafe mmap(nil, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let place = unsafe place, unsafe place != MAP_FAILED else {
            throw SystemCallError(call: "mmap", subject: "room for \(total) bytes", errno: Errno(rawValue: Glibc.errno))
        }
        // SAFETY: the mapping just made, which this value alone owns.
        let room = unsafe MappedPages(adopting: place, byteCount: total)
        var next = UInt(bitPattern: place)
        for piece in pieces {
            // Inside of the room just made, which nobody uses yet.
            try systemCall("mremap", on: "scattered pages") { unic_map_again(piece.address, piece.byteCount, next) }
            next += UInt(piece.byteCount)
        }
        pages = try GuardedPages(room, pageByteCount: 4096, subject: "scattered pages")
    }

    /// First byte. Valid while this value lives.
    // SAFETY: handed on with its condition.
    @unsafe public var address: UnsafeMutableRawPointer { unsafe pages.address }
    public var byteCount: Int { pages.byteCount }
    public var isBroken: Bool { pages.isBroken }
}
