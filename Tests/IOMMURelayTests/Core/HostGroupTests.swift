import DeviceMemory
import Testing

@testable import IOMMURelay

/// docs/decisions/0008, a case each.
@Suite struct HostGroupTests {
    let core = IOMMUCore()
    let backs: [FakeBack]
    let mapper = FakeMapper()

    /// Endpoints 1 and 2 of one host group behind a bridge, whose id 9 is an alias of both, with the group's one container.
    init() throws {
        backs = [FakeBack(sharing: mapper), FakeBack(sharing: mapper)]
        for (id, back) in zip(1..., backs) { try core.add(endpoint: UInt32(id), aliases: [9], group: "7", back: back) }
    }

    /// As Linux attaches a group: device by device, each with its alias.
    func move(to domain: UInt32) { for id in [1, 9, 2, 9] as [UInt32] { #expect(core.attach(id, domain) == .ok) } }
    var isThrough: [Bool] { backs.map { $0.path != .blocked } }

    @Test func groupIsAttachedDeviceByDevice() {
        #expect(core.attach(1, 1) == .ok)
        #expect(isThrough == [true, false], "the sibling was never attached")
        #expect(core.attach(9, 1) == .ok && core.attach(2, 1) == .ok && core.attach(9, 1) == .ok)
        #expect(isThrough == [true, true] && core.statistics.domains == 1)
    }

    @Test func groupMovesAsOneAndIsBlockedMeanwhile() throws {
        move(to: 1)
        core.map(1, 0, 0xfff, to: 0x1000)
        #expect(core.attach(1, 2) == .ok)
        #expect(isThrough == [false, false] && mapper.pieces.isEmpty && core.state(2) == .moving)
        core.map(2, 0, 0xfff, to: 0x2000)
        core.map(1, 0x5000, 0x5fff)
        #expect(mapper.pieces.isEmpty && core.statistics.domains == 2)
        #expect(core.attach(9, 2) == .ok && isThrough == [false, false])
        #expect(core.attach(2, 2) == .ok && isThrough == [true, true])
        #expect(mapper.pieces == [mapping(0, 0xfff, to: 0x2000)] && core.statistics.domains == 1 && mapper.complaints.isEmpty)
    }

    @Test func moveCanBeTakenBack() throws {
        move(to: 1)
        core.map(1, 0, 0xfff, to: 0x1000)
        core.attach(1, 2)
        core.attach(9, 2)
        #expect(core.attach(1, 1) == .ok && isThrough == [false, false])
        #expect(core.attach(9, 1) == .ok && isThrough == [true, true])
        #expect(mapper.pieces == [mapping(0, 0xfff, to: 0x1000)] && core.statistics.domains == 1)
    }

    @Test func thirdDomainDuringAMoveIsRefused() {
        move(to: 1)
        core.attach(1, 2)
        #expect(core.attach(2, 3) == .unsupported && core.attach(1, 3) == .unsupported)
        #expect(core.statistics.domains == 2 && core.lastRefusals.last?.reason.contains("move between 1 and 2") == true)
        #expect(core.attach(9, 2) == .ok && core.attach(2, 2) == .ok && isThrough == [true, true])
    }

    @Test func siblingsThatWereNeverTogetherAreNotSplit() {
        core.attach(1, 2)
        #expect(core.attach(2, 3) == .unsupported)
        #expect(isThrough == [true, false] && core.statistics.domains == 1)
        #expect(core.lastRefusals.last?.reason.contains("same host group 7") == true)
        #expect(core.attach(9, 3, flags: 1) == .unsupported, "bypass is another domain too")
        // Alone it may go wherever it wants.
        #expect(core.attach(1, 3) == .ok && isThrough == [true, false] && core.statistics.domains == 1)
        #expect(core.attach(2, 3) == .ok && isThrough == [true, true])
    }

    @Test func detachedSiblingIsBlockedAndTheOthersGoOn() {
        move(to: 1)
        #expect(core.detach(1, 1) == .ok && core.detach(9, 1) == .ok)
        #expect(isThrough == [false, true])
        #expect(core.attach(1, 2) == .unsupported && core.attach(1, 1) == .ok && isThrough == [true, true])
    }

    @Test func detachEndsAMoveToo() {
        move(to: 1)
        core.attach(1, 2)
        core.attach(9, 2)
        #expect(core.detach(2, 1) == .ok)
        #expect(isThrough == [true, false] && core.statistics.domains == 1 && core.state(1) == .attached(domain: 2))
    }

    @Test func unattachedSiblingDoesNotBypass() {
        core.bypassesUnattached = true
        #expect(backs.map(\.path) == [.bypass, .bypass])
        core.attach(1, 1)
        #expect(backs[1].path == .blocked)
        core.detach(1, 1)
        #expect(backs.map(\.path) == [.bypass, .bypass])
    }

    @Test func failedLastStepLeavesTheWayBack() throws {
        move(to: 1)
        core.map(1, 0, 0xfff, to: 0x1000)
        core.attach(1, 2)
        core.attach(9, 2)
        core.map(2, 0, 0xfff, to: 0x2000)
        mapper.failure = { _ in .noMemory("full") }
        #expect(core.attach(2, 2) == .noMemory && isThrough == [false, false] && mapper.pieces.isEmpty)
        mapper.failure = nil
        #expect(core.attach(1, 1) == .ok && core.attach(9, 1) == .ok)
        #expect(isThrough == [true, true] && mapper.pieces == [mapping(0, 0xfff, to: 0x1000)])
    }

    @Test func groupMovesBetweenTranslationAndBypass() {
        core.bypassesUnattached = true
        for (domain, flags) in [(1, 0), (2, 1), (3, 0), (2, 1)] as [(UInt32, UInt32)] {
            for id in [1, 9, 2, 9] as [UInt32] { #expect(core.attach(id, domain, flags: flags) == .ok) }
            #expect(backs.allSatisfy { ($0.path == .bypass) == (flags == 1) } && isThrough == [true, true])
        }
        #expect(core.statistics.domains == 1)
    }
}
