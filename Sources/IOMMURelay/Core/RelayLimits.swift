/// How much a guest may make the relay hold. What goes beyond is answered with NOMEM, or dropped and counted.
public struct RelayLimits: Equatable, Sendable {
    /// Of all domains together. Each takes up to 120 bytes here and an entry of the host's: a million 4 KiB pages are 4 GiB
    /// mapped page by page, more than drivers keep in flight.
    public var mappings: Int
    /// A domain takes some hundred bytes and, with a host that has them, an address space of its own. Linux makes one for each
    /// group and for each VFIO container.
    public var domains: Int
    /// Of all domains together; hosts pin what is mapped. As it is: more than machines have, and small enough that sums of two stay sums.
    public var mappedBytes: UInt64
    /// A device that goes wild makes a fault with each access; the first ones tell why, the others are counted.
    public var faults: Int
    /// Reasons, and faults, kept for a person who looks in.
    public var refusals: Int
    /// Calls to a host in one step. Linux takes about a microsecond for an unmap or a map of a page, so that other messages wait
    /// for no longer than a millisecond or for one piece.
    public var callsInAStep: Int

    public init(
        mappings: Int = 1 << 20, domains: Int = 4096, mappedBytes: UInt64 = 1 << 56, faults: Int = 64, refusals: Int = 16,
        callsInAStep: Int = 512
    ) {
        precondition(callsInAStep > 0)
        self.mappings = mappings
        self.domains = domains
        self.mappedBytes = mappedBytes
        self.faults = faults
        self.refusals = refusals
        self.callsInAStep = callsInAStep
    }
}
