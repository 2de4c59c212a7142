import DeviceMemory
import Devices
import LinuxIO
import SystemPackage
import Testing

@testable import NicDriver

@Suite struct PublishedPortTests {
    private func openPair(_ name: String, publishes: Bool = true) throws -> (any Port, any Port) {
        var options = PortOptions()
        options.memory = .ordinaryPages
        options.publishesStatistics = publishes
        let url = "soft:published-\(processIdentifier)-\(name)"
        let (one, other) = (try Devices.access(url), try Devices.access(url))
        return (try Devices.openPort(on: one, options: options), try Devices.openPort(on: other, options: options))
    }

    private func published(_ port: any Port) -> PublishedPort? {
        PublishedPort.all().first { $0.processIdentifier == Int(processIdentifier) && $0.macAddress == port.macAddress }
    }

    private func send(_ count: Int, from port: any Port) throws {
        var batch = port.makeBatch(capacity: count)
        for _ in 0..<count {
            guard var packet = port.makePacket() else { throw SystemCallError(call: "makePacket", subject: port.url, errno: .noMemory) }
            packet.byteCount = 100
            packet.window.fill(0xff)
            _ = batch.append(packet)
        }
        #expect(port.send(&batch) == count)
    }

    @Test func aRunningPortShowsWhatItCounts() throws {
        let (left, right) = try openPair("counts")
        try send(5, from: left)
        var batch = right.makeBatch(capacity: 32)
        #expect(right.receive(into: &batch) == 5)
        #expect(right.receive(into: &batch) == 0)
        let seen = try #require(published(right))
        #expect(seen.url == right.url && seen.family == "e1000e")
        #expect(seen.queuePairs.count == 1)
        #expect(seen.receiveRingSize == 512 && seen.transmitRingSize == 512)
        #expect(seen.counters.receivedFrames == 5 && seen.counters.receivedBytes == 500)
        #expect(seen.counters.pollHits == 1 && seen.counters.pollMisses == 1)
        #expect(seen.queuePairs[0].lastBatch == 5)
        #expect(seen.deviceCounters == nil && seen.linkIsUp == nil)
        let sender = try #require(published(left))
        #expect(sender.counters.sentFrames == 5 && sender.queuePairs[0].inFlight == 5)

        right.publishStatistics()
        let later = try #require(published(right))
        #expect(later.deviceCounters?.receivedFrames == 5)
        #expect(later.linkIsUp == true)
        // Five of 512 descriptors were used, and given back to the device by the receive that found them.
        #expect(later.registers.contains(DeviceRegister("RDH[0]", 5)), "\(later.registers)")
        #expect(later.registers.contains(DeviceRegister("RDT[0]", 4)), "\(later.registers)")
        #expect(later.registers.first { $0.name == "STATUS" }.map { $0.value & 2 } == 2, "link up: \(later.registers)")
        batch.removeAll()
    }

    @Test func aPortThatDoesNotPublishIsUnseenAndOneThatWentIsGone() throws {
        let (quiet, _) = try openPair("quiet", publishes: false)
        #expect(published(quiet) == nil)
        let mac = try { () throws -> MACAddress in
            let (loud, _) = try openPair("loud")
            #expect(published(loud) != nil)
            return loud.macAddress
        }()
        #expect(!PublishedPort.all().contains { $0.macAddress == mac })
    }

    @Test func aPageWhoseProcessIsGoneIsRemoved() throws {
        let directory = try PrivateDirectory(path: PortStatistics.directory)
        let name = "port-1-stale-\(processIdentifier)"
        do {
            let file = try directory.openFile(name)
            try file.resize(to: StatisticsLayout.pageByteCount, subject: name)
        }
        #expect(PublishedPort.read("\(PortStatistics.directory)/\(name)") == nil)
        #expect(try !directoryEntryNames(PortStatistics.directory).contains(name))
    }

    @Test func aPageThatLiesIsNoPort() throws {
        var page = [UInt8](repeating: 0, count: StatisticsLayout.pageByteCount)
        func put(_ value: UInt64, at offset: Int) {
            for byte in 0..<8 { page[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
        }
        #expect(PublishedPort(page: page) == nil)
        put(StatisticsLayout.magic, at: StatisticsLayout.magicOffset)
        put(StatisticsLayout.version, at: StatisticsLayout.versionOffset)
        for count in [0, 9, .max] as [UInt64] {
            put(count, at: StatisticsLayout.queuePairCountOffset)
            #expect(PublishedPort(page: page) == nil)
        }
        put(8, at: StatisticsLayout.queuePairCountOffset)
        put(.max, at: StatisticsLayout.processOffset)
        page.replaceSubrange(StatisticsLayout.url, with: [UInt8](repeating: 0xff, count: StatisticsLayout.url.count))
        put(.max, at: StatisticsLayout.registerCountOffset)
        #expect(PublishedPort(page: page)?.queuePairs.count == 8)
        #expect(PublishedPort(page: page)?.registers.count == StatisticsLayout.registerLimit)
        #expect(PublishedPort(page: Array(page.dropLast())) == nil)
    }

    @Test func aLongURLIsCutAtACharacter() throws {
        var options = PortOptions()
        options.publishesStatistics = true
        let url = "vfio-user:/" + String(repeating: "é", count: 300)
        let mac = MACAddress(bits: 0x02_00_00_ab_cd_ef)
        let statistics = try PortStatistics(url: url, family: "e1000e", macAddress: mac, options: options)
        let seen = try #require(PublishedPort.all().first { $0.macAddress == mac })
        #expect(url.hasPrefix(seen.url) && seen.url.utf8.count == 351)
        _ = statistics
    }
}
