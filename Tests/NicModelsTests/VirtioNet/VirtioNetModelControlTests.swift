import DeviceMemory
import NicRegisters
import Testing

@testable import NicModels

@Suite struct VirtioNetModelControlTests {
    private static let filtering = VirtioBench.usual.union([.controlReceive, .controlReceiveExtra, .controlMACAddress])
    private static let foreign: UInt64 = 0x0200_0000_0099
    private static let group: UInt64 = 0x0100_5e00_0001

    /// Which of own, foreign, broadcast and group frames pass.
    private func passing(_ bench: VirtioBench) throws -> [Bool] {
        try [VirtioBench.address, Self.foreign, 0xffff_ffff_ffff, Self.group].map { address in
            bench.giveBuffers(1)
            try bench.arrive(frame(to: address))
            bench.step()
            let hasPassed = !bench.receive.takeUsed().isEmpty
            // A buffer that was not used is still there: take it with a frame that passes.
            if !hasPassed {
                #expect(bench.command(.promiscuous, [1]) == .ok)
                try bench.arrive(frame())
                bench.step()
                _ = bench.receive.takeUsed()
                #expect(bench.command(.promiscuous, [0]) == .ok)
            }
            return hasPassed
        }
    }

    @Test(arguments: [false, true])
    func modesChangeWhatPasses(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed, features: Self.filtering)
        #expect(try passing(bench) == [true, false, true, false])
        #expect(bench.command(.allMulticast, [1]) == .ok)
        #expect(try passing(bench) == [true, false, true, true])
        #expect(bench.command(.noMulticast, [1]) == .ok)
        #expect(try passing(bench) == [true, false, true, false])
        #expect(bench.command(.allUnicast, [1]) == .ok)
        #expect(try passing(bench) == [true, true, true, false])
        #expect(bench.command(.noUnicast, [1]) == .ok)
        #expect(try passing(bench) == [false, false, true, false])
        #expect(bench.command(.noBroadcast, [1]) == .ok)
        #expect(try passing(bench) == [false, false, false, false])
        #expect(bench.command(.noUnicast, [0]) == .ok)
        #expect(try passing(bench) == [true, true, false, false])
    }

    @Test func promiscuousModeComesBeforeAllOthers() throws {
        let bench = try VirtioBench.running(features: Self.filtering)
        for command in [VirtioNet.Command.noUnicast, .noMulticast, .noBroadcast, .promiscuous] {
            #expect(bench.command(command, [1]) == .ok)
        }
        bench.giveBuffers(8)
        for address in [VirtioBench.address, Self.foreign, 0xffff_ffff_ffff, Self.group] { try bench.arrive(frame(to: address)) }
        bench.step()
        #expect(bench.receive.takeUsed().count == 4)
    }

    private func table(_ unicast: [UInt64], _ multicast: [UInt64]) -> [UInt8] {
        [unicast, multicast].flatMap { list in
            [UInt8(list.count & 0xff), UInt8(list.count >> 8), 0, 0] + list.flatMap(addressBytes)
        }
    }

    @Test func theAddressTableLetsItsEntriesPass() throws {
        let bench = try VirtioBench.running(features: Self.filtering)
        #expect(bench.command(.setMACTable, table([Self.foreign], [Self.group])) == .ok)
        #expect(try passing(bench) == [true, true, true, true])
        #expect(bench.command(.setMACTable, table([], [])) == .ok)
        #expect(try passing(bench) == [true, false, true, false])
    }

    @Test(arguments: [65, 1300, 5000])
    func aTableThatIsTooLongLetsAllOfItsKindPass(count: Int) throws {
        let bench = try VirtioBench.running(features: Self.filtering)
        #expect(bench.command(.setMACTable, table((0..<count).map { 0x0200_1000_0000 + UInt64($0) }, [])) == .ok)
        let passed = try passing(bench)
        #expect(passed[1])
        // Only what could not be read whole opens the other kind, too.
        #expect(passed[3] == (count > 2700))
    }

    @Test(
        arguments: [
            [], [1, 0, 0, 0], [1, 0, 0, 0, 2, 0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0], [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
            [0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f],
        ] as [[UInt8]])
    func aTableWhoseCountsLieIsRefused(data: [UInt8]) throws {
        let bench = try VirtioBench.running(features: Self.filtering)
        #expect(bench.command(.setMACTable, data) == .error)
        #expect(try passing(bench) == [true, false, true, false])
        #expect(!bench.status.contains(.needsReset))
    }

    @Test func theAddressChangesAndComesBackWithAReset() throws {
        let bench = try VirtioBench.running(features: Self.filtering)
        #expect(bench.command(.setMACAddress, addressBytes(Self.foreign)) == .ok)
        #expect(try passing(bench) == [false, true, true, false])
        #expect(bench.bar(0x2005, 1) == 0x99)
        for refused in [addressBytes(Self.group), addressBytes(0), [2, 0, 0, 0, 0]] {
            #expect(bench.command(.setMACAddress, refused) == .error)
        }
        bench.writeStatus(0)
        #expect(bench.bar(0x2005, 1) == 0x01)
    }

    @Test(arguments: [
        VirtioNet.Command.promiscuous, .allMulticast, .allUnicast, .setMACTable, .setMACAddress, .addVLAN, .acknowledgeAnnouncement,
        .setQueuePairs, .setRSS, .setHash, .setGuestOffloads, .init(class: 77, 3),
    ])
    func whatWasNotNegotiatedIsRefused(command: VirtioNet.Command) throws {
        let bench = try VirtioBench.running()
        #expect(bench.command(command, [UInt8](repeating: 0, count: 64)) == .error)
        #expect(bench.counters.commandsRefused == 1)
    }

    @Test(arguments: [VirtioNet.Command.promiscuous, .allMulticast, .setMACAddress])
    func aCommandWithoutItsDataIsRefused(command: VirtioNet.Command) throws {
        let bench = try VirtioBench.running(features: Self.filtering)
        #expect(bench.command(command, []) == .error)
    }

    @Test(arguments: [false, true])
    func aCommandMayLieInAnyPiecesOrInATable(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed, features: Self.filtering.union(.indirectDescriptors))
        let at = bench.buffer(60)
        bench.memory.window.store([0, 0, 1], at: at)
        let pieces: [Piece] = [.init(at, 1), .init(at + 1, 1), .init(at + 2, 1), .init(at + 100, 1, isWritable: true)]
        for table in [nil, bench.buffer(61)] {
            bench.memory.window.store8(0xff, at: at + 100)
            bench.control.add(pieces, table: table)
            bench.step()
            #expect(bench.memory.window.load8(at: at + 100) == 0)
            #expect(bench.control.takeUsed().map(\.length) == [1])
        }
        #expect(bench.counters.commands == 2)
    }
}
