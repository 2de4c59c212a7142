import DeviceMemory
import NicModels
import Testing

@Suite struct FaultyWireTests {
    private let frame: TestFrame
    init() throws { frame = try TestFrame() }

    /// Frames that carry their number in four bytes, sent over a cable with these faults; what arrives, in its order.
    private func numbers(_ count: Int, _ faults: WireFaults) throws -> (arrived: [UInt32], tally: FaultTally) {
        let (near, far) = try CableWire.pair(depth: 64)
        let wire = try FaultyWire(near, faults: faults)
        let frame = frame(broadcast(60))
        var arrived: [UInt32] = []
        func take() {
            while let received = far.nextReceived() {
                arrived.append(received.load32(at: 20))
                far.dropReceived()
            }
        }
        for number in 0..<UInt32(count) {
            frame.store32(number, at: 20)
            wire.send(frame)
            take()
        }
        // The model goes to sleep: nothing is left behind.
        _ = wire.armWake()
        take()
        return (arrived, wire.tally)
    }

    private func faults(_ set: (inout WireFaults) -> Void) -> WireFaults {
        var faults = WireFaults()
        set(&faults)
        return faults
    }

    /// Standard deviation of a count of events with this rate.
    private func deviation(_ count: Int, _ rate: Double) -> Double { (Double(count) * rate * (1 - rate)).squareRoot() }

    @Test func withoutRatesEverythingArrivesOnceAndInOrder() throws {
        let (arrived, tally) = try numbers(1000, WireFaults())
        #expect(arrived == Array(0..<1000) && tally == FaultTally())
    }

    @Test(arguments: [0.001, 0.01, 0.3]) func framesAreLostAtTheRateAndNothingElseHappens(_ rate: Double) throws {
        let count = 50_000
        let (arrived, tally) = try numbers(count, faults { $0.loss = rate })
        #expect(abs(Double(tally.lost) - Double(count) * rate) < 5 * deviation(count, rate))
        #expect(arrived.count == count - Int(tally.lost))
        #expect(zip(arrived, arrived.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func framesAreRepeatedAtTheRate() throws {
        let count = 50_000
        let (arrived, tally) = try numbers(count, faults { $0.duplicate = 0.01 })
        #expect(abs(Double(tally.duplicated) - Double(count) * 0.01) < 5 * deviation(count, 0.01))
        #expect(arrived.count == count + Int(tally.duplicated) && Set(arrived).count == count)
    }

    @Test func framesAreOvertakenByOneToEightAtTheRate() throws {
        let count = 50_000
        let (arrived, tally) = try numbers(count, faults { $0.reorder = 0.01 })
        #expect(abs(Double(tally.reordered) - Double(count) * 0.01) < 5 * deviation(count, 0.01))
        #expect(arrived.count == count && Set(arrived).count == count)
        // Each overtaken frame stands directly behind a higher number, unless two of them stand together.
        let late = zip(arrived, arrived.dropFirst()).filter { $0 > $1 }.count
        #expect(Double(late) > 0.9 * Double(tally.reordered) && late <= tally.reordered)
        for (place, number) in arrived.enumerated() { #expect(abs(place - Int(number)) <= 9) }
    }

    @Test func oneBitOfADamagedFrameIsWrongAndTheSendersIsNot() throws {
        let (near, far) = try CableWire.pair()
        let wire = try FaultyWire(near, faults: faults { $0.corrupt = 1 })
        let bytes = broadcast(200)
        let frame = frame(bytes)
        for _ in 0..<100 {
            wire.send(frame)
            let arrived = try #require(far.receive())
            let wrong = zip(arrived, bytes).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
            #expect(arrived.count == 200 && wrong == 1)
        }
        #expect(frame.bytes(at: 0, byteCount: 200) == bytes)
        #expect(wire.tally.corrupted == 100)
    }

    @Test func aSeedIsAFateAndAnotherSeedAnother() throws {
        let some = faults {
            $0.loss = 0.1; $0.reorder = 0.1; $0.duplicate = 0.1; $0.seed = 7
        }
        let first = try numbers(500, some).arrived
        #expect(try numbers(500, some).arrived == first)
        var other = some
        other.seed = 8
        #expect(try numbers(500, other).arrived != first)
        // A rate that is added hits what it hits, and leaves the others' as they were.
        var fewer = some
        fewer.duplicate = 0
        #expect(Set(try numbers(500, fewer).arrived) == Set(first))
    }

    @Test func aFrameThatNoneFollowsIsHeldForAShortTimeOnly() throws {
        let (near, far) = try CableWire.pair()
        let wire = try FaultyWire(near, faults: faults { $0.reorder = 1 })
        wire.send(frame(broadcast(60)))
        let deadline = ContinuousClock.now + .seconds(10)
        while far.nextReceived() == nil, ContinuousClock.now < deadline { #expect(wire.nextReceived() == nil) }
        #expect(far.receive() == broadcast(60))
    }

    @Test func oneThatIsOvertakenAndRepeatedArrivesTwice() throws {
        let (arrived, _) = try numbers(
            50,
            faults {
                $0.reorder = 0.2; $0.duplicate = 1
            })
        #expect(arrived.count == 100 && Set(arrived).count == 50)
    }

    @Test func whatComesFromOthersIsLeftAsItIs() throws {
        let (near, far) = try CableWire.pair()
        let wire = try FaultyWire(
            near,
            faults: faults {
                $0.loss = 1; $0.corrupt = 1
            })
        #expect(wire.hasCarrier)
        far.send(frame(broadcast(90)))
        #expect(wire.receive() == broadcast(90))
        #expect(wire.counters.receivedFrames == 1)
        wire.announceFilter(unicast: 5)
        #expect(near.announced == .some(5))
        near.disconnect()
        #expect(!wire.hasCarrier)
    }
}
