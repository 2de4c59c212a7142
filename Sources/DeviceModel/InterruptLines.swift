public import LinuxIO

/// Hardware behind a function, which signals its eventfds without this process.
public protocol InterruptCarrier: AnyObject {
    /// Vector i signals `eventfds[i]` from now on, -1: nothing. None: the kind is off. False: it cannot be done.
    func carry(_ kind: InterruptLines.Kind, eventfds: [Int32]) -> Bool
    func setINTxMasked(_ masked: Bool) -> Bool
    /// An eventfd whose signal unmasks INTx; nil: none.
    func unmaskINTx(by eventfd: Int32?) -> Bool
    func has(_ notice: InterruptLines.Notice) -> Bool
    /// An eventfd that is signalled then; nil: none.
    func notify(of notice: InterruptLines.Notice, by eventfd: Int32?) -> Bool
}

/// The eventfds behind a function's interrupts. A vector without one is silent.
///
/// MSI and MSI-X are messages, each delivered once. INTx is a level: it is delivered while it is high and not masked, and
/// masks itself then, as VFIO's does (linux/vfio.h, VFIO_IRQ_INFO_AUTOMASKED).
public final class InterruptLines {
    public enum Kind: Int, Sendable { case intx = 0, msi = 1, msix = 2 }

    /// What a host says of a function, not the function itself (linux/vfio.h, VFIO_PCI_ERR_IRQ_INDEX, VFIO_PCI_REQ_IRQ_INDEX).
    public enum Notice: Int, Sendable {
        /// The bus reported an error of the function that it cannot mend.
        case error = 3
        /// The host wants the function back.
        case request = 4
    }

    /// A line and its eventfds, owned here.
    private final class Line {
        var event: EventFD?
        /// Signalled when the line becomes masked, or unmasked.
        var maskEvent: EventFD?
        var unmaskEvent: EventFD?
        /// A masked message waits for its unmasking.
        var isPending = false
        /// INTx's level.
        var isHigh = false
        var isMasked = false {
            didSet { if isMasked != oldValue { if isMasked { maskEvent?.signal() } else { unmaskEvent?.signal() } } }
        }
    }

    private let lines: [[Line]]
    /// Who signals instead of this process. Its vectors cannot be masked one by one, only INTx can.
    public weak var carrier: (any InterruptCarrier)?
    /// Interrupts that reached an eventfd.
    public private(set) var signalCount: UInt64 = 0

    public init(intx: Int, msi: Int, msix: Int) {
        lines = [intx, msi, msix].map { count in (0..<count).map { _ in Line() } }
    }

    public func count(_ kind: Kind) -> Int { lines[kind.rawValue].count }

    /// nil: there is no such vector.
    private func line(_ kind: Kind, _ vector: Int) -> Line? {
        lines[kind.rawValue].indices.contains(vector) ? lines[kind.rawValue][vector] : nil
    }

    /// Gives a vector its eventfd, or takes it away; its mask goes too. A vector that does not exist: false.
    public func set(_ kind: Kind, vector: Int, event: consuming EventFD?) -> Bool {
        guard let line = line(kind, vector) else { return false }
        line.event = event
        line.isPending = false
        line.isMasked = false
        if line.isHigh { deliver(line, kind) }
        return true
    }

    /// Gives a vector an eventfd that is signalled when it becomes masked, or unmasked; nil takes it away.
    public func set(_ kind: Kind, vector: Int, masking: Bool, event: consuming EventFD?) -> Bool {
        guard let line = line(kind, vector) else { return false }
        if masking { line.maskEvent = event } else { line.unmaskEvent = event }
        return true
    }

    /// A masked vector remembers one trigger and delivers it when unmasked; INTx is delivered then if its level is high.
    public func setMasked(_ kind: Kind, vector: Int, _ masked: Bool) -> Bool {
        guard let line = line(kind, vector) else { return false }
        line.isMasked = masked
        if !masked, line.isPending || line.isHigh {
            line.isPending = false
            deliver(line, kind)
        }
        return true
    }

    public func isConnected(_ kind: Kind, vector: Int) -> Bool {
        guard let line = line(kind, vector) else { return false }
        return line.event != nil
    }

    /// Signals a vector. Vectors that do not exist or have no eventfd are silent.
    public func trigger(_ kind: Kind, vector: Int) {
        guard let line = line(kind, vector) else { return }
        if line.isMasked { line.isPending = true } else { deliver(line, kind) }
    }

    /// INTx's level as it leaves the function; ``DeviceEnvironment/setINTx(_:)`` is for models.
    func setINTx(_ isHigh: Bool) {
        guard let line = line(.intx, 0), line.isHigh != isHigh else { return }
        line.isHigh = isHigh
        if isHigh, !line.isMasked { deliver(line, .intx) }
    }

    private func deliver(_ line: Line, _ kind: Kind) {
        guard line.event != nil else { return }
        line.event?.signal()
        signalCount &+= 1
        if kind == .intx { line.isMasked = true }
    }

    /// Whether any vector of a kind has an eventfd.
    public func hasConnected(_ kind: Kind) -> Bool { lines[kind.rawValue].contains { $0.event != nil } }

    /// After changes of a kind's eventfds: the carrier, if there is one, gets what they are now.
    public func handOver(_ kind: Kind) -> Bool {
        guard let carrier else { return true }
        let all = lines[kind.rawValue]
        guard let last = all.lastIndex(where: { $0.event != nil }) else { return carrier.carry(kind, eventfds: []) }
        return carrier.carry(kind, eventfds: all[...last].map { $0.event?.number ?? -1 })
    }

    /// After changes of the eventfd that unmasks INTx.
    public func handOverUnmasking() -> Bool {
        guard let carrier, let line = line(.intx, 0) else { return true }
        return carrier.unmaskINTx(by: line.unmaskEvent?.number)
    }

    public func disconnectAll() {
        defer { if carrier != nil { for kind in [Kind.intx, .msi, .msix] { _ = handOver(kind) } } }
        for kind in lines {
            for line in kind {
                line.event = nil
                line.maskEvent = nil
                line.unmaskEvent = nil
                line.isMasked = false
                line.isPending = false
            }
        }
    }
}
