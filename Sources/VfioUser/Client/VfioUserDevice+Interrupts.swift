public import DeviceAccess
import LinuxIO

/// The eventfds of one kind of interrupt: descriptors of our own, to be connected again with the server that comes next.
final class ConnectedEvents {
    private let files: [ReceivedDescriptor?]
    /// -1 for a vector that stays silent.
    var numbers: [Int32] { files.map { $0?.number ?? -1 } }

    init(copying eventfds: [Int32], device: String) throws(DeviceError) {
        var files: [ReceivedDescriptor?] = []
        for number in eventfds {
            guard number >= 0 else {
                files.append(nil)
                continue
            }
            do throws(SystemCallError) { files.append(ReceivedDescriptor(try OwnedDescriptor.duplicate(of: number))) } catch {
                throw .systemCall(device: device, group: nil, cause: error, fix: "Give open eventfds.")
            }
        }
        self.files = files
    }
}

extension VfioUserDevice {
    public func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int { try session.interruptCount(kind) }

    public func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {
        let available = try interruptCount(kind)
        guard eventfds.count <= available else {
            throw .notUsable(
                device: url, group: nil, reason: "\(eventfds.count) vectors of \(kind) are wanted, the device has \(available)",
                fix: "Ask for fewer queues.")
        }
        try disableInterrupts(kind)
        let events = try ConnectedEvents(copying: eventfds, device: url)
        try session.connect(kind, eventfds: events.numbers)
        connectedEvents[kind] = events
    }

    public func disableInterrupts(_ kind: InterruptKind) throws(DeviceError) {
        connectedEvents[kind] = nil
        guard try interruptCount(kind) > 0 else { return }
        try session.set(kind, .trigger, .none, start: 0, count: 0)
    }

    public func unmaskINTx() throws(DeviceError) { try session.set(.intx, .unmask, .none, start: 0, count: 1) }
}
