import DeviceMemory
import NicRegisters
import Testing

@testable import NicModels

@Suite struct VirtioNetModelMultiqueueTests {
    private static let features = VirtioBench.usual.union([.multiqueue, .rss])
    private static let controlQueue = 8

    private func running(packed: Bool = false) throws -> VirtioBench {
        let options = VirtioNetOptions(pairs: 4, offersPackedRings: packed)
        let bench = try VirtioBench.running(packed: packed, features: Self.features, options: options, queues: Array(0..<9))
        for pair in 0..<4 { bench.giveBuffers(8, first: pair * 8, queue: 2 * pair) }
        return bench
    }

    /// UDP over IPv4, ports chosen.
    private func flow(source: UInt16, destination: UInt16, reversed: Bool = false) -> [UInt8] {
        var bytes = udpFrame()
        let (first, second) = reversed ? (destination, source) : (source, destination)
        if reversed { bytes.replaceSubrange(26..<34, with: Array(bytes[30..<34]) + Array(bytes[26..<30])) }
        bytes.replaceSubrange(34..<38, with: [UInt8(first >> 8), UInt8(first & 0xff), UInt8(second >> 8), UInt8(second & 0xff)])
        return bytes
    }

    /// The pair that a frame arrives at.
    private func pair(of bytes: [UInt8], _ bench: VirtioBench) throws -> Int? {
        try bench.arrive(bytes)
        bench.step()
        let used = (0..<4).map { bench[2 * $0].takeUsed().count }
        return used.reduce(0, +) == 1 ? used.firstIndex(of: 1) : nil
    }

    @Test(arguments: [false, true])
    func afterAResetOnlyTheFirstPairIsUsed(packed: Bool) throws {
        let bench = try running(packed: packed)
        for port in UInt16(1000)..<1006 { #expect(try pair(of: flow(source: port, destination: 7), bench) == 0) }
        bench.send(frame(byteCount: 60), buffer: 40, queue: 3)
        bench.step()
        #expect(bench.sent().isEmpty)
    }

    /// "After the driver transmitted a packet of a flow on transmitqX, the device SHOULD cause incoming packets for that
    /// flow to be steered to receiveqX."
    @Test(arguments: [false, true])
    func whatAPairSendsComesBackToIt(packed: Bool) throws {
        let bench = try running(packed: packed)
        #expect(bench.command(.setQueuePairs, [4, 0], queue: Self.controlQueue) == .ok)
        for pair in [0, 1, 2, 3, 1] {
            bench.send(flow(source: 4000, destination: 9), buffer: 40, queue: 2 * pair + 1)
            bench.step()
            #expect(bench.sent().count == 1)
            #expect(try self.pair(of: flow(source: 4000, destination: 9, reversed: true), bench) == pair)
        }
    }

    @Test func flowsThatNobodySentAreSpread() throws {
        let bench = try running()
        #expect(bench.command(.setQueuePairs, [4, 0], queue: Self.controlQueue) == .ok)
        var seen: Set<Int> = []
        for port in UInt16(0)..<24 {
            let first = try #require(try pair(of: flow(source: 1000 + 7 * port, destination: 5), bench))
            seen.insert(first)
            if seen.count == 4 { break }
        }
        #expect(seen.count == 4)
    }

    @Test(arguments: [0, 5, 0x8000])
    func aNumberOfPairsThatIsNotThereIsRefused(count: UInt16) throws {
        let bench = try running()
        #expect(bench.command(.setQueuePairs, [UInt8(count & 0xff), UInt8(count >> 8)], queue: Self.controlQueue) == .error)
        #expect(bench.command(.setQueuePairs, [4], queue: Self.controlQueue) == .error)
        #expect(try pair(of: flow(source: 1, destination: 2), bench) == 0)
    }

    @Test func withFewerPairsTheOthersAreLeftAlone() throws {
        let bench = try running()
        #expect(bench.command(.setQueuePairs, [4, 0], queue: Self.controlQueue) == .ok)
        #expect(bench.command(.setQueuePairs, [1, 0], queue: Self.controlQueue) == .ok)
        bench.send(frame(byteCount: 60), buffer: 40, queue: 7)
        for port in UInt16(1)..<9 { #expect(try pair(of: flow(source: port, destination: 2), bench) == 0) }
        #expect(bench.sent().isEmpty)
    }

    // MARK: RSS

    private func rss(
        types: UInt32 = 0x3f, table: [UInt16], unclassified: UInt16 = 0, pairs: UInt16 = 4, key: [UInt8] = ToeplitzHash.standardKey
    ) -> [UInt8] {
        func half(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xff), UInt8(value >> 8)] }
        return [UInt8(types & 0xff), 0, 0, 0] + half(UInt16(table.count - 1)) + half(unclassified) + table.flatMap(half) + half(pairs)
            + [UInt8(key.count)] + key
    }

    /// The examples of "Verifying the RSS Hash Calculation": source 66.9.149.187, destination 161.142.100.80.
    @Test func theHashIsTheOneOfMicrosoftsExamples() throws {
        let bench = try running()
        var bytes = flow(source: 2794, destination: 1766)
        bytes.replaceSubrange(26..<34, with: [66, 9, 149, 187, 161, 142, 100, 80])
        // Over addresses 0x323ecfc2's low bits… each entry of the table names one of four pairs.
        for (types, hash) in [(UInt32(1), UInt32(0x323e_8fc2)), (5, 0x51cc_c178)] {
            let table = (0..<128).map { UInt16($0 == Int(hash & 127) ? 3 : 1) }
            #expect(bench.command(.setRSS, rss(types: types, table: table), queue: Self.controlQueue) == .ok)
            #expect(try pair(of: bytes, bench) == 3)
        }
        // TCP's type is not UDP's.
        #expect(bench.command(.setRSS, rss(types: 2, table: [1], unclassified: 2), queue: Self.controlQueue) == .ok)
        #expect(try pair(of: bytes, bench) == 2)
    }

    @Test func framesWithoutAHashGoWhereTheDriverSays() throws {
        let bench = try running()
        #expect(bench.command(.setRSS, rss(table: [1, 1], unclassified: 3), queue: Self.controlQueue) == .ok)
        #expect(try pair(of: frame(), bench) == 3)
        #expect(try pair(of: udpFrame(), bench) == 1)
    }

    @Test func transmitQueuesAreAsManyAsSaid() throws {
        let bench = try running()
        #expect(bench.command(.setRSS, rss(table: [0], pairs: 2), queue: Self.controlQueue) == .ok)
        bench.send(frame(byteCount: 60), buffer: 40, queue: 3)
        bench.send(frame(byteCount: 61), buffer: 41, queue: 5)
        bench.step()
        #expect(bench.sent().count == 1)
    }

    @Test func everyImpossibleConfigurationIsRefused() throws {
        let bench = try running()
        let good = rss(table: [0, 1, 2, 3])
        #expect(bench.command(.setRSS, good, queue: Self.controlQueue) == .ok)
        var bad: [[UInt8]] = (0..<good.count).map { Array(good[..<$0]) }
        bad.append(rss(types: 0x40, table: [0]))
        bad.append(rss(table: [0, 1, 2]))
        bad.append(rss(table: [UInt16](repeating: 0, count: 256)))
        bad.append(rss(table: [4]))
        bad.append(rss(table: [0], unclassified: 4))
        bad.append(rss(table: [0], pairs: 0))
        bad.append(rss(table: [0], pairs: 5))
        bad.append(rss(table: [0], key: [UInt8](repeating: 1, count: 41)))
        for data in bad { #expect(bench.command(.setRSS, data, queue: Self.controlQueue) == .error) }
        // The last good one holds.
        #expect(try pair(of: frame(), bench) == 0)
        #expect(!bench.status.contains(.needsReset))
    }

    @Test func aFrameForAStoppedPairIsDroppedAndOthersGoOn() throws {
        let bench = try running()
        #expect(bench.command(.setRSS, rss(table: [1], unclassified: 0), queue: Self.controlQueue) == .ok)
        bench[2].makeAvailable(head: 999)
        // Eight good buffers stand before the bad one.
        for _ in 0..<9 { try bench.arrive(udpFrame()) }
        bench.step()
        #expect(bench.status.contains(.needsReset))
        #expect(bench[2].takeUsed().count == 8)
        try bench.arrive(udpFrame())
        #expect(try pair(of: frame(), bench) == 0)
        #expect(bench.counters.framesWhileOff >= 1)
    }
}
