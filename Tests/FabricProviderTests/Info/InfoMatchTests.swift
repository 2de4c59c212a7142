import CLibfabric
import Testing

@testable import FabricProvider

@Suite struct InfoMatchTests {
    private let now = unic_fi_version(1, 17)

    private func match(_ hints: InfoHints, version: UInt32? = nil) throws(InfoMismatch) -> EndpointProfile {
        try EndpointProfile.reliable.matched(to: hints, apiVersion: version ?? now, fabric: "unic", device: "soft:here")
    }

    private func hints(_ change: (inout InfoHints) -> Void) -> InfoHints {
        var hints = InfoHints(endpoint: .init(), transmit: .init(), receive: .init(), domain: .init())
        change(&hints)
        return hints
    }

    @Test func withoutHintsEverythingIsThere() throws {
        let profile = try match(InfoHints())
        #expect(profile.caps == EndpointProfile.reliable.caps)
        #expect(profile.transmit.caps == EndpointProfile.reliable.transmit.caps)
        #expect(profile.domain == EndpointProfile.reliable.domain)
    }

    /// The limits themselves are accepted, one more is not.
    @Test(
        arguments: [
            ("message", \.endpoint!.maxMessageSize, EndpointProfile.reliable.maxMessageSize),
            ("inject", \.transmit!.injectSize, EndpointProfile.reliable.transmit.injectSize),
            ("transmit size", \.transmit!.size, EndpointProfile.reliable.transmit.size),
            ("transmit vector", \.transmit!.iovLimit, 4), ("memory vector", \.transmit!.rmaIovLimit, 1),
            ("receive size", \.receive!.size, EndpointProfile.reliable.receive.size), ("receive vector", \.receive!.iovLimit, 4),
            ("buffered", \.receive!.totalBufferedRecv, EndpointProfile.reliable.receive.totalBufferedRecv),
            ("completion data", \.domain!.cqDataSize, 8), ("counters", \.domain!.counterCount, 1024),
            ("regions", \.domain!.mrCount, 65_536), ("transmit contexts", \.endpoint!.transmitContexts, 1),
        ] as [(String, any WritableKeyPath<InfoHints, Int> & Sendable, Int)])
    func limitsAreLimits(name: String, field: any WritableKeyPath<InfoHints, Int> & Sendable, limit: Int) throws {
        #expect(throws: Never.self) { try match(hints { $0[keyPath: field] = limit }) }
        #expect(throws: InfoMismatch.self) { try match(hints { $0[keyPath: field] = limit + 1 }) }
    }

    /// What is not there is refused, bit by bit.
    @Test(arguments: 0..<64) func capabilitiesAreThoseOfTheTable(bit: UInt64) {
        let caps: UInt64 = 1 << bit
        let isThere = EndpointProfile.reliable.caps & caps != 0
        let matched = try? match(hints { $0.caps = caps })
        #expect((matched != nil) == isThere)
    }

    @Test func primaryCapabilitiesAreForThoseWhoAsk() throws {
        let tagged = try match(hints { $0.caps = FI_TAGGED })
        #expect(tagged.caps & (FI_MSG | FI_RMA | FI_DIRECTED_RECV) == 0)
        #expect(tagged.caps & (FI_SEND | FI_RECV) == FI_SEND | FI_RECV)
        #expect(tagged.caps & FI_SOURCE != 0)
        let sender = try match(hints { $0.caps = FI_MSG | FI_SEND })
        #expect(sender.caps & FI_RECV == 0)
        let reader = try match(hints { $0.caps = FI_RMA | FI_READ })
        #expect(reader.caps & (FI_WRITE | FI_REMOTE_READ) == 0)
    }

    @Test func whatTheApplicationChoosesIsChosen() throws {
        let profile = try match(
            hints {
                $0.domain?.threading = FI_THREAD_DOMAIN
                $0.domain?.avType = FI_AV_TABLE
                $0.transmit?.opFlags = FI_DELIVERY_COMPLETE
            })
        #expect(profile.domain.threading == FI_THREAD_DOMAIN)
        #expect(profile.domain.avType == FI_AV_TABLE)
        #expect(profile.transmit.opFlags == FI_DELIVERY_COMPLETE)
    }

    @Test func registrationModesOfOldAndNewInterfaces() throws {
        let scalable = Int32(FI_MR_SCALABLE.rawValue), basic = Int32(FI_MR_BASIC.rawValue)
        #expect(try match(InfoHints()).domain.mrMode == 0)
        #expect(try match(hints { $0.domain?.mrMode = Int32(FI_MR_VIRT_ADDR) | Int32(FI_MR_PROV_KEY) }).domain.mrMode == 0)
        #expect(try match(hints { $0.domain?.mrMode = scalable }).domain.mrMode == scalable)
        #expect(try match(InfoHints(), version: unic_fi_version(1, 4)).domain.mrMode == scalable)
        #expect(throws: InfoMismatch.self) { try match(hints { $0.domain?.mrMode = basic }) }
    }

    @Test func othersNamesAreOthers() throws {
        #expect(throws: InfoMismatch.differs("fabric")) { try match(hints { $0.fabricName = "other" }) }
        #expect(throws: InfoMismatch.differs("domain")) { try match(hints { $0.domain?.name = "soft:there" }) }
        #expect(throws: InfoMismatch.differs("endpoint type")) { try match(hints { $0.endpoint?.type = FI_EP_MSG }) }
        #expect(throws: InfoMismatch.differs("address format")) { try match(hints { $0.addressFormat = UInt32(FI_SOCKADDR_IN) }) }
        #expect(try match(hints { $0.domain?.dataProgress = FI_PROGRESS_AUTO }).domain.dataProgress == FI_PROGRESS_AUTO)
        #expect(try match(hints { _ in }).domain.dataProgress == FI_PROGRESS_MANUAL)
    }
}
