/// One link of an info structure's chain (linux/vfio.h, struct vfio_info_cap_header).
struct InfoCapability: Equatable, Sendable {
    let id: UInt16
    let version: UInt16
    /// Where its header starts, from the start of the info structure.
    let offset: Int

    /// Size of the header: id, version, next.
    static let headerByteCount = 8
    var body: Int { offset + InfoCapability.headerByteCount }
}

/// The capabilities behind an info structure.
enum CapabilityChain {
    /// No info structure has more than a handful; the limit ends what a loop would not.
    static let maximumLength = 64

    /// Follows a chain from `first` until a `next` of zero.
    /// - Parameter first: `cap_offset`; 0 means that there is none.
    /// - Parameter fixedByteCount: the structure in front of the chain, into which no link may point.
    static func parse(_ info: InfoBytes, first: UInt32, fixedByteCount: Int) throws(MalformedInfo) -> [InfoCapability] {
        var found: [InfoCapability] = []
        var seen: Set<Int> = []
        var at = Int(first)
        while at != 0 {
            guard at >= fixedByteCount else { throw MalformedInfo(reason: "a capability at byte \(at) lies inside of the fixed structure") }
            guard seen.insert(at).inserted else { throw MalformedInfo(reason: "the capability chain comes back to byte \(at)") }
            guard found.count < maximumLength else {
                throw MalformedInfo(reason: "the capability chain has more than \(maximumLength) links")
            }
            guard let id = info.u16(at: at), let version = info.u16(at: at + 2), let next = info.u32(at: at + 4) else {
                throw MalformedInfo(reason: "the capability at byte \(at) runs past the \(info.count) bytes of the answer")
            }
            found.append(InfoCapability(id: id, version: version, offset: at))
            at = Int(next)
        }
        return found
    }
}
