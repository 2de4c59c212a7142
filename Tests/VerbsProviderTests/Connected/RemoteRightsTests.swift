import CVerbs
import Testing

@testable import VerbsProvider

/// Who reaches memory through a connected queue pair, from when and until when.
@Suite struct RemoteRightsTests {
    private static let long = 4 << 20

    /// ibv_modify_qp(3): RTR to RTS and RTS to RTS say nothing of transfers that peers have under way.
    @Test(arguments: [SendWork.Operation.write, .read]) func aStepOfTheOwnerDoesNotCutATransfer(operation: SendWork.Operation) throws {
        let wire = Side.wire()
        let asker = try Side(wire: wire, byteCount: Self.long), owner = try Side(wire: wire, byteCount: Self.long)
        let near = try asker.makeQueuePair(), far = try owner.makeQueuePair()
        #expect(asker.initialize(near) == 0 && owner.initialize(far) == 0)
        #expect(owner.connect(far, to: asker, near) == 0 && asker.connect(near, to: owner, far) == 0 && asker.open(near) == 0)
        let source = operation == .write ? asker : owner, target = operation == .write ? owner : asker
        for round in 1...3 as ClosedRange<UInt8> {
            source.fill(round)
            target.fill(0)
            asker.post(near, UInt64(round), operation, byteCount: Self.long, key: owner.key)
            #expect(Side.drive([asker, owner]) { target.byte(0) == round })
            #expect(target.byte(Self.long - 1) == 0, "the transfer was over before the step")
            let isFirst = round == 1
            let code =
                isFirst
                ? owner.open(far)
                : owner.modify(far, to: IBV_QPS_RTS, round == 2 ? [] : .access) { $0.qp_access_flags = Side.everything.rawValue }
            #expect(code == 0)
            let completion = asker.next([asker, owner])
            #expect(completion?.wrID == UInt64(round) && completion?.status == .success)
            #expect(target.byte(0) == round && target.byte(Self.long - 1) == round)
        }
    }

    @Test func rightsThatAreTakenAwayAreGone() throws {
        let wire = Side.wire()
        let asker = try Side(wire: wire), owner = try Side(wire: wire)
        let near = try asker.makeQueuePair(), far = try owner.makeQueuePair()
        #expect(asker.initialize(near) == 0 && owner.initialize(far) == 0)
        #expect(owner.connect(far, to: asker, near) == 0 && asker.connect(near, to: owner, far) == 0)
        #expect(owner.open(far) == 0 && asker.open(near) == 0)
        asker.fill(1)
        asker.post(near, 1, .write, byteCount: 8, key: owner.key)
        #expect(asker.next([asker, owner])?.status == .success)
        let code = owner.modify(far, to: IBV_QPS_RTS, .access) { $0.qp_access_flags = MemoryAccess.remoteRead.rawValue }
        #expect(code == 0)
        asker.post(near, 2, .read, byteCount: 8, key: owner.key)
        #expect(asker.next([asker, owner])?.status == .success)
        asker.fill(2)
        asker.post(near, 3, .write, byteCount: 8, key: owner.key)
        #expect(asker.next([asker, owner])?.status == .remoteAccess)
        #expect(owner.byte(0) == 1)
    }

    /// A responder takes requests from its queue pair's peer only (linux, drivers/infiniband/sw/rxe/rxe_recv.c, check_addr).
    @Test(arguments: [SendWork.Operation.write, .read], [8, 1 << 20])
    func aThirdPartyThatKnowsTheKeyReachesNothing(operation: SendWork.Operation, byteCount: Int) throws {
        let wire = Side.wire()
        let owner = try Side(wire: wire, byteCount: 1 << 20), peer = try Side(wire: wire, byteCount: 1 << 20)
        let third = try Side(wire: wire, byteCount: 1 << 20)
        let sides = [owner, peer, third]
        let far = try owner.makeQueuePair(), near = try peer.makeQueuePair(), thief = try third.makeQueuePair()
        #expect(owner.initialize(far) == 0 && peer.initialize(near) == 0 && third.initialize(thief) == 0)
        #expect(owner.connect(far, to: peer, near) == 0 && owner.open(far) == 0)
        #expect(peer.connect(near, to: owner, far) == 0 && peer.open(near) == 0)
        #expect(third.connect(thief, to: owner, far) == 0 && third.open(thief) == 0)
        owner.fill(1)
        peer.fill(2)
        third.fill(3)
        // One that does not ask first.
        thief.state.readiness.answered()
        third.post(thief, 1, operation, byteCount: byteCount, key: owner.key)
        #expect(third.next(sides)?.status == .remoteAccess)
        #expect(owner.byte(0) == 1 && third.byte(0) == 3)
        peer.post(near, 2, operation, byteCount: byteCount, key: owner.key)
        #expect(peer.next(sides)?.status == .success)
        #expect(operation == .write ? owner.byte(byteCount - 1) == 2 : peer.byte(byteCount - 1) == 1)
    }
}
