import DeviceMemory
import NicRegisters

/// Defects of a device that a test asks for; each count is used up by one event.
public struct FaultPlan: Equatable, Sendable {
    /// The device is gone: registers read as ones, writes and steps do nothing.
    public var allOnes = false
    /// Received descriptors that say 65535 bytes.
    public var lengthsBeyondBuffer = 0
    /// Received descriptors that are marked done a second time, one step later, whatever they hold then.
    public var doneTwice = 0
    /// Interrupts that do not arrive.
    public var lostInterrupts = 0
    public init() {}

    var isActive: Bool { self != FaultPlan() }
}

extension E1000EModel {
    /// The length that a completion reports.
    @inline(__always)
    mutating func reportedLength(_ byteCount: Int) -> UInt16 {
        if hasFaults, faults.lengthsBeyondBuffer > 0 {
            faults.lengthsBeyondBuffer -= 1
            return .max
        }
        return UInt16(truncatingIfNeeded: byteCount)
    }

    @inline(__always)
    mutating func noteCompletion(_ address: UInt64, _ word1: UInt64) {
        if hasFaults, faults.doneTwice > 0 { repeatedCompletion = (address, word1) }
    }

    mutating func repeatCompletion() {
        guard let (address, word1) = repeatedCompletion else { return }
        repeatedCompletion = nil
        faults.doneTwice -= 1
        dma.translate(IOVA(address), byteCount: E1000E.descriptorByteCount, access: .write)?.store64(word1, at: 8)
    }
}
