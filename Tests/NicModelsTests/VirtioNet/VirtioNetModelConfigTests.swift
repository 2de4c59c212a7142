import DeviceMemory
import NicRegisters
import Testing

@testable import NicModels

/// PCI: identity, capabilities, resets.
@Suite struct VirtioNetModelConfigTests {
    private func word(_ bench: VirtioBench, _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bench.environment.config[offset + $1]) << UInt32(8 * $1) }
    }

    /// The list as a driver walks it: (id, offset).
    private func capabilities(_ bench: VirtioBench) -> [(id: UInt8, at: Int)] {
        var found: [(UInt8, Int)] = []
        var at = Int(bench.environment.config[0x34])
        while at != 0, found.count < 20 {
            found.append((bench.environment.config[at], at))
            at = Int(bench.environment.config[at + 1])
        }
        return found
    }

    @Test func itIsAModernNetworkDevice() throws {
        let bench = try VirtioBench()
        #expect(word(bench, 0) == 0x1041_1af4)
        #expect(word(bench, 8) == 0x0200_0001)
        #expect(word(bench, 0x2c) & 0xffff == 0x1af4 && word(bench, 0x2c) >> 16 >= 0x40)
    }

    @Test func everyStructureLiesInItsBARAndTheyDoNotOverlap() throws {
        let bench = try VirtioBench(options: VirtioNetOptions(pairs: 8))
        var kinds: Set<UInt8> = []
        var taken: [Range<UInt32>] = []
        for (id, at) in capabilities(bench) where id == 9 {
            let kind = bench.environment.config[at + 3]
            #expect(kinds.insert(kind).inserted)
            #expect(bench.environment.config[at + 2] == (kind == 2 || kind == 5 ? 20 : 16))
            if kind == 5 { continue }
            let (offset, length) = (word(bench, at + 8), word(bench, at + 12))
            #expect(offset % 4 == 0 && offset + length <= 0x4000)
            #expect(taken.allSatisfy { !$0.overlaps(offset..<offset + length) })
            taken.append(offset..<offset + length)
            // "cap.length >= queue_notify_off * notify_off_multiplier + 2", for the last queue.
            if kind == 2 { #expect(length >= 16 * word(bench, at + 16) + 2) }
        }
        #expect(kinds == [1, 2, 3, 4, 5])
        #expect(capabilities(bench).map(\.id).filter { $0 != 9 } == [0x11, 0x01, 0x10])
    }

    @Test func thereIsAVectorForEachQueueAndOneForTheConfiguration() throws {
        #expect(VirtioNetModel<CableWire>.functionDescription(VirtioNetOptions(pairs: 8)).msixVectorCount == 18)
        let bench = try VirtioBench()
        #expect(word(bench, 0x40) >> 16 == 3)
        #expect(bench.read(Virtio.Common.queueCount) == 3)
    }

    @Test func theNotificationsPageIsMemoryAndAloneSo() throws {
        let bench = try VirtioBench()
        let areas = bench.environment.memoryAreas(of: 0)
        #expect(areas.map(\.range) == [0x3000..<0x4000])
    }

    /// A window through config space into BAR 0: writes at once, reads when they are asked for.
    @Test func configAccessReadsAndWritesTheBAR() throws {
        let bench = try VirtioBench()
        let at = try #require(capabilities(bench).first { $0.id == 9 && bench.environment.config[$0.at + 3] == 5 }).at
        func look(_ offset: UInt32, _ length: UInt8) {
            bench.writeConfig(at + 4, [0])
            bench.writeConfig(at + 8, (0..<4).map { UInt8(truncatingIfNeeded: offset >> (8 * $0)) })
            bench.writeConfig(at + 12, [length, 0, 0, 0])
        }
        look(20, 1)
        bench.writeConfig(at + 16, [3, 0, 0, 0])
        #expect(bench.status == [.acknowledge, .driver])
        bench.model.configWillBeRead(at: at + 16, byteCount: 4)
        #expect(bench.environment.config[at + 16] == 3)
        look(0x2000, 4)
        bench.model.configWillBeRead(at: at + 16, byteCount: 4)
        #expect(word(bench, at + 16) == 0x0000_0002)
        // Forbidden: another length, an offset that is not aligned or beyond the BAR, another BAR.
        for (offset, length, bar) in [(20, 3, 0), (21, 2, 0), (0x4000, 1, 0), (20, 1, 1), (20, 1, 9)] as [(UInt32, UInt8, UInt8)] {
            look(offset, length)
            bench.writeConfig(at + 4, [bar])
            bench.writeConfig(at + 16, [0, 0, 0, 0])
            #expect(bench.status == [.acknowledge, .driver])
        }
    }

    @Test func aFunctionLevelResetEndsEverything() throws {
        let bench = try VirtioBench.running()
        let at = try #require(capabilities(bench).first { $0.id == 0x10 }).at
        bench.writeConfig(at + 9, [0x80])
        #expect(bench.status.isEmpty)
        #expect(!bench.environment.isBusMaster)
        #expect(!bench.wantsPolling)
    }

    @Test func leavingD3ResetsTheDevice() throws {
        let bench = try VirtioBench.running()
        let at = try #require(capabilities(bench).first { $0.id == 0x01 }).at
        bench.writeConfig(at + 4, [3])
        #expect(!bench.status.isEmpty)
        bench.writeConfig(at + 4, [0])
        #expect(bench.status.isEmpty)
    }

    @Test(arguments: [false, true])
    func withoutBusMasterNothingIsTouchedAndWithItWorkGoesOn(packed: Bool) throws {
        let bench = try VirtioBench(packed: packed)
        bench.setCommand(0x0002)
        try #require(bench.negotiate())
        for index in 0..<3 { bench.setUpQueue(index) }
        bench.writeStatus(15)
        bench.send(frame(byteCount: 60))
        #expect(!bench.step(2))
        #expect(!bench.wantsPolling)
        bench.setCommand(0x0006)
        bench.step()
        #expect(bench.sent().count == 1)
        bench.setCommand(0x0002)
        bench.send(frame(byteCount: 60))
        #expect(!bench.step(2))
        #expect(bench.sent().isEmpty)
    }
}
