import NicRegisters
import Testing

@Suite struct VirtioFieldsTests {
    private static let tables: [(rows: [VirtioFieldRow], start: Int, end: Int)] = [
        (Virtio.Common.rows, 0, Virtio.Common.fullByteCount), (VirtioNet.Config.rows, 6, VirtioNet.Config.byteCount),
        (VirtioNet.RSSConfig.rows, 0, VirtioNet.RSSConfig.table),
    ]

    /// Each structure is packed: a field begins where the one before ends.
    @Test(arguments: 0..<3)
    func fieldsFollowEachOtherWithoutGapOrOverlap(index: Int) {
        let table = Self.tables[index]
        var at = table.start
        for row in table.rows {
            #expect(row.offset == at, "\(row.name)")
            #expect(row.offset.isMultiple(of: min(row.byteCount, 4)), "\(row.name)")
            at += row.byteCount
        }
        #expect(at == table.end)
        #expect(Set(table.rows.map(\.name)).count == table.rows.count)
    }

    /// Written by hand from linux/virtio_pci.h, VIRTIO_PCI_COMMON_*.
    @Test(arguments: [
        ("device_feature_select", 0, "RW"), ("device_feature", 4, "RO"), ("driver_feature", 12, "RW"), ("config_msix_vector", 16, "RW"),
        ("num_queues", 18, "RO"), ("device_status", 20, "RW"), ("config_generation", 21, "RO"), ("queue_select", 22, "RW"),
        ("queue_notify_off", 30, "RO"), ("queue_desc", 32, "RW"), ("queue_driver", 40, "RW"), ("queue_device", 48, "RW"),
        ("queue_notify_data", 56, "RO"), ("queue_reset", 58, "RW"),
    ])
    func offsetsAreThePublicHeaders(name: String, offset: Int, mode: String) throws {
        let row = try #require(Virtio.Common.rows.first { $0.name == name })
        #expect(row.offset == offset)
        #expect(row.mode == mode)
    }

    @Test func aFieldIsAccessedWithItsWidthAndA64BitOneInTwoHalves() {
        let window = Recorder()
        window.write(VirtioStatus([.acknowledge, .driver]), to: Virtio.Common.deviceStatus)
        window.write(0x1234, to: Virtio.Common.queueSize)
        window.write(0x1122_3344_5566_7788, to: Virtio.Common.queueDriver)
        #expect(window.accesses == ["w8 20 3", "w16 24 1234", "w32 40 55667788", "w32 44 11223344"])
        window.accesses = []
        #expect(window.read(Virtio.Common.queueDriver) == 0x1122_3344_5566_7788)
        #expect(window.read(Virtio.Common.deviceStatus) == [.acknowledge, .driver])
        #expect(window.read(Virtio.Common.queueSize) == 0x1234)
        #expect(window.accesses == ["r32 40", "r32 44", "r8 20", "r16 24"])
    }

    @Test func fieldsEndWhereTheStructureHasToReach() {
        #expect(Virtio.Common.queueDevice.end == Virtio.Common.byteCount)
        #expect(VirtioNet.Config.status.end == 8)
    }

    @Test func statusBitsAreDisjointAndThePublicHeaders() {
        var seen: UInt8 = 0
        for (name, flag) in VirtioStatus.namedFlags {
            #expect(flag.rawValue.nonzeroBitCount == 1 && seen & flag.rawValue == 0, "\(name)")
            seen |= flag.rawValue
        }
        #expect(seen == 0xcf)
        #expect(VirtioStatus.driverOK.rawValue == 4 && VirtioStatus.featuresOK.rawValue == 8)
    }
}

private final class Recorder: VirtioFieldWindow {
    var accesses: [String] = []
    private var bytes = [UInt8](repeating: 0, count: 64)

    private func load(_ at: Int, _ count: Int) -> UInt64 {
        accesses.append("r\(count * 8) \(at)")
        return (0..<count).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
    }
    private func store(_ value: UInt64, _ at: Int, _ count: Int) {
        accesses.append("w\(count * 8) \(at) \(String(value, radix: 16))")
        for index in 0..<count { bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }
    func load8(at offset: Int) -> UInt8 { UInt8(load(offset, 1)) }
    func load16(at offset: Int) -> UInt16 { UInt16(load(offset, 2)) }
    func load32(at offset: Int) -> UInt32 { UInt32(load(offset, 4)) }
    func store8(_ value: UInt8, at offset: Int) { store(UInt64(value), offset, 1) }
    func store16(_ value: UInt16, at offset: Int) { store(UInt64(value), offset, 2) }
    func store32(_ value: UInt32, at offset: Int) { store(UInt64(value), offset, 4) }
}
