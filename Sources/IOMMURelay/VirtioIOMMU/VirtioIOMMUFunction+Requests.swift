import DeviceMemory
import NicRegisters
import VirtioModel

/// What is left to do of a request: its buffer, and what its answer has to be.
struct PendingAnswer {
    let chain: DescriptorChains.Chain
    /// Bytes of the properties; nil: it is no PROBE.
    let probeByteCount: Int?
    /// Its pieces are with those of a run.
    var isHeld = false
}

/// The request queue.
extension VirtioIOMMUFunction {
    /// In order, one at a time. The driver sees answers at the end of the step, or when a request takes longer than that.
    mutating func stepRequests(atMost most: Int) -> Bool {
        let index = VirtioIOMMULayout.requestQueue
        var queue = transport.queues[index]
        var used = 0
        var worked = false
        if let pending = current {
            worked = true
            guard case .done(let status, let properties) = handler.advance() else { return true }
            current = nil
            // A ring that is gone is not answered; the handler is done all the same.
            if queue.isReady, answer(pending, status, properties, &queue) { used += 1 }
        }
        if run.isUnderWay {
            worked = true
            guard finishRun(&queue, &used) else {
                finishStep(index, &queue, used)
                return true
            }
        }
        var limit = queue.look()
        while used + run.count < most, let known = limit {
            var cursor = queue.available
            guard let buffer = queue.take(&cursor, known) else {
                // What was there is a batch. The driver may have added some meanwhile.
                guard run.count > 0 else { break }
                guard finishRun(&queue, &used) else { break }
                limit = queue.isReady ? queue.look() : nil
                continue
            }
            worked = true
            guard carryOut(buffer, &cursor, &queue, &used) else { break }
        }
        if !run.isUnderWay { _ = finishRun(&queue, &used) }
        if worked || queue.violation != nil { finishStep(index, &queue, used) }
        return worked
    }

    /// What was used becomes visible, and the driver hears of it if it wants to.
    private mutating func finishStep(_ index: Int, _ queue: inout Virtqueue, _ used: Int) {
        if used > 0 {
            kickWatch.took()
            pace?.take(UInt64(used))
            counters.batches &+= 1
            handler.batchEnded()
            queue.publish()
            if queue.wantsInterrupt(), transport.interruptForQueue(queue.vector) { counters.interrupts &+= 1 }
        }
        transport.queues[index] = queue
        noteViolation(of: index)
    }

    /// False: no more for now, since the handler is at it or the queue was stopped.
    private mutating func carryOut(
        _ buffer: AvailableBuffer, _ cursor: inout RingCursor, _ queue: inout Virtqueue, _ used: inout Int
    ) -> Bool {
        chains.removeAll()
        let allowsIndirect = transport.features.contains(.indirectDescriptors)
        guard let chain = chains.follow(buffer, of: &queue, &cursor, allowsIndirect: allowsIndirect, dma: dma) else { return false }
        let byteCount = Int(min(chain.readableByteCount, UInt64(IOMMURequest.maximumByteCount)))
        guard chains.read(chain, to: requestBytes, limit: byteCount, dma: dma) else {
            queue.stop(.unreachable)
            return false
        }
        let parsed = IOMMURequest.parse(requestBytes.slice(at: 0, byteCount: byteCount), features: transport.features)
        // Until the ones before it are answered it stays in the ring, and is read again.
        if run.count > 0, !run.isContinued(by: parsed) || !runChains.hasRoom(for: chain), !finishRun(&queue, &used) { return false }
        queue.available = cursor
        // Without room for the tail, or with more of it than is ever written, there is no place for a status.
        let room = chain.writableByteCount
        guard parsed != .unknown, room >= UInt64(VirtioIOMMULayout.Tail.byteCount), room <= UInt64(Self.maximumAnswerByteCount) else {
            counters.unknownRequests &+= 1
            queue.use(chain.buffer, written: 0)
            used += 1
            return true
        }
        if handler.joinsRuns, hold(parsed, chain) { return true }
        guard begin(parsed, chain, &queue) else { return false }
        used += 1
        return true
    }

    private mutating func begin(_ parsed: IOMMURequest.Parsed, _ chain: DescriptorChains.Chain, _ queue: inout Virtqueue) -> Bool {
        var probeByteCount: Int?
        if case .request(.probe) = parsed { probeByteCount = Int(handler.configuration.probeByteCount) }
        let pending = PendingAnswer(chain: chain, probeByteCount: probeByteCount)
        guard case .request(let request) = parsed else {
            guard case .answer(let status) = parsed else { return false }
            return answer(pending, status, [], &queue)
        }
        // "If the properties list is smaller than probe_size, the device SHOULD NOT write any property."
        if let probeByteCount, chain.writableByteCount < UInt64(probeByteCount + VirtioIOMMULayout.Tail.byteCount) {
            return answer(pending, .invalid, [], &queue)
        }
        guard case .done(let status, let properties) = handler.begin(request) else {
            current = pending
            return false
        }
        return answer(pending, status, properties, &queue)
    }

    /// Writes the whole writable part: properties at its start, the tail at its end, zeros in between. Drivers look at the
    /// used length, which counts from the start.
    /// False: the queue was stopped.
    mutating func answer(_ pending: PendingAnswer, _ status: IOMMUStatus, _ properties: [UInt8], _ queue: inout Virtqueue) -> Bool {
        let byteCount = Int(pending.chain.writableByteCount)
        let bytes = answerBytes.slice(at: 0, byteCount: byteCount)
        bytes.fill(0)
        if status == .ok, let probeByteCount = pending.probeByteCount {
            precondition(properties.count <= probeByteCount, "more properties than the configuration says")
            bytes.store(properties, at: 0)
        }
        bytes.store8(status.rawValue, at: byteCount - VirtioIOMMULayout.Tail.byteCount + VirtioIOMMULayout.Tail.status)
        let isWritten =
            pending.isHeld
            ? runChains.write(pending.chain, at: 0, bytes, from: 0, byteCount: byteCount, dma: dma)
            : chains.write(pending.chain, at: 0, bytes, from: 0, byteCount: byteCount, dma: dma)
        guard isWritten else {
            queue.stop(.unreachable)
            return false
        }
        counters.requests &+= 1
        if status != .ok { counters.requestsRefused &+= 1 }
        queue.use(pending.chain.buffer, written: UInt32(byteCount))
        return true
    }
}
