import LinuxIO
import VfioUser

/// What stands in a relay's loop in the place of an IOMMU function when QEMU plays the IOMMU: it shows the core's numbers and
/// ends the loop.
final class RelayPublisher: ServedFunction {
    let control: ServerControl
    private let published: PublishedRelay

    init(_ published: PublishedRelay, _ control: ServerControl) {
        self.published = published
        self.control = control
    }

    func open() {}
    func close() {}
    func takeTurn(looking: Bool) -> Bool { false }
    var lastWork: UInt64? { nil }
    var wantsLooks: Bool { false }

    func prepareSleep(_ requests: inout [PollRequest]) -> Bool {
        requests.append(PollRequest(control.stopDescriptor, .readable))
        return true
    }

    func finishSleep(_ events: [PollEvents], from start: Int) {
        if !events[start].isEmpty { control.noticeSignal() }
    }

    func publish() { published.update() }
}
