import DeviceMemory
import NicRegisters
import VirtioModel

/// The event queue. "Fault reporting".
extension VirtioIOMMUFunction {
    /// Without a buffer of the driver's a fault waits with the handler.
    mutating func stepEvents() -> Bool {
        let index = VirtioIOMMULayout.eventQueue
        var queue = transport.queues[index]
        guard let limit = queue.look() else {
            if queue.violation != nil {
                transport.queues[index] = queue
                noteViolation(of: index)
            }
            return false
        }
        var used = 0
        while used < 64, let fault = waitingFault ?? handler.takeFault() {
            waitingFault = fault
            var cursor = queue.available
            guard let buffer = queue.take(&cursor, limit), report(fault, buffer, &cursor, &queue) else { break }
            used += 1
        }
        guard used > 0 || queue.violation != nil else { return false }
        queue.publish()
        if queue.wantsInterrupt(), transport.interruptForQueue(queue.vector) { counters.interrupts &+= 1 }
        transport.queues[index] = queue
        noteViolation(of: index)
        return used > 0
    }

    /// Uses one buffer; the fault stays if it did not fit. False: the queue was stopped.
    private mutating func report(
        _ fault: IOMMUFault, _ buffer: AvailableBuffer, _ cursor: inout RingCursor, _ queue: inout Virtqueue
    ) -> Bool {
        typealias Layout = VirtioIOMMULayout.Fault
        eventChains.removeAll()
        let allowsIndirect = transport.features.contains(.indirectDescriptors)
        guard let chain = eventChains.follow(buffer, of: &queue, &cursor, allowsIndirect: allowsIndirect, dma: dma) else { return false }
        // "If a buffer is too small to contain the fault report, the device SHOULD NOT use multiple buffers."
        guard chain.writableByteCount >= UInt64(Layout.byteCount) else {
            counters.eventBuffersTooSmall &+= 1
            queue.available = cursor
            queue.use(chain.buffer, written: 0)
            return true
        }
        let bytes = answerBytes.slice(at: 0, byteCount: Layout.byteCount)
        bytes.fill(0)
        bytes.store8(fault.reason.rawValue, at: Layout.reason)
        var flags = Layout.addressFlag
        if fault.access.contains(.read) { flags |= Layout.readFlag }
        if fault.access.contains(.write) { flags |= Layout.writeFlag }
        bytes.store32(flags, at: Layout.flags)
        bytes.store32(fault.endpoint, at: Layout.endpoint)
        bytes.store64(fault.address.rawValue, at: Layout.address)
        guard eventChains.write(chain, at: 0, bytes, from: 0, byteCount: Layout.byteCount, dma: dma) else {
            queue.stop(.unreachable)
            return false
        }
        waitingFault = nil
        counters.faultsReported &+= 1
        queue.available = cursor
        queue.use(chain.buffer, written: UInt32(Layout.byteCount))
        return true
    }
}
