import CVerbs
import Testing

@testable import VerbsProvider

@Suite struct QueuePairStateTests {
    private static let steps: [(QueuePairState, QueuePairState)] = [
        (.reset, .initialized), (.initialized, .initialized), (.initialized, .readyToReceive), (.readyToReceive, .readyToSend),
        (.readyToSend, .readyToSend),
    ]

    @Test(arguments: [QueuePairService.datagram, .connected]) func theStepsAreThoseOfTheTable(service: QueuePairService) {
        for from in QueuePairState.allCases {
            for to in QueuePairState.allCases {
                let isStep = to == .reset || to == .error || Self.steps.contains { $0 == (from, to) }
                #expect((QueuePairAttributes.rules(from: from, to: to, service: service) != nil) == isStep, "\(from) → \(to)")
            }
        }
    }

    @Test(arguments: [QueuePairService.datagram, .connected]) func eachRequiredAttributeIsMissed(service: QueuePairService) throws {
        for (from, to) in Self.steps {
            let rules = try #require(QueuePairAttributes.rules(from: from, to: to, service: service))
            let whole = rules.required.union(.state)
            #expect(whole.allow(from: from, to: to, service: service))
            #expect(whole.union(rules.optional).allow(from: from, to: to, service: service))
            for bit in 0..<26 where rules.required.rawValue >> UInt32(bit) & 1 == 1 {
                let less = QueuePairAttributes(rawValue: whole.rawValue & ~(1 << UInt32(bit)))
                #expect(!less.allow(from: from, to: to, service: service), "\(from) → \(to) without bit \(bit)")
            }
            for bit in 1..<26 where whole.union(rules.optional).rawValue >> UInt32(bit) & 1 == 0 {
                let more = QueuePairAttributes(rawValue: whole.rawValue | 1 << UInt32(bit))
                #expect(!more.allow(from: from, to: to, service: service), "\(from) → \(to) with bit \(bit)")
            }
        }
    }

    /// As Debian's ibv_rc_pingpong and ibv_ud_pingpong ask (rdma-core, libibverbs/examples).
    @Test func theMasksOfPingpongsAreAllowed() {
        let toInit: QueuePairAttributes = [.state, .partition, .port, .access]
        let toReceive: QueuePairAttributes = [
            .state, .path, .pathMTU, .remoteQueuePair, .receiveNumber, .servedReads, .receiverTimer,
        ]
        let toSend: QueuePairAttributes = [.state, .timeout, .retries, .receiverRetries, .sendNumber, .readLimit]
        #expect(toInit.allow(from: .reset, to: .initialized, service: .connected))
        #expect(toReceive.allow(from: .initialized, to: .readyToReceive, service: .connected))
        #expect(toSend.allow(from: .readyToReceive, to: .readyToSend, service: .connected))
        #expect(!toInit.allow(from: .reset, to: .initialized, service: .datagram))
        #expect(QueuePairAttributes([.state]).allow(from: .initialized, to: .readyToReceive, service: .datagram))
    }

    @Test func drainingIsNoStateHere() {
        #expect(QueuePairState(IBV_QPS_SQD) == nil && QueuePairState(IBV_QPS_SQE) == nil)
        for state in QueuePairState.allCases { #expect(QueuePairState(state.code) == state) }
        #expect(QueuePairService(IBV_QPT_UC) == nil && QueuePairService(IBV_QPT_RC) == .connected)
    }
}
