import DeviceModel
import LinuxIO
import NicRegisters

/// Causes and masks, a bit for each of the function's vectors.
struct IgbvfInterruptState {
    /// EICR, EIMS.
    var causes: Igbvf.VectorSet = []
    var mask: Igbvf.VectorSet = []
    /// Causes whose message was sent and that are still set: no second message for them.
    var delivered: Igbvf.VectorSet = []
    /// Earliest next message of each vector.
    var notBefore = InlineArray<3, UInt64>(repeating: 0)
    /// A message waits for this moment; 0: none does.
    var retryNanoseconds: UInt64 = 0
}

/// EICR, EIMS and their relatives: QEMU hw/net/igb_core.c (igb_raise_interrupts, igb_msix_notify), and the auto-mask of EIAM,
/// which QEMU leaves out: Linux igbvf/regs.h, netdev.c igbvf_intr_msix_rx.
extension IgbvfModel {
    /// Adds the cause of a vector; interrupts if it is enabled and new.
    @inline(__always)
    mutating func raise(_ vector: Int?) {
        guard let vector else { return }
        interrupt.causes.formUnion(.vector(vector))
        if !interrupt.causes.isDisjoint(with: interrupt.mask) { updateInterrupts() }
    }

    mutating func readCauses() -> UInt32 {
        let causes = interrupt.causes
        interrupt.causes = []
        updateInterrupts()
        return causes.bits
    }

    /// - Parameter offset: of EICS, EIMS, EIMC or EICR.
    mutating func writeInterrupts(_ offset: Int, _ value: UInt32) {
        let vectors = Igbvf.VectorSet(bits: value).intersection(.all)
        switch offset {
        case Igbvf.eics.offset: interrupt.causes.formUnion(vectors)
        case Igbvf.eims.offset: interrupt.mask.formUnion(vectors)
        case Igbvf.eimc.offset: interrupt.mask.subtract(vectors)
        default: interrupt.causes.subtract(vectors)
        }
        updateInterrupts()
    }

    private mutating func updateInterrupts() {
        let active = interrupt.causes.intersection(interrupt.mask)
        interrupt.delivered.formIntersection(active)
        let fresh = active.subtracting(interrupt.delivered)
        for vector in 0..<Igbvf.PCI.msixVectorCount where fresh.contains(.vector(vector)) { send(vector) }
    }

    /// One vector's message, with EIAC's and EIAM's effects.
    private mutating func send(_ vector: Int) {
        guard environment.isBusMaster, mayFire(vector) else { return }
        let bit = Igbvf.VectorSet.vector(vector)
        interrupt.delivered.formUnion(bit)
        if registers.read(Igbvf.eiam).contains(bit) { interrupt.mask.subtract(bit) }
        if registers.read(Igbvf.eiac).contains(bit) { interrupt.causes.subtract(bit) }
        interrupt.delivered.formIntersection(interrupt.causes.intersection(interrupt.mask))
        if hasFaults, faults.lostInterrupts > 0 {
            faults.lostInterrupts -= 1
            return
        }
        environment.interrupts.trigger(.msix, vector: vector)
    }

    /// Whether the interval since the last message is over; if not, the moment is remembered and looked at by a step.
    private mutating func mayFire(_ vector: Int) -> Bool {
        let interval = registers.read(Igbvf.eitr[vector]).bits & 0x7ffe
        guard interval != 0 else { return true }
        let now = MonotonicClock.nanoseconds()
        let earliest = interrupt.notBefore[vector]
        guard now >= earliest else {
            let retry = interrupt.retryNanoseconds
            interrupt.retryNanoseconds = retry == 0 ? earliest : min(retry, earliest)
            return false
        }
        interrupt.notBefore[vector] = now &+ UInt64(interval) &* 256
        return true
    }

    mutating func retryThrottledInterrupts() {
        guard MonotonicClock.nanoseconds() >= interrupt.retryNanoseconds else { return }
        interrupt.retryNanoseconds = 0
        updateInterrupts()
    }
}
