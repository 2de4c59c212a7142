public import LinuxIO

/// The eventfds behind a function's interrupts. A vector without one is silent.
///
/// MSI and MSI-X are messages, each delivered once. INTx is a level: it is delivered while it is high and not masked, and
/// masks itself then, as VFIO's does (linux/vfio.h, VFIO_IRQ_INFO_AUTOMASKED).
public final class InterruptLines {
    public enum Kind: Int, Sendable { case intx = 0, msi = 1, msix = 2 }

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

    public func disconnectAll() {
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
