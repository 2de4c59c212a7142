import DeviceMemory
import NicModels
import Testing

@testable import IOMMURelay

/// Two guests with two devices each, all with wild descriptors: nothing outside of a device's own domain changes, in its own
/// guest's memory or in the other's.
@Suite struct IsolationTests {
    /// Frames cross the guests: what one guest's device reads, the other guest's writes.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func wildDescriptorsStayInTheirDomain(seed: UInt64) throws {
        var fight = try Fight(seed: seed)
        for round in 0..<1000 {
            let wrong = fight.round()
            guard wrong.isEmpty else {
                Issue.record("seed \(seed), round \(round): \(wrong.joined(separator: "; "))")
                return
            }
        }
        // That it was not quiet: of each device, refused and permitted accesses, while attached and while not.
        let told = "seed \(seed): \(fight.permittedChanges) pages changed where they may"
        #expect(fight.permittedChanges > 500, "\(told)")
        for guest in fight.guests {
            #expect(guest.core.statistics.faults(.mapping) > 1000 && guest.core.statistics.faults(.domain) > 50, "\(told)")
            for device in guest.devices {
                let counters = device.counters
                #expect(counters.framesSent > 100 && counters.framesReceived > 100 && counters.dmaFaults > 500, "\(counters)")
            }
        }
    }
}

private struct Fight {
    let guests: [WildGuest]
    private let cables: [CableWire]
    private(set) var permittedChanges = 0
    private var random: SplitMix

    init(seed: UInt64) throws {
        random = SplitMix(seed: seed)
        let pairs = try (0..<2).map { _ in try CableWire.pair(depth: 64) }
        cables = pairs.flatMap { [$0.0, $0.1] }
        guests = [
            try WildGuest(pattern: 0x9e37_79b9_7f4a_7c15, cables: pairs.map(\.0)),
            try WildGuest(pattern: 0xc2b2_ae3d_27d4_eb4f, cables: pairs.map(\.1)),
        ]
        for device in guests.flatMap(\.devices) { device.attach() }
    }

    /// Domains change a little, one device runs wild, then all four domains' memory is compared.
    /// - Returns: what changed and may not.
    mutating func round() -> [String] {
        for guest in guests { for index in guest.devices.indices { changeDomain(of: index, in: guest) } }
        let (aggressor, index) = (Int.random(in: 0..<2, using: &random), Int.random(in: 0..<2, using: &random))
        let device = guests[aggressor].devices[index]
        let neighbour = guests[1 - aggressor].devices[index]
        var filled: Set<Int> = []
        if let page = device.writablePages.randomElement(using: &random) {
            device.fillWithDescriptors(page: page, wildAddresses(), &random)
            filled.insert(page)
        }
        let rings = device.mappings.filter { filled.contains($0.value.page) }.keys.sorted()
        func ring() -> UInt64 {
            let own = rings.randomElement(using: &random)
            return (random.next() & 3 == 0 ? nil : own) ?? wildAddresses().randomElement(using: &random) ?? 0
        }
        device.startRings(receive: ring() & ~0xf, transmit: ring() & ~0xf, count: 64)
        for _ in 0..<6 {
            device.step()
            neighbour.step()
        }
        return compare(aggressor, index, filled)
    }

    /// The device that ran wild and the one at the other end of its cable write, each to its own domain.
    private mutating func compare(_ aggressor: Int, _ index: Int, _ filled: Set<Int>) -> [String] {
        var wrong: [String] = []
        for (number, guest) in guests.enumerated() {
            let own = guest.devices[index].writablePages.union(number == aggressor ? filled : [])
            let (pages, changed) = guest.check(mayChange: own)
            permittedChanges += changed - (number == aggressor && !filled.isEmpty && changed > 0 ? 1 : 0)
            if !pages.isEmpty { wrong.append("device \(index) of guest \(aggressor) changed pages \(pages) of guest \(number)") }
        }
        return wrong
    }

    private mutating func changeDomain(of index: Int, in guest: WildGuest) {
        let device = guest.devices[index]
        switch Int.random(in: 0..<40, using: &random) {
        case 0: device.detach()
        case 1...10: device.attach()
        case 11...15: if let iova = device.mappings.keys.sorted().randomElement(using: &random) { device.unmap(iova) }
        default:
            // Each device has its pages, so that whose page it is says whose domain; and all use the same IOVAs.
            let half = WildGuest.pageCount / 2
            let page = index * half + Int.random(in: 0..<half, using: &random)
            if device.mappings.count < 12, let iova = Self.places.randomElement(using: &random) {
                device.map(iova, to: page, writable: Int.random(in: 0..<3, using: &random) > 0)
            }
        }
    }

    /// IOVAs that drivers map: low ones, some that are addresses of guest memory, neighbours, and the top of the address space.
    private static let places: [UInt64] =
        (0..<8).map { 0x1000 + $0 * 0x1000 } + (0..<8).map { WildGuest.base + $0 * 0x3000 }
        + (1...4).map { 0 &- ($0 &* 0x1000) &- 0x1000 } + [0x8000_0000, 0xffff_f000, 0x1_0000_0000, 1 << 63]

    /// What a wild device points at: everybody's IOVAs, guest memory by its own addresses and by ours, and anything.
    private mutating func wildAddresses() -> [UInt64] {
        let all = guests.flatMap(\.devices).flatMap { $0.mappings.keys }.sorted()
        let pages = (0..<WildGuest.pageCount).map { WildGuest.base + UInt64($0 * WildGuest.pageByteCount) }
        return all + Self.places + pages.shuffled(using: &random).prefix(8) + guests.map { $0.memory.processAddress }
            + [0, .max, .max - 15, .max - 4095, 1 << 63, random.next(), random.next()]
    }
}
