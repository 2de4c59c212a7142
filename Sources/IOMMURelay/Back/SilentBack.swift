public import DeviceMemory

/// An endpoint that never does DMA itself: a bridge, which the guest's driver attaches like any function.
public final class SilentBack: EndpointBack, HostMapper {
    public init() {}
    public var maximumPieceByteCount: UInt64 { 1 << 63 }
    public var joinsNeighbours: Bool { false }
    public func mapper(forDomain domain: UInt32) -> any HostMapper { self }
    public func use(_ mapper: any HostMapper) {}
    public func bypass() {}
    public func block() {}
    public func map(_ piece: IOVAMapping) {}
    public func unmap(_ range: IOVARange) {}
    public func unmapAll() {}
}
