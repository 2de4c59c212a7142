import DeviceMemory
import DeviceModel
import Glibc
import NicModels
import NicRegisters
import Testing

@testable import IOMMURelay

/// A guest whose memory is a pattern, its IOMMU, and two NIC models behind it, each in a domain of its own.
final class WildGuest {
    static let pageCount = 32
    static let pageByteCount = 4096
    /// Where its memory is, by its own addresses: both guests' is at the same place.
    static let base: UInt64 = 0x10_0000

    let core = IOMMUCore()
    let memory: DMAMemory
    /// What the memory should hold.
    private let expected: DMAMemory
    private(set) var devices: [WildDevice] = []

    /// - Parameter cables: an end for each device.
    init(pattern: UInt64, cables: [CableWire]) throws {
        memory = try DMAMemory.ordinary(byteCount: Self.pageCount * Self.pageByteCount)
        expected = try DMAMemory.ordinary(byteCount: memory.byteCount)
        for offset in stride(from: 0, to: memory.byteCount, by: 8) {
            memory.window.store64(pattern &* UInt64(offset + 1), at: offset)
        }
        memory.window.copy(at: 0, byteCount: memory.byteCount, to: expected.window, at: 0)
        for (index, cable) in cables.enumerated() { devices.append(try WildDevice(id: UInt32(index + 1), guest: self, cable)) }
    }

    /// A million pages are compared, word by word half a minute of a debug build.
    private func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        // SAFETY: two arrays of the same length.
        unsafe one.count == other.count && memcmp(one, other, one.count) == 0
    }

    /// Pages that hold something else than they should. Those that may have changed are taken as they are.
    func check(mayChange pages: Set<Int>) -> (wrong: [Int], changed: Int) {
        var wrong: [Int] = []
        var changed = 0
        let (now, before) = (memory.window, expected.window)
        for page in 0..<Self.pageCount {
            let start = page * Self.pageByteCount
            guard !isSame(now.bytes(at: start, byteCount: Self.pageByteCount), before.bytes(at: start, byteCount: Self.pageByteCount))
            else { continue }
            if pages.contains(page) { changed += 1 } else { wrong.append(page) }
            now.copy(at: start, byteCount: Self.pageByteCount, to: before, at: start)
        }
        return (wrong, changed)
    }
}

/// A model whose driver means harm.
final class WildDevice {
    let id: UInt32
    private let core: IOMMUCore
    private let memory: MemoryWindow
    private let environment: DeviceEnvironment
    private var model: E1000EModel<CableWire>
    /// What its guest mapped for it, by IOVA: a page of guest memory, and whether it may be written.
    private(set) var mappings: [UInt64: (page: Int, writable: Bool)] = [:]
    private(set) var isAttached = false

    init(id: UInt32, guest: WildGuest, _ cable: CableWire) throws {
        self.id = id
        core = guest.core
        memory = guest.memory.window
        environment = try DeviceEnvironment(for: E1000EModel<CableWire>.functionDescription)
        model = try E1000EModel(wire: cable, macAddress: 0x0200_0000_0000 | UInt64(id), environment: environment)
        let all = DMASpace()
        let range = try #require(IOVARange(start: IOVA(WildGuest.base), byteCount: UInt64(memory.byteCount)))
        try all.map(range, to: memory, access: .readWrite)
        let back = ModelBack(endpoint: id, space: environment.dma, guest: all, source: core)
        let core = core
        back.faulted = { [weak core] in core?.report($0) }
        try core.add(endpoint: id, group: "\(id)", back: back)
        environment.writeConfig(at: 4, bytes: [6, 0])
        model.configWritten(at: 4, byteCount: 2)
    }

    // MARK: What the guest's IOMMU driver does

    func attach() {
        guard !isAttached else { return }
        #expect(core.attach(id, id) == .ok)
        isAttached = true
    }

    /// The domain goes with its only endpoint.
    func detach() {
        guard isAttached else { return }
        #expect(core.detach(id, id) == .ok)
        isAttached = false
        mappings = [:]
    }

    func map(_ iova: UInt64, to page: Int, writable: Bool) {
        guard isAttached, mappings[iova] == nil else { return }
        let physical = WildGuest.base + UInt64(page * WildGuest.pageByteCount)
        #expect(core.map(id, iova, iova + 4095, to: physical, flags: writable ? 3 : 1) == .ok)
        mappings[iova] = (page, writable)
    }

    func unmap(_ iova: UInt64) {
        guard mappings.removeValue(forKey: iova) != nil else { return }
        #expect(core.unmap(id, iova, iova + 4095) == .ok)
    }

    var writablePages: Set<Int> { Set(mappings.values.filter(\.writable).map(\.page)) }

    // MARK: What the NIC's driver does

    /// Fills a page of guest memory with descriptors whose every address is one of `addresses`, or near.
    func fillWithDescriptors(page: Int, _ addresses: [UInt64], _ random: inout SplitMix) {
        for offset in stride(from: page * WildGuest.pageByteCount, to: (page + 1) * WildGuest.pageByteCount, by: 16) {
            let near = random.next() & 0xf == 0 ? random.next() & 0x1fff : 0
            memory.store64((addresses.randomElement(using: &random) ?? 0) &+ near, at: offset)
            // Lengths of a frame with its commands, now and then any bits: contexts, extended descriptors, segmentation.
            let plain = (random.next() & 0x3ff) | 0x0b00_0000
            memory.store64(random.next() & 3 == 0 ? random.next() : plain, at: offset + 8)
        }
    }

    /// Rings at wild places, all of their descriptors given to the device.
    func startRings(receive: UInt64, transmit: UInt64, count: UInt32) {
        let last = count - 1
        let values: [(Int, UInt32)] = [
            (E1000E.rdbal[0].offset, UInt32(truncatingIfNeeded: receive)), (E1000E.rdbah[0].offset, UInt32(receive >> 32)),
            (E1000E.rdlen[0].offset, count * 16), (E1000E.rdh[0].offset, 0), (E1000E.rdt[0].offset, last),
            (E1000E.tdbal[0].offset, UInt32(truncatingIfNeeded: transmit)), (E1000E.tdbah[0].offset, UInt32(transmit >> 32)),
            (E1000E.tdlen[0].offset, count * 16), (E1000E.tdh[0].offset, 0), (E1000E.tdt[0].offset, last),
            (E1000E.rctl.offset, E1000E.ReceiveControl([.enable, .unicastPromiscuous, .multicastPromiscuous, .broadcastAccept]).rawValue),
            (E1000E.tctl.offset, E1000E.TransmitControl([.enable, .padShortPackets]).rawValue),
        ]
        for (offset, value) in values { model.writeRegion(0, at: UInt64(offset), UInt64(value), byteCount: 4) }
    }

    func step() { _ = model.progress() }

    var counters: E1000ECounters { model.counters }
}
