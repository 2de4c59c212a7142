import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// The control queue: one command at a time, and a bounded wait for its answer. Control thread only.
///
/// A command is a chain of two descriptors: what the device reads, and one byte that it writes (virtio 1.2 "Control
/// Virtqueue").
final class VirtioControlQueue {
    private let device: any DeviceAccess
    private let memory: DMAMemory
    private let range: IOVARange
    let area: VirtqueueArea
    private let notifier: VirtioNotifier
    private let trapped: [TrappedNotification]
    /// Commands given so far.
    private var commands = 0
    /// An answer never came, or a wrong one: the device may still write into our memory.
    private var isBroken = false

    /// Longest command with its data.
    private static let requestByteCount = 1024
    private static let answerMilliseconds: UInt64 = 1000

    init(
        device: any DeviceAccess, layout: VirtqueueLayout, iovas: inout IOVAAllocator, notifier: VirtioNotifier,
        trapped: [TrappedNotification], allocate: (Int) throws(PortError) -> DMAMemory
    ) throws(PortError) {
        self.device = device
        self.notifier = notifier
        self.trapped = trapped
        memory = try PortMemory.ringMemory(
            byteCount: layout.byteCount + VirtioControlQueue.requestByteCount + 1, device: device, allocate: allocate)
        memory.window.fill(0)
        range = try PortMemory.map(memory, device: device, iovas: &iovas, access: .readWrite)
        area = VirtqueueArea(
            layout: layout, window: memory.window.slice(at: 0, byteCount: layout.byteCount), iova: range.start.rawValue)
    }

    /// For a device that is as new: the queue from its start.
    func restart() {
        memory.window.fill(0)
        commands = 0
        isBroken = false
        for cell in trapped { cell.restart() }
    }

    private var isMapped = true

    func unmap() throws(DeviceError) {
        guard isMapped else { return }
        isMapped = false
        try device.unmap(range)
    }

    deinit { try? unmap() }

    /// Gives a command and waits for its answer.
    /// - Parameters:
    ///   - name: for messages.
    func send(_ command: VirtioNet.Command, _ data: [UInt8], named name: String) throws(PortError) {
        guard !isBroken else { throw failure(name, "an earlier command was not answered as it should be") }
        let request = command.bytes + data
        precondition(request.count <= VirtioControlQueue.requestByteCount)
        let requestOffset = area.layout.byteCount
        let answerOffset = requestOffset + VirtioControlQueue.requestByteCount
        memory.window.store(request, at: requestOffset)
        memory.window.store8(0xff, at: answerOffset)
        let first = (range.start.rawValue + UInt64(requestOffset), UInt64(request.count))
        let second = (range.start.rawValue + UInt64(answerOffset), UInt64(1))
        isBroken = true
        if area.layout.isPacked { offerPacked(first, second) } else { offerSplit(first, second) }
        notifier.notify()
        for cell in trapped { cell.forward() }
        try waitForUse(name)
        commands += 1
        isBroken = false
        let answer = memory.window.load8(at: answerOffset)
        guard answer == VirtioNet.Acknowledgement.ok.rawValue else { throw failure(name, "the device answered \(answer), which means no") }
    }

    private func failure(_ name: String, _ reason: String) -> PortError {
        .device(
            .notUsable(device: device.url, group: nil, reason: "the command '\(name)' failed: \(reason)", fix: "Open the device again."))
    }

    private func waitForUse(_ name: String) throws(PortError) {
        let deadline = Deadline(afterMilliseconds: VirtioControlQueue.answerMilliseconds)
        while true {
            let isLast = deadline.hasPassed
            _ = device.progress?.step()
            let id = area.layout.isPacked ? usedPacked() : usedSplit()
            if let id {
                DeviceBarrier.observeFromDevice()
                guard id == 0 else { throw failure(name, "the device used buffer \(id), which it does not have") }
                return
            }
            do { try device.checkPresence() } catch { throw .device(error) }
            if isLast {
                throw .device(
                    .timedOut(
                        device: device.url, waitingFor: "answer to the command '\(name)'",
                        milliseconds: VirtioControlQueue.answerMilliseconds))
            }
            Processor.yield()
        }
    }

    // The two ring formats. Both use descriptors 0 and 1 under the identifier 0, or the next two places of the ring.

    private typealias Piece = (iova: UInt64, byteCount: UInt64)

    private func offerSplit(_ first: Piece, _ second: Piece) {
        let ring = SplitRing(area, usesEventIndex: false)
        let descriptors = ring.descriptors
        // The first descriptor names the second as its successor, 16 bits above the flags.
        descriptors.store(first.iova, SplitRing.word1(byteCount: first.byteCount, flags: .next) | 1 << 48, descriptors.slot(0))
        descriptors.store(second.iova, SplitRing.word1(byteCount: second.byteCount, flags: .write), descriptors.slot(1))
        ring.available.store(0, descriptors.slot(commands))
        ring.publish(below: commands + 1)
    }

    private func usedSplit() -> UInt32? {
        let ring = SplitRing(area, usesEventIndex: false)
        guard ring.newlyUsed(since: commands) != 0 else { return nil }
        return UInt32(truncatingIfNeeded: ring.used.load(ring.descriptors.slot(commands)))
    }

    private func offerPacked(_ first: Piece, _ second: Piece) {
        let ring = PackedRing(area, usesEventIndex: false)
        let place = 2 * commands
        ring.offer(
            second.iova,
            PackedRing.word1(
                byteCount: second.byteCount, id: 0, flags: ring.availableFlags(place + 1) | PackedRing.flags(.write)),
            ring.descriptors.slot(place + 1))
        // The first descriptor is given last: the device never sees half a chain.
        ring.offer(
            first.iova,
            PackedRing.word1(byteCount: first.byteCount, id: 0, flags: ring.availableFlags(place) | PackedRing.flags(.next)),
            ring.descriptors.slot(place))
    }

    private func usedPacked() -> UInt32? {
        let ring = PackedRing(area, usesEventIndex: false)
        let word = ring.descriptors.word1(ring.descriptors.slot(2 * commands))
        guard word & PackedRing.ownerMask == ring.usedFlags(2 * commands) else { return nil }
        return UInt32(truncatingIfNeeded: word >> 32) & 0xffff
    }
}
