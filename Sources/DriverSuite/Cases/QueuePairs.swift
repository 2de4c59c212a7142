import DeviceMemory
import LinuxIO
import NicDriver

/// So many that eight queues all have some, however a device spreads them; by chance one has none once in three million runs.
private let flowCount = 128

let queuePairCases: [DriverCase] = [
    DriverCase("more queue pairs than the device has are refused") { rig in
        let most = try rig.capabilities().queuePairCount
        for count in [0, most + 1, 1000] {
            do {
                _ = try rig.openLeft(.suite.with { $0.queuePairCount = count })
            } catch { continue }
            throw CaseFailure(description: "\(count) queue pairs were given, the device has \(most)")
        }
    },
    DriverCase("each flow arrives on one queue, whole and in order, and every queue has flows") { rig in
        let flows = flowCount
        let pair = try rig.openSpread()
        var found = [Set<Int>](repeating: [], count: flows)
        var next = [UInt64](repeating: 0, count: flows)
        for round in UInt64(0)..<4 {
            for first in stride(from: 0, to: flows, by: 16) {
                let frames = (first..<first + 16).map { pair.frame(flow: $0, seed: round) }
                try pair.send(frames, from: pair.left)
                for (queue, bytes) in try pair.receiveOnEveryQueue(frames.count) {
                    guard let flow = (first..<first + 16).first(where: { pair.frame(flow: $0, seed: round).bytes == bytes }) else {
                        throw CaseFailure(description: "a frame arrived changed, twice or late")
                    }
                    try expect(next[flow] == round, "flow \(flow) is at frame \(next[flow]) and not \(round)")
                    next[flow] += 1
                    found[flow].insert(queue)
                }
            }
        }
        try expect(next.allSatisfy { $0 == 4 }, "frames were lost: \(next)")
        try expect(found.allSatisfy { $0.count == 1 }, "a flow came on several queues: \(found)")
        let used = Set(found.flatMap { $0 })
        try expect(used.count == pair.right.queuePairs.count, "queues \(used) of \(pair.right.queuePairs.count) were used")
        try pair.stop()
    },
    DriverCase("every queue pair sends, from packets of its own, and gets all of them back") { rig in
        let pair = try rig.openSpread()
        for one in pair.right.queuePairs {
            let frame = TestFrame(to: .broadcast, from: pair.right.macAddress, byteCount: 100 + one.index, seed: UInt64(one.index))
            var batch = one.makeBatch(capacity: 1)
            guard var packet = one.makePacket() else { throw CaseFailure(description: "queue pair \(one.index) has no packets") }
            packet.byteCount = frame.bytes.count
            packet.window.store(frame.bytes, at: 0)
            _ = batch.append(packet)
            try expect(one.send(&batch) == 1, "queue pair \(one.index) did not take the frame")
            try pair.expectArrival(of: [frame], on: pair.left)
            try expect(one.counters.sentFrames == 1, "queue pair \(one.index) counted \(one.counters.sentFrames)")
        }
        try expect(pair.right.counters.sentFrames == UInt64(pair.right.queuePairs.count), "the port's sum is wrong")
        try pair.stop()
        for one in pair.right.queuePairs {
            try expect(one.pool.freeCount == one.pool.capacity, "queue pair \(one.index) misses buffers after the stop")
        }
    },
    DriverCase("interrupts: each queue's frame ends a wait on that queue, by that queue's interrupt") { rig in
        let pair = try rig.openSpread(wait: .interrupt)
        let flows = try pair.aFlowOfEachQueue()
        for one in pair.right.queuePairs {
            guard let flow = flows[one.index] else { throw CaseFailure(description: "no flow arrives on queue \(one.index)") }
            let before = one.counters.interrupts
            // A frame that comes before the wait sleeps is seen by its look and needs no interrupt: the next one may be late.
            for seed in UInt64(1)...10 where one.counters.interrupts == before {
                try pair.send(pair.frame(flow: flow, seed: seed), afterMilliseconds: 30) {
                    try one.waitForReceive(timeoutMilliseconds: 3000)
                }
                let queues = try pair.receiveOnEveryQueue(1).map(\.queue)
                try expect(queues == [one.index], "flow \(flow) came on queue \(queues), before on \(one.index)")
            }
            try expect(one.counters.interrupts > before, "no interrupt of queue \(one.index) ended a wait: its vector is dead")
        }
        try pair.stop()
    },
]

extension Rig {
    /// The right port has as many queue pairs as its device, at most eight.
    fileprivate func openSpread(wait: PortOptions.WaitMode = .poll) throws -> Pair {
        let count = min(8, try rightCapabilities().queuePairCount)
        let right = try openRight(
            .suite.with {
                $0.queuePairCount = count
                $0.wait = wait
            })
        return Pair(left: try openLeft(), right: right)
    }

    private func rightCapabilities() throws -> PortCapabilities {
        let port = try openRight()
        defer { try? port.stop() }
        return port.capabilities
    }
}

extension Pair {
    /// A UDP frame whose addresses depend on the flow.
    fileprivate func frame(flow: Int, seed: UInt64) -> TestFrame {
        TestFrame(
            bytes: ChecksumFrame(.udp, to: right.macAddress, from: left.macAddress, payload: 40, seed: seed, flow: UInt8(flow & 0xff)).bytes
        )
    }

    /// For each queue of the right port one of the flows that arrive there.
    fileprivate func aFlowOfEachQueue() throws -> [Int: Int] {
        var flows: [Int: Int] = [:]
        for flow in 0..<flowCount where flows.count < right.queuePairs.count {
            try send([frame(flow: flow, seed: 0)], from: left)
            for (queue, _) in try receiveOnEveryQueue(1) { flows[queue] = flow }
        }
        return flows
    }

    /// Sends a frame from the left port while `wait` is under way.
    fileprivate func send(_ frame: TestFrame, afterMilliseconds milliseconds: UInt32, during wait: () throws -> Void) throws {
        let handedOver = HandedOver(pair: self, frame: frame)
        let sender = try WorkerThread { () -> String? in
            sleep(milliseconds: milliseconds)
            do {
                try handedOver.pair.send([handedOver.frame], from: handedOver.pair.left)
                handedOver.pair.left.reclaim()
                return nil
            } catch { return "\(error)" }
        }
        let outcome = Result { try wait() }
        if let failure = sender.join() { throw CaseFailure(description: failure) }
        try outcome.get()
    }

    /// Receives until there are `count` test frames on all queues together, or 3 s are over.
    fileprivate func receiveOnEveryQueue(_ count: Int) throws -> [(queue: Int, bytes: [UInt8])] {
        var frames: [(queue: Int, bytes: [UInt8])] = []
        let deadline = Deadline(afterMilliseconds: 3000)
        while frames.count < count, !deadline.hasPassed {
            left.reclaim()
            for one in right.queuePairs {
                var batch = one.makeBatch(capacity: 32)
                _ = one.receive(into: &batch)
                while let packet = batch.removeFirst() {
                    let bytes = packet.window.bytes(at: 0, byteCount: packet.byteCount)
                    if TestFrame.isOurs(bytes) { frames.append((one.index, bytes)) }
                }
            }
        }
        try expect(frames.count == count, "\(frames.count) of \(count) frames arrived")
        return frames
    }
}

/// The left port for another thread, which alone uses it until it is joined.
private struct HandedOver: @unchecked Sendable {
    let pair: Pair
    let frame: TestFrame
}
