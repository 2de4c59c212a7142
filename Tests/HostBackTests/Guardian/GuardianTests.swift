import LinuxIO
import Synchronization
import SystemPackage
import Testing

@testable import HostBack

/// A guardian at its socket, from a relay's messages to what it did to the host.
struct GuardianTests {
    /// What a relay sends, and whether a descriptor goes with it.
    private struct Sent {
        var bytes: [UInt8]
        var hasDescriptor: Bool
        init(_ message: GuardianMessage) { (bytes, hasDescriptor) = (message.bytes, message.carriesDescriptor) }
        init(_ bytes: [UInt8], descriptor: Bool = false) { (self.bytes, hasDescriptor) = (bytes, descriptor) }
    }

    private struct Outcome {
        var ending: Guardian.Ending
        var steps: [String]
        var log: [String]
    }

    /// Sends all of it, closes the relay's end, and lets the guardian run.
    private func guardian(_ sent: [Sent], _ host: ScriptedGuarded = ScriptedGuarded()) throws -> Outcome {
        let file = try MemoryFile.create(name: "a device", byteCount: 4096)
        var log: [String] = []
        let ending = try UnixSocketPair().split { (relay: consuming UnixSocket, link: consuming UnixSocket) throws -> Guardian.Ending in
            for one in sent {
                let count = try relay.send(one.bytes, descriptors: one.hasDescriptor ? [file.number] : [])
                #expect(count == one.bytes.count)
            }
            relay.shutDown()
            var guardian = Guardian(link, host: host) { log.append($0) }
            return guardian.run()
        }
        return Outcome(ending: ending, steps: host.steps, log: log)
    }

    private let all: [GuardianMessage] = [
        .iommufd, .device(configOffset: 7, name: "a"), .device(configOffset: 8, name: "b"), .container(name: "group 1"), .spaceMade(5),
        .spaceMade(3), .spaceMade(4), .spaceGone(4),
    ]
    private let busAndMemory = [
        "a@7 master", "b@8 master", "group 1 unmap", "space 3 unmap", "space 5 unmap",
    ]

    @Test func relayThatIsGoneLeavesEverythingQuietInThisOrder() throws {
        let outcome = try guardian(all.map { Sent($0) })
        #expect(outcome.ending == .quiet)
        #expect(outcome.steps == busAndMemory + ["a@7 reset", "b@8 reset"])
        #expect(outcome.log.count == 1 + outcome.steps.count && outcome.log[0].contains("gone without a goodbye"), "\(outcome.log)")
        #expect(outcome.log.contains { $0.hasPrefix("IOAS 5: unmapped 8192 bytes, ") }, "\(outcome.log)")
    }

    @Test func relayThatSaysGoodbyeHasResetItsDevicesAndIsNoNews() throws {
        let outcome = try guardian((all + [.goodbye]).map { Sent($0) })
        #expect(outcome.ending == .quiet && outcome.steps == busAndMemory && outcome.log.isEmpty, "\(outcome)")
    }

    @Test func nothingIsSaidOfNothing() throws {
        let outcome = try guardian([])
        #expect(outcome.ending == .quiet && outcome.steps.isEmpty && outcome.log.isEmpty)
    }

    @Test func oneStepThatFailsKeepsNoOtherFromBeingTried() throws {
        let host = ScriptedGuarded(failures: ["a@7 master": .ioError, "group 1 unmap": .invalidArgument, "b@8 reset": .resourceBusy])
        let outcome = try guardian(all.map { Sent($0) }, host)
        #expect(outcome.ending == .failed && outcome.steps == busAndMemory + ["a@7 reset", "b@8 reset"])
        #expect(outcome.log[0].hasSuffix("NOT all quiet") && outcome.log.count { $0.contains("FAILED") } == 3, "\(outcome.log)")
    }

    @Test func noResetAndAnEmptySpaceAreNoFailures() throws {
        let host = ScriptedGuarded(failures: ["a@7 reset": .invalidArgument, "space 3 unmap": .noSuchFileOrDirectory])
        let outcome = try guardian(all.map { Sent($0) }, host)
        #expect(outcome.ending == .quiet, "\(outcome.log)")
        #expect(outcome.log.contains { $0.hasPrefix("a@7: has no reset of its own") }, "\(outcome.log)")
    }

    @Test(
        arguments: [
            (Array(GuardianMessage.spaceMade(1).bytes.prefix(12)), false, Guardian.Ending.quiet, "gone without a goodbye"),
            ([UInt8](repeating: 0xff, count: 32), false, .misunderstood, "unknown kind 4294967295"),
            (GuardianMessage.device(configOffset: 0, name: "c").bytes, false, .misunderstood, "without its descriptor"),
            (GuardianMessage.spaceMade(9).bytes, true, .misunderstood, "belongs to no message"),
            (GuardianMessage.goodbye.bytes, true, .misunderstood, "belongs to no message"),
            (GuardianMessage.deathNotice.bytes, false, .misunderstood, "without its descriptor"),
            (GuardianMessage.iommufd.bytes, true, .misunderstood, "second context"),
        ] as [([UInt8], Bool, Guardian.Ending, String)])
    func whatIsNotUnderstoodQuietsWhatIsThere(bytes: [UInt8], descriptor: Bool, ending: Guardian.Ending, reason: String) throws {
        let outcome = try guardian(all.map { Sent($0) } + [Sent(bytes, descriptor: descriptor)])
        #expect(outcome.ending == ending && outcome.log.first?.contains(reason) == true, "\(outcome.log)")
        #expect(outcome.steps == busAndMemory + ["a@7 reset", "b@8 reset"])
    }

    @Test func spaceWithoutAContextIsRefused() throws {
        let outcome = try guardian([Sent(.spaceMade(1))])
        #expect(outcome.ending == .misunderstood)
    }

    /// A byte a message would be more than a socket holds.
    @Test(arguments: [3, 5, 31]) func messagesMayArriveInPieces(byteCount: Int) throws {
        var sent: [Sent] = []
        for message in all + [.goodbye] {
            for start in stride(from: 0, to: GuardianMessage.byteCount, by: byteCount) {
                let piece = message.bytes[start..<min(start + byteCount, GuardianMessage.byteCount)]
                sent.append(Sent(Array(piece), descriptor: message.carriesDescriptor && start == 0))
            }
        }
        let outcome = try guardian(sent)
        #expect(outcome.ending == .quiet && outcome.steps == busAndMemory, "\(outcome)")
    }

    /// A file that ends before the lock that it should have.
    @Test func deathNoticeThatIsNoneIsRefused() throws {
        var log: [String] = []
        let short = try MemoryFile.create(name: "short", byteCount: 8)
        let ending = try UnixSocketPair().split { (relay: consuming UnixSocket, link: consuming UnixSocket) throws -> Guardian.Ending in
            _ = try relay.send(GuardianMessage.container(name: "group 1").bytes, descriptors: [short.number])
            _ = try relay.send(GuardianMessage.deathNotice.bytes, descriptors: [short.number])
            var guardian = Guardian(link, host: ScriptedGuarded()) { log.append($0) }
            return guardian.run()
        }
        #expect(ending == .misunderstood && log.first?.contains("a death notice that is none") == true, "\(log)")
    }

    @Test func spacesHaveALimit() throws {
        var things = GuardedThings(ScriptedGuarded())
        let file = ReceivedDescriptor(try MemoryFile.create(name: "a context", byteCount: 4096))
        try things.take(.iommufd, file)
        for id in 0..<UInt32(GuardedThings.limit) { try things.take(.spaceMade(id), nil) }
        #expect(throws: GuardianError.tooMany) { try things.take(.spaceMade(.max), nil) }
        try things.take(.spaceGone(0), nil)
        try things.take(.spaceMade(.max), nil)
    }
}
