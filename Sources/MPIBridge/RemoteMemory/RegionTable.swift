/// What a peer may do with a region.
public struct RegionAccess: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let remoteRead = RegionAccess(rawValue: 1 << 0)
    public static let remoteWrite = RegionAccess(rawValue: 1 << 1)
}

/// Memory that peers may reach, by key. Whoever registers a piece keeps it alive until it is taken out.
struct RegionTable {
    private struct Region {
        let memory: ApplicationMemory
        let access: RegionAccess
        /// What peers call the first byte.
        let base: UInt64
        /// Who reaches it; `.any`: whoever knows the key.
        let peer: PeerID
    }
    private var regions: [UInt64: Region] = [:]
    static let capacity = 1 << 16

    mutating func add(_ memory: ApplicationMemory, key: UInt64, access: RegionAccess, base: UInt64 = 0, peer: PeerID = .any) -> Bool {
        guard regions[key] == nil, regions.count < Self.capacity else { return false }
        regions[key] = Region(memory: memory, access: access, base: base, peer: peer)
        return true
    }

    mutating func remove(_ key: UInt64) -> Bool { regions.removeValue(forKey: key) != nil }

    /// A part of a region, if it is there, whole, and may be used like this by a peer. Safe for any numbers.
    func part(_ key: UInt64, offset: UInt64, byteCount: UInt64, for access: RegionAccess, by peer: UInt32) -> ApplicationMemory? {
        guard let region = regions[key], region.access.contains(access), region.peer == .any || region.peer.index == peer else {
            return nil
        }
        let size = UInt64(region.memory.byteCount)
        // Below the base it wraps around, to more than any region has.
        let offset = offset &- region.base
        guard byteCount <= size, offset <= size - byteCount else { return nil }
        return region.memory.part(offset: Int(offset), byteCount: Int(byteCount))
    }
}
