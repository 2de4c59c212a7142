import CVerbs
import LinuxIO
import Testing

@testable import VerbsProvider

/// Requests for memory of a peer that has not made its step to RTR.
@Suite struct PeerReadinessTests {
    private static func pair() throws -> (asker: Side, near: VerbsObject<VerbsQueuePair>, owner: Side, far: VerbsObject<VerbsQueuePair>) {
        let wire = Side.wire()
        let asker = try Side(wire: wire), owner = try Side(wire: wire)
        let near = try asker.makeQueuePair(), far = try owner.makeQueuePair()
        #expect(asker.initialize(near) == 0 && owner.initialize(far) == 0)
        #expect(asker.connect(near, to: owner, far) == 0)
        return (asker, near, owner, far)
    }

    @Test(arguments: [SendWork.Operation.write, .read]) func earlyRequestsWaitForTheOwner(operation: SendWork.Operation) throws {
        let (asker, near, owner, far) = try Self.pair()
        #expect(asker.open(near) == 0)
        asker.fill(1)
        owner.fill(2)
        asker.post(near, 1, operation, byteCount: 64, key: owner.key)
        asker.post(near, 2, operation, byteCount: 8, key: owner.key)
        asker.post(near, 3, .send, byteCount: 8)
        #expect(!Side.drive([asker, owner], milliseconds: 150) { asker.take() != nil })
        #expect(owner.byte(0) == 2 && asker.byte(0) == 1)
        owner.postReceive(far, 4, byteCount: 8)
        #expect(owner.connect(far, to: asker, near) == 0)
        for id in 1...3 as ClosedRange<UInt64> {
            let completion = asker.next([asker, owner])
            #expect(completion?.wrID == id && completion?.status == .success)
        }
        #expect(operation == .write ? owner.byte(63) == 1 : asker.byte(63) == 2)
        #expect(owner.next([asker, owner])?.wrID == 4)
    }

    @Test func retriesRunOut() throws {
        let (asker, near, owner, _) = try Self.pair()
        #expect(asker.open(near) { ($0.timeout, $0.retry_cnt) = (1, 0) } == 0)
        asker.post(near, 1, .write, byteCount: 64, key: owner.key)
        asker.post(near, 2, .send, byteCount: 8)
        #expect(!Side.drive([asker, owner], milliseconds: 50) { asker.take() != nil })
        #expect(asker.next([asker, owner])?.status == .retriesExceeded)
        let last = asker.next([asker, owner])
        #expect(last?.wrID == 2 && last?.status == .flushed)
    }

    /// That the owner is there says nothing of keys.
    @Test func aWrongKeyIsRefusedAtOnce() throws {
        let (asker, near, owner, far) = try Self.pair()
        #expect(owner.connect(far, to: asker, near) == 0 && asker.open(near) { $0.timeout = 31 } == 0)
        asker.post(near, 1, .write, byteCount: 64, key: owner.key ^ 1)
        #expect(asker.next([asker, owner])?.status == .remoteAccess)
    }

    @Test func timesAreThoseOfTheQueuePair() {
        #expect(PeerReadiness.patience(timeout: 0, retries: 7) == nil)
        #expect(PeerReadiness.patience(timeout: 14, retries: 7) == 536_870_912)
        #expect(PeerReadiness.patience(timeout: .max, retries: .max) == 70_368_744_177_664)
        var readiness = PeerReadiness()
        #expect(readiness.mayAsk(now: 0) && !readiness.isOver(now: .max, patience: 0))
        readiness.asked()
        #expect(!readiness.mayAsk(now: .max))
        readiness.refused(now: 1000)
        #expect(!readiness.mayAsk(now: 1000) && readiness.mayAsk(now: 201_000))
        #expect(!readiness.isOver(now: 200_000_000, patience: nil) && readiness.isOver(now: 200_000_000, patience: 200_000_000 - 1000))
        #expect(!readiness.isOver(now: 100_000_999, patience: 1) && readiness.isOver(now: 100_001_000, patience: 1))
        let turn = readiness.turn
        readiness.answered()
        readiness.reset()
        #expect(!readiness.isReady && readiness.turn == turn &+ 1)
    }
}
