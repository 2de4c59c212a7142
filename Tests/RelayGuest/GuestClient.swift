import DeviceAccess
import DeviceMemory
import Glibc
import LinuxIO
import NicDriver
import VfioUser

/// Where a relay's functions are, and as which endpoints its IOMMU knows them.
struct RelayPlaces {
    var directory: String
    /// Whether it is `unic relay serve`.
    var isProgram: Bool
    var iommu: String
    var nics: [String]
    var endpoints: [UInt32]

    /// ``HostRelay``'s.
    static func ofHostRelay(_ directory: String) -> RelayPlaces {
        RelayPlaces(
            directory: directory, isProgram: false, iommu: "\(directory)/iommu", nics: ["\(directory)/nic0", "\(directory)/nic1"],
            endpoints: [0, 1])
    }

    /// `unic relay serve`'s, of two functions in two groups: the first root ports' buses are 1 and 2.
    static func ofProgram(_ directory: String) -> RelayPlaces {
        RelayPlaces(
            directory: directory, isProgram: true, iommu: "\(directory)/unic-iommu.sock",
            nics: ["\(directory)/nic0.sock", "\(directory)/nic1.sock"], endpoints: [0x100, 0x200])
    }
}

/// Takes a guest's place: its IOMMU's driver and its NICs' drivers in one.
final class GuestClient {
    private let relay: RelayPlaces
    private let iommu: VfioUserDevice
    private let ram: GuestRAM
    private let queues: DMAMemory
    private let driver: GuestIOMMUDriver
    private var devices: [RelayedDevice] = []
    private var maps: [GuestIOMMUMaps] = []

    init(_ relay: RelayPlaces) throws {
        self.relay = relay
        iommu = try VfioUserDevice(url: "vfio-user:\(relay.iommu)", socketPath: relay.iommu)
        ram = GuestRAM(iommu)
        queues = try DMAMemory.ordinary(byteCount: GuestIOMMUDriver.memoryByteCount)
        let start = try ram.add(queues)
        driver = GuestIOMMUDriver(IOMMUAccess(iommu), memory: queues.window, start: start)
        try driver.initialise()
    }

    func run() throws {
        try expectRefusals()
        // Of the program's NICs one may be another server's, which does not bypass.
        if !relay.isProgram { try readConfigWhileMuchIsMapped(byteCount: 512 << 20) }
        for index in 0..<2 { devices.append(try openDevice(index)) }
        for wait in [PortOptions.WaitMode.poll, .interrupt] {
            let ports = try devices.map { try Frames.makePort($0, wait) }
            try require(devices[0].mapped == devices[1].mapped, "the domains use other addresses")
            print("\(devices[0].mapped.map(\.description).sorted()) is mapped in both domains, to other memory")
            try Frames.exchange(ports, rounds: 20, wait)
            if relay.isProgram, wait == .interrupt {
                // A model's interrupt causes are a register that is read by message.
                try Frames.exchange(ports, rounds: 600, wait)
                print("1200 frames with \(wait), none lost")
            } else {
                try expectSilence { try Frames.exchange(ports, rounds: 600, wait) }
                print("1200 frames with \(wait), none lost, and no message meanwhile")
            }
            if wait == .interrupt { try fault(ports) } else { for port in ports { try port.stop() } }
        }
    }

    /// Two functions that the host cannot keep apart: in one domain, or one of them nowhere.
    func runSiblings() throws {
        devices = [try openDevice(0, domain: 1, part: 0)]
        let refused = try driver.attach(endpoint: 1, domain: 2)
        try require(refused == 2, "ATTACH of a sibling to another domain was answered with \(refused)")
        devices.append(try openDevice(1, domain: 1, part: 1))
        let ports = try devices.map { try Frames.makePort($0, .poll) }
        try Frames.exchange(ports, rounds: 20, .poll)
        try expectSilence { try Frames.exchange(ports, rounds: 300, .poll) }
        print("600 frames between siblings, none lost, and no message meanwhile")
        // One leaves: nothing is mapped for it any more, and the other one goes on.
        try ports[0].stop()
        let detached = try driver.detach(endpoint: 0, domain: 1)
        try require(detached == 0, "DETACH was answered with \(detached)")
        let before = try ports[1].readDeviceCounters()?.sentFrames ?? 0
        try Frames.send(Frames.frame(to: ports[0].macAddress, from: ports[1].macAddress, number: 1), from: ports[1])
        _ = waitForEvents([], timeoutMilliseconds: 200)
        let after = try ports[1].readDeviceCounters()?.sentFrames ?? 0
        try require(after == before + 1, "a sibling stopped when the other one left: \(before), \(after) frames")
        print("the sibling goes on when the other one leaves")
        let unmapped = try driver.unmap(domain: 1, 0, .max)
        try require(unmapped == 0, "UNMAP was answered with \(unmapped)")
        try Frames.send(Frames.frame(to: ports[0].macAddress, from: ports[1].macAddress, number: 2), from: ports[1])
        _ = waitForEvents([], timeoutMilliseconds: 200)
    }

    /// No message reaches the relay while frames flow; the counts do go on, as one more message shows.
    private func expectSilence(_ body: () throws -> Void) throws {
        let before = try messageCounts()
        try body()
        let after = try messageCounts()
        try require(before == after, "messages while frames flow: \(before), then \(after)")
        _ = try devices[0].readConfig(at: 0, byteCount: 4)
        let more = try messageCounts()
        try require(more != after, "the relay does not count")
    }

    private func connect(_ index: Int) throws -> VfioUserDevice {
        try VfioUserDevice(url: "vfio-user:\(relay.nics[index])", socketPath: relay.nics[index], acceptsHostDevices: true)
    }

    /// Each domain is the endpoint's second one: the ATTACH replaces the first.
    /// - Parameter part: of the addresses, for two in one domain.
    func openDevice(_ index: Int, domain chosen: UInt32? = nil, part: UInt64 = 0) throws -> RelayedDevice {
        let nic = try connect(index)
        if relay.isProgram { ram.tell(nic) }
        let probe = try driver.probe(endpoint: relay.endpoints[index])
        try require(probe.status == 0, "PROBE was answered with \(probe.status)")
        print(
            "endpoint \(relay.endpoints[index]): properties \(probe.properties.prefix(48).map { String($0, radix: 16) }.joined(separator: " "))"
        )
        let domain = chosen ?? UInt32(index + 1)
        for domain in chosen == nil ? [domain + 10, domain] : [domain] {
            let status = try driver.attach(endpoint: relay.endpoints[index], domain: domain)
            try require(status == 0, "ATTACH was answered with \(status)")
        }
        let first = driver.configuration(8, byteCount: 8)
        let last = driver.configuration(16, byteCount: 8)
        guard let window = IOVARange(first: max(first, (part + 1) << 32), last: min(last, (part + 2) << 32 - 1)) else {
            throw Failure("an input range of \(first)...\(last)")
        }
        try nic.reset()
        maps.append(GuestIOMMUMaps(nic.url, driver: driver, ram: ram, domain: domain))
        return RelayedDevice(nic, maps: maps[index], windows: [window])
    }

    /// What the host could not do is refused before it is asked, or after, with the right answer; nothing of it stays.
    private func expectRefusals() throws {
        let status = try driver.attach(endpoint: relay.endpoints[0], domain: 77)
        try require(status == 0, "ATTACH was answered with \(status)")
        let last = driver.configuration(16, byteCount: 8)
        let cases: [(name: String, first: UInt64, physical: UInt64, expected: UInt8)] = [
            ("interrupts' addresses", 0xfee0_0000, 0x1_0000_0000, 4),
            ("beyond the input range", last + 1, 0x1_0000_0000, 5),
            ("no memory of the guest", 0x4000_0000, 0x40_0000_0000, 5),
            ("memory of the guest", 0x4000_0000, 0x1_0000_0000, 0),
        ]
        for one in cases {
            let status = try driver.map(domain: 77, one.first, one.first + 0xfff, to: one.physical)
            try require(status == one.expected, "MAP of \(one.name) was answered with \(status)")
        }
        let detached = try driver.detach(endpoint: relay.endpoints[0], domain: 77)
        try require(detached == 0, "DETACH was answered with \(detached)")
    }

    // MARK: Much memory

    /// Memory that nobody has used is mapped in one request, and is the other's of a bypassing domain then; config reads on all three
    /// connections are answered meanwhile.
    private func readConfigWhileMuchIsMapped(byteCount: Int) throws {
        let file = try MemoryFile.create(name: "relay-guest", byteCount: byteCount)
        let pages = try MappedPages(sharing: file, byteCount: byteCount, subject: "relay-guest")
        let memory = DMAMemory(file: file, fileOffset: 0, pages: pages, pageSize: .base)
        let physical = try ram.add(memory)
        let status = try driver.attach(endpoint: relay.endpoints[0], domain: 78)
        try require(status == 0, "ATTACH was answered with \(status)")
        let first: UInt64 = 1 << 33
        try readConfig(
            "\(byteCount >> 20) MiB are mapped",
            during: GuestIOMMURequest.map(domain: 78, first, first + UInt64(byteCount) - 1, to: physical), byteCount)
        try readConfig("they are given back", during: GuestIOMMURequest.detach(endpoint: relay.endpoints[0], domain: 78), byteCount)
        try readConfig(
            "all of the guest's memory is bypassed", during: GuestIOMMURequest.attach(endpoint: relay.endpoints[0], domain: 79, flags: 1),
            byteCount)
        try readConfig("it is given back", during: GuestIOMMURequest.detach(endpoint: relay.endpoints[0], domain: 79), byteCount)
        try ram.remove(at: physical, byteCount: UInt64(byteCount))
    }

    private func readConfig(_ name: String, during request: [UInt8], _ byteCount: Int) throws {
        let nics = try (0..<2).map(connect)
        let start = MonotonicClock.nanoseconds()
        guard driver.put(request, 4, slot: 0) != nil else { throw Failure("the ring is full") }
        driver.requests.publish()
        driver.notify(0)
        var (count, longest) = (0, UInt64(0))
        let deadline = Deadline(afterMilliseconds: 60_000)
        while driver.requests.takeUsed() == nil {
            try require(!deadline.hasPassed, "no answer while \(name)")
            for device in [iommu] + nics {
                let before = MonotonicClock.nanoseconds()
                _ = try device.readConfig(at: 0, byteCount: 4)
                longest = max(longest, MonotonicClock.nanoseconds() &- before)
                count += 1
            }
        }
        let status = driver.memory.load8(at: driver.buffer(0) + request.count)
        try require(status == 0, "answered with \(status): \(name)")
        let took = (MonotonicClock.nanoseconds() &- start) / 1_000_000
        print("\(count) config reads while \(name), in \(took) ms; the longest took \(longest / 1_000_000) ms")
        // Emulated, a piece takes many times as long as on hardware.
        try require(longest < 1_000_000_000, "a config read waited for \(longest / 1_000_000) ms while \(name)")
    }

    // MARK: Messages

    /// What the relay was sent on its three sockets.
    private func messageCounts() throws -> [String] {
        if relay.isProgram { return try relayMessageCounts(relay.directory).map(String.init) }
        // It publishes when it goes to sleep.
        _ = waitForEvents([], timeoutMilliseconds: 300)
        return try ([relay.iommu] + relay.nics).map { String(decoding: try StatusReading.read(beside: $0), as: UTF8.self) }
    }

    // MARK: Faults

    /// The guest takes memory away while the NICs run: from the first one by UNMAP, from the second one by having the memory no
    /// more. What the NICs do there afterwards goes nowhere, and the host's kernel tells of it.
    private func fault(_ ports: [E1000EPort]) throws {
        for range in devices[0].mapped {
            let status = try driver.unmap(domain: maps[0].domain, range.start.rawValue, range.last)
            try require(status == 0, "UNMAP was answered with \(status)")
        }
        try Frames.send(Frames.frame(to: ports[0].macAddress, from: ports[1].macAddress, number: 5000), from: ports[1])
        try require(Frames.receive(on: ports[0], milliseconds: 500) == nil, "a frame arrived through memory that is unmapped")
        print("nothing arrived after UNMAP")
        for range in devices[1].mapped { try maps[1].loseMemory(of: range) }
        try Frames.send(Frames.frame(to: ports[0].macAddress, from: ports[1].macAddress, number: 5001), from: ports[1])
        _ = waitForEvents([], timeoutMilliseconds: 200)
        print("sent from memory that is the guest's no more")
    }
}
