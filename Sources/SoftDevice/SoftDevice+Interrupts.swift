public import DeviceAccess
import DeviceModel
import LinuxIO

/// Interrupts of the model, as eventfds. This device keeps descriptors of its own, so that the caller may close his.
extension SoftDevice where Model: ~Copyable {
    public func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int {
        line(kind).map { environment.interrupts.count($0) } ?? 0
    }

    /// A negative number leaves its vector silent, as VFIO_DEVICE_SET_IRQS has it (linux/vfio.h, VFIO_IRQ_SET_DATA_EVENTFD).
    public func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {
        let count = try interruptCount(kind)
        guard let line = line(kind), !eventfds.isEmpty, eventfds.count <= count else {
            throw .notUsable(
                device: url, group: nil, reason: "it has \(count) \(kind) vectors, \(eventfds.count) were asked for",
                fix: "Ask for at least one and at most as many as it has.")
        }
        // All descriptors first: either every vector is set or none.
        var copies = DescriptorList()
        for number in eventfds { try copies.append(copyOf: number, url) }
        disconnect(line)
        for vector in eventfds.indices {
            guard let copy = copies.take(vector) else { continue }
            _ = environment.interrupts.set(line, vector: vector, event: EventFD(adopting: copy))
        }
    }

    public func disableInterrupts(_ kind: InterruptKind) throws(DeviceError) {
        if let line = line(kind) { disconnect(line) }
    }

    public func unmaskINTx() throws(DeviceError) {
        guard environment.interrupts.setMasked(.intx, vector: 0, false) else {
            throw .notUsable(device: url, group: nil, reason: "it has no INTx", fix: "Use MSI-X or MSI.")
        }
    }

    private func disconnect(_ line: InterruptLines.Kind) {
        for vector in 0..<environment.interrupts.count(line) {
            _ = environment.interrupts.set(line, vector: vector, event: nil)
            _ = environment.interrupts.setMasked(line, vector: vector, false)
        }
    }

    /// nil for the kinds that only hardware has: error and request.
    private func line(_ kind: InterruptKind) -> InterruptLines.Kind? { InterruptLines.Kind(rawValue: kind.rawValue) }
}

/// Descriptors that are closed unless they are taken.
private struct DescriptorList: ~Copyable {
    private var numbers: [Int32] = []

    mutating func append(copyOf number: Int32, _ device: String) throws(DeviceError) {
        guard number >= 0 else { return numbers.append(-1) }
        do {
            numbers.append(try OwnedDescriptor.duplicate(of: number).release())
        } catch {
            throw .systemCall(device: device, group: nil, cause: error, fix: "Give open eventfds.")
        }
    }

    mutating func take(_ index: Int) -> OwnedDescriptor? {
        guard numbers[index] >= 0 else { return nil }
        defer { numbers[index] = -1 }
        return OwnedDescriptor(adopting: numbers[index])
    }

    deinit {
        for number in numbers where number >= 0 { _ = OwnedDescriptor(adopting: number) }
    }
}
