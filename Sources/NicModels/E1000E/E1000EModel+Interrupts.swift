import DeviceModel
import LinuxIO
import NicRegisters

/// Causes, masks and throttling.
struct E1000EInterruptState {
    /// ICR without its asserted bit, IMS, EIAC, IAM.
    var causes: UInt32 = 0
    var mask: UInt32 = 0
    var autoClear: UInt32 = 0
    var autoMask: UInt32 = 0
    /// Causes whose message was sent and that are still pending: no second message for them.
    var delivered: UInt32 = 0
    /// Earliest next message of each MSI-X vector, and of MSI or INTx (last).
    var notBefore = InlineArray<6, UInt64>(repeating: 0)
    /// A message waits for this moment; 0: none does.
    var retryNanoseconds: UInt64 = 0
}

/// ICR, IMS and their relatives. Semantics: QEMU hw/net/e1000e_core.c (e1000e_update_interrupt_state,
/// e1000e_mac_icr_read, e1000e_set_icr, e1000e_set_ims, e1000e_msix_notify_one); where that clears IAM on EIAME this
/// model masks the causes that IAM names, as Linux defines.h says of E1000_CTRL_EXT_EIAME.
extension E1000EModel {
    /// Causes that MSI-X reports as OTHER. QEMU E1000_ICR_OTHER_CAUSES.
    private static var otherCauses: E1000E.InterruptCause {
        [.linkChange, .receiveOverrun, .mdioDone, .smallPacket, .acknowledge, .management]
    }
    private static var vectorCauses: E1000E.InterruptCause {
        [.receiveQueue0, .receiveQueue1, .transmitQueue0, .transmitQueue1, .other]
    }
    /// What IMS can hold: every cause that the table names.
    private static var knownCauses: UInt32 {
        var known: E1000E.InterruptCause = [.transmitWriteBack, .transmitQueueEmpty, .receiveSequenceError, .receiveThreshold]
        known.formUnion([.receiveTimer, .transmitLow])
        return known.union(otherCauses).union(vectorCauses).bits
    }

    /// Adds causes; interrupts if any is enabled and new.
    @inline(__always)
    mutating func raise(_ causes: E1000E.InterruptCause) {
        var bits = causes.bits
        if !causes.isDisjoint(with: Self.otherCauses) { bits |= E1000E.InterruptCause.other.bits }
        interrupt.causes |= bits
        if interrupt.causes & interrupt.mask != 0 { updateInterrupts() }
    }

    /// False: another register.
    mutating func writeInterruptRegister(_ offset: Int, _ value: UInt32) -> Bool {
        switch offset {
        case E1000E.icr.offset:
            if isAsserted, acknowledgeMasks { interrupt.mask &= ~interrupt.autoMask }
            var cleared = value
            // Windows clears OTHER alone and means what it stands for (QEMU e1000e_set_icr).
            if value & E1000E.InterruptCause.other.bits != 0 { cleared |= Self.otherCauses.bits }
            interrupt.causes &= ~cleared
        case E1000E.ics.offset:
            raise(E1000E.InterruptCause(bits: value & Self.knownCauses))
            return true
        case E1000E.ims.offset: interrupt.mask |= value & Self.knownCauses
        case E1000E.imc.offset: interrupt.mask &= ~value
        case E1000E.eiac.offset: interrupt.autoClear = value & Self.vectorCauses.bits
        case E1000E.iam.offset: interrupt.autoMask = value
        default: return false
        }
        updateInterrupts()
        return true
    }

    private var isAsserted: Bool { interrupt.causes & interrupt.mask != 0 }
    private var acknowledgeMasks: Bool { registers.read(E1000E.ctrlExt).contains(.interruptAcknowledgeAutoMask) }

    /// A read clears everything, except with MSI-X while some causes are enabled and none of these is there: QEMU since 8.1
    /// (e1000e_mac_icr_read), and Linux's handler of the vector for other causes, which reads and writes nothing back.
    mutating func readInterruptCauses() -> UInt32 {
        let value = interrupt.causes | (isAsserted ? E1000E.InterruptCause.asserted.bits : 0)
        let masks = isAsserted && acknowledgeMasks
        if interrupt.mask == 0 || isAsserted || deliveryKind() != .msix { interrupt.causes = 0 }
        if masks { interrupt.mask &= ~interrupt.autoMask }
        updateInterrupts()
        return value
    }

    // MARK: Delivery

    /// MSI-X or MSI if config space enables it or a host connected a vector (kernel VFIO's clients never write the
    /// enable bit), else INTx.
    private func deliveryKind() -> InterruptLines.Kind {
        let pci = E1000E.PCI.self
        let config = environment.config
        guard config.count >= 256 else { return .intx }
        if config[pci.msixCapability + 3] & 0x80 != 0 { return .msix }
        for vector in 0..<pci.msixVectorCount where environment.interrupts.isConnected(.msix, vector: vector) { return .msix }
        if config[pci.msiCapability + 2] & 1 != 0 || environment.interrupts.isConnected(.msi, vector: 0) { return .msi }
        return .intx
    }

    private mutating func updateInterrupts() {
        let active = interrupt.causes & interrupt.mask
        interrupt.delivered &= active
        if interrupt.delivered == 0 { environment.setINTx(false) }
        let fresh = active & ~interrupt.delivered
        guard fresh != 0 else { return }
        switch deliveryKind() {
        case .msix: sendVectors(fresh)
        case .msi:
            guard mayAccessMemory, mayFire(5, registers.read(E1000E.itr).interval) else { return }
            interrupt.delivered |= fresh
            fire(.msi, 0)
        case .intx:
            // A level: high until all causes are gone.
            let isHigh = interrupt.delivered != 0
            if !isHigh, !mayFire(5, registers.read(E1000E.itr).interval) { return }
            interrupt.delivered |= fresh
            if !isHigh { fire(.intx, 0) }
        }
    }

    private mutating func sendVectors(_ fresh: UInt32) {
        let vectors = registers.read(E1000E.ivar)
        send(.receiveQueue0, vectors.receiveQueue0, fresh)
        send(.receiveQueue1, vectors.receiveQueue1, fresh)
        send(.transmitQueue0, vectors.transmitQueue0, fresh)
        send(.transmitQueue1, vectors.transmitQueue1, fresh)
        send(.other, vectors.other, fresh)
    }

    /// One cause's message, with EIAC's and IAM's effects.
    private mutating func send(_ cause: E1000E.InterruptCause, _ entry: UInt32, _ fresh: UInt32) {
        guard fresh & cause.bits != 0 else { return }
        guard let number = E1000E.InterruptVectors.vector(ofEntry: entry), number < UInt32(E1000E.PCI.msixVectorCount) else { return }
        let vector = Int(number)
        guard mayAccessMemory, mayFire(vector, registers.read(E1000E.eitr[vector]).interval) else { return }
        interrupt.delivered |= cause.bits
        let control = registers.read(E1000E.ctrlExt)
        if control.contains(.extendedInterruptAutoMask) { interrupt.mask &= ~(interrupt.autoMask & cause.bits) }
        let cleared = interrupt.autoClear & cause.bits
        interrupt.causes &= ~cleared
        interrupt.delivered &= ~cleared
        if !control.contains(.interruptAcknowledgeAutoMask) { interrupt.mask &= ~cleared }
        fire(.msix, vector)
    }

    private mutating func fire(_ kind: InterruptLines.Kind, _ vector: Int) {
        if hasFaults, faults.lostInterrupts > 0 {
            faults.lostInterrupts -= 1
            return
        }
        statistics.count(E1000E.iac)
        if kind == .intx { environment.setINTx(true) } else { environment.interrupts.trigger(kind, vector: vector) }
    }

    // MARK: Throttling

    /// Whether the interval since the last message is over; if not, the moment is remembered and looked at by a step.
    /// - Parameter interval: units of 256 ns. Linux hw.h E1000_INTR_THROTTLING_NS_RES (QEMU hw/net/e1000e_core.c).
    private mutating func mayFire(_ index: Int, _ interval: UInt32) -> Bool {
        guard interval != 0 else { return true }
        let now = MonotonicClock.nanoseconds()
        let earliest = interrupt.notBefore[index]
        guard now >= earliest else {
            let retry = interrupt.retryNanoseconds
            interrupt.retryNanoseconds = retry == 0 ? earliest : min(retry, earliest)
            return false
        }
        interrupt.notBefore[index] = now &+ UInt64(interval) &* 256
        return true
    }

    mutating func retryThrottledInterrupts() {
        guard MonotonicClock.nanoseconds() >= interrupt.retryNanoseconds else { return }
        interrupt.retryNanoseconds = 0
        updateInterrupts()
    }
}
