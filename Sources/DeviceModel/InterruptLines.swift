public import LinuxIO

/// The eventfds behind a function's interrupts. A vector without one is silent.
public final class InterruptLines {
    public enum Kind: Int, Sendable { case intx = 0, msi = 1, msix = 2 }

    /// A line: its eventfd, owned here, or none.
    private final class Line {
        var event: EventFD?
        var isMasked = false
        var isPending = false

    }

    private var lines: [[Line]]
    /// Interrupts that reached an eventfd.
    public private(set) var signalCount: UInt64 = 0

    public init(intx: Int, msi: Int, msix: Int) {
        lines = [intx, msi, msix].map { count in (0..<count).map { _ in Line() } }
    }

    public func count(_ kind: Kind) -> Int { lines[kind.rawValue].count }

    /// Gives a vector its eventfd, or takes it away. A vector that does not exist: false.
    public func set(_ kind: Kind, vector: Int, event: consuming EventFD?) -> Bool {
        guard lines[kind.rawValue].indices.contains(vector) else { return false }
        lines[kind.rawValue][vector].event = event
        lines[kind.rawValue][vector].isPending = false
        return true
    }

    /// A masked vector remembers one trigger and delivers it when unmasked.
    public func setMasked(_ kind: Kind, vector: Int, _ masked: Bool) -> Bool {
        guard lines[kind.rawValue].indices.contains(vector) else { return false }
        let line = lines[kind.rawValue][vector]
        line.isMasked = masked
        if !masked, line.isPending {
            line.isPending = false
            trigger(kind, vector: vector)
        }
        return true
    }

    public func isConnected(_ kind: Kind, vector: Int) -> Bool {
        guard lines[kind.rawValue].indices.contains(vector) else { return false }
        return lines[kind.rawValue][vector].event != nil
    }

    /// Signals a vector. Vectors that do not exist or have no eventfd are silent.
    public func trigger(_ kind: Kind, vector: Int) {
        guard lines[kind.rawValue].indices.contains(vector) else { return }
        let line = lines[kind.rawValue][vector]
        if line.isMasked { line.isPending = true; return }
        guard line.event != nil else { return }
        line.event?.signal()
        signalCount &+= 1
    }

    public func disconnectAll() {
        for kind in lines { for line in kind { line.event = nil; line.isMasked = false; line.isPending = false } }
    }
}
