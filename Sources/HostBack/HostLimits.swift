public import DeviceAccess
import DeviceMemory
public import IOMMURelay

// What the host's IOMMU can do, told to the guest before it asks for more.

extension IOMMUConfiguration {
    /// For endpoints behind these limits: pages that suit all of them, and addresses that some of them maps. What single ones
    /// do not map inside of it are their reserved windows (``ReservedWindow/windows(of:in:)``).
    public init(limits: [DMALimits]) {
        self.init()
        let page = limits.map(\.smallestPage).max() ?? 4096
        pageSizeMask = ~(max(page, 4096) - 1)
        let windows = limits.flatMap(\.windows)
        guard let first = windows.map(\.start.rawValue).min(), let last = windows.map(\.last).max() else { return }
        inputRange = first...last
    }
}

extension ReservedWindow {
    /// The gaps of an endpoint's windows, inside of what drivers are told that they may map.
    public static func windows(of limits: DMALimits, in configuration: IOMMUConfiguration) -> [ReservedWindow] {
        var gaps: [ClosedRange<UInt64>] = []
        var next: UInt64? = configuration.inputRange.lowerBound
        for window in limits.windows.sorted(by: { $0.start < $1.start }) {
            guard let from = next else { break }
            let start = window.start.rawValue
            if start > from { gaps.append(from...min(start - 1, configuration.inputRange.upperBound)) }
            next = window.last >= configuration.inputRange.upperBound ? nil : max(from, window.last + 1)
        }
        if let next { gaps.append(next...configuration.inputRange.upperBound) }
        return gaps.flatMap(split)
    }

    /// The interrupts' part of a gap is told as such: drivers map no page for them then.
    private static func split(_ gap: ClosedRange<UInt64>) -> [ReservedWindow] {
        guard let interrupts = interrupts?.range, gap.lowerBound <= interrupts.start.rawValue, interrupts.last <= gap.upperBound else {
            return window(.reserved, gap.lowerBound, gap.upperBound)
        }
        var parts = [ReservedWindow(.msi, interrupts)]
        if gap.lowerBound < interrupts.start.rawValue { parts = window(.reserved, gap.lowerBound, interrupts.start.rawValue - 1) + parts }
        if interrupts.last < gap.upperBound { parts += window(.reserved, interrupts.last + 1, gap.upperBound) }
        return parts
    }

    private static func window(_ kind: Kind, _ first: UInt64, _ last: UInt64) -> [ReservedWindow] {
        IOVARange(first: first, last: last).map { [ReservedWindow(kind, $0)] } ?? []
    }
}
