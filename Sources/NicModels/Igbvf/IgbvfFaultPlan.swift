/// Defects of a virtual function and of its PF that a test asks for; each count is used up by one event.
public struct IgbvfFaultPlan: Equatable, Sendable {
    /// The function is gone: registers read as ones, writes and steps do nothing.
    public var allOnes = false
    /// The PF reads no mail.
    public var physicalIsSilent = false
    /// The PF reads mail and does not answer.
    public var physicalNeverAnswers = false
    /// Requests, resets apart, that the PF refuses.
    public var refusals = 0
    /// Received descriptors that say 65535 bytes.
    public var lengthsBeyondBuffer = 0
    /// Interrupts that do not arrive.
    public var lostInterrupts = 0
    public init() {}

    var isActive: Bool { self != IgbvfFaultPlan() }
}
