import DeviceAccess
import DeviceMemory
import Glibc
import LinuxIO
import NicDriver
import VfioUser

/// Where a relay's functions are, and as which endpoints its IOMMU knows them.
struct RelayPlaces {
    var iommu: String
    var nics: [String]
    var endpoints: [UInt32]

    /// `relay-guest relay`'s.
    static func ofHostRelay(_ directory: String) -> RelayPlaces {
        RelayPlaces(iommu: "\(directory)/iommu", nics: ["\(directory)/nic0", "\(directory)/nic1"], endpoints: [0, 1])
    }

    /// `unic relay serve`'s, of two functions in two groups: the first root ports' buses are 1 and 2.
    static func ofProgram(_ directory: String) -> RelayPlaces {
        RelayPlaces(
            iommu: "\(directory)/unic-iommu.sock", nics: ["\(directory)/nic0.sock", "\(directory)/nic1.sock"], endpoints: [0x100, 0x200])
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
        for index in 0..<2 { devices.append(try openDevice(index)) }
        for wait in [PortOptions.WaitMode.poll, .interrupt] {
            let ports = try devices.map { try makePort($0, wait) }
            try require(Set(devices[0].mapped.keys) == Set(devices[1].mapped.keys), "the domains use other addresses")
            print("\(devices[0].mapped.keys.map(\.description).sorted()) is mapped in both domains, to other memory")
            try exchange(ports, rounds: 20, wait)
            try expectSilence { try exchange(ports, rounds: 600, wait) }
            print("1200 frames with \(wait), none lost, and no message meanwhile")
            if wait == .interrupt { try fault(ports) } else { for port in ports { try port.stop() } }
        }
    }

    /// Two functions that the host cannot keep apart: in one domain, or one of them nowhere.
    func runSiblings() throws {
        devices = [try openDevice(0, domain: 1, part: 0)]
        let refused = try driver.attach(endpoint: 1, domain: 2)
        try require(refused == 2, "ATTACH of a sibling to another domain was answered with \(refused)")
        devices.append(try openDevice(1, domain: 1, part: 1))
        let ports = try devices.map { try makePort($0, .poll) }
        try exchange(ports, rounds: 20, .poll)
        try expectSilence { try exchange(ports, rounds: 300, .poll) }
        print("600 frames between siblings, none lost, and no message meanwhile")
        // One leaves: nothing is mapped for it any more, and the other one goes on.
        try ports[0].stop()
        let detached = try driver.detach(endpoint: 0, domain: 1)
        try require(detached == 0, "DETACH was answered with \(detached)")
        let before = try ports[1].readDeviceCounters()?.sentFrames ?? 0
        try send(frame(to: ports[0].macAddress, from: ports[1].macAddress, number: 1), from: ports[1])
        _ = waitForEvents([], timeoutMilliseconds: 200)
        let after = try ports[1].readDeviceCounters()?.sentFrames ?? 0
        try require(after == before + 1, "a sibling stopped when the other one left: \(before), \(after) frames")
        print("the sibling goes on when the other one leaves")
        let unmapped = try driver.unmap(domain: 1, 0, .max)
        try require(unmapped == 0, "UNMAP was answered with \(unmapped)")
        try send(frame(to: ports[0].macAddress, from: ports[1].macAddress, number: 2), from: ports[1])
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

    /// Each domain is the endpoint's second one: the ATTACH replaces the first.
    /// - Parameter part: of the addresses, for two in one domain.
    func openDevice(_ index: Int, domain chosen: UInt32? = nil, part: UInt64 = 0) throws -> RelayedDevice {
        let path = relay.nics[index]
        let endpoint = relay.endpoints[index]
        let nic = try VfioUserDevice(url: "vfio-user:\(path)", socketPath: path, acceptsHostDevices: true)
        let probe = try driver.probe(endpoint: endpoint)
        try require(probe.status == 0, "PROBE was answered with \(probe.status)")
        print("endpoint \(endpoint): properties \(probe.properties.prefix(48).map { String($0, radix: 16) }.joined(separator: " "))")
        let domain = chosen ?? UInt32(index + 1)
        for domain in chosen == nil ? [domain + 10, domain] : [domain] {
            let status = try driver.attach(endpoint: endpoint, domain: domain)
            try require(status == 0, "ATTACH was answered with \(status)")
        }
        let first = driver.configuration(8, byteCount: 8)
        let last = driver.configuration(16, byteCount: 8)
        guard let window = IOVARange(first: max(first, (part + 1) << 32), last: min(last, (part + 2) << 32 - 1)) else {
            throw Failure("an input range of \(first)...\(last)")
        }
        try nic.reset()
        return RelayedDevice(nic, driver: driver, ram: ram, domain: domain, windows: [window])
    }

    func makePort(_ device: RelayedDevice, _ wait: PortOptions.WaitMode) throws -> E1000EPort {
        var options = PortOptions()
        options.wait = wait
        options.sparePackets = 64
        return try E1000EPort(device: device, options: options) { byteCount throws(PortError) in
            do throws(SystemCallError) { return try DMAMemory.ordinary(byteCount: byteCount) } catch {
                throw .noMemory(url: device.url, reason: error.description)
            }
        }
    }

    /// What the host could not do is refused before it is asked, or after, with the right answer; nothing of it stays.
    private func expectRefusals() throws {
        let status = try driver.attach(endpoint: 0, domain: 77)
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
        let detached = try driver.detach(endpoint: 0, domain: 77)
        try require(detached == 0, "DETACH was answered with \(detached)")
    }

    // MARK: Frames

    func frame(to destination: MACAddress, from source: MACAddress, number: UInt64) -> [UInt8] {
        var bytes = destination.bytes + source.bytes + [0x88, 0xb5]
        var state = number &* 0x9e37_79b9_7f4a_7c15 | 1
        for _ in 0..<(46 + Int(number % 1400)) {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            bytes.append(UInt8(truncatingIfNeeded: state &* 0x2545_f491_4f6c_dd1d >> 56))
        }
        return bytes
    }

    /// A frame goes there, and another one comes back, each compared.
    func exchange(_ ports: [E1000EPort], rounds: Int, _ wait: PortOptions.WaitMode) throws {
        for round in 0..<UInt64(rounds) {
            for (from, to) in [(ports[0], ports[1]), (ports[1], ports[0])] {
                let frame = frame(to: to.macAddress, from: from.macAddress, number: round)
                try send(frame, from: from)
                if wait.usesInterrupts { try to.queuePairs[0].waitForReceive(timeoutMilliseconds: 3000) }
                guard let got = receive(on: to, milliseconds: 3000) else { throw Failure("frame \(round) was lost") }
                try require(got == frame, "frame \(round) of \(frame.count) bytes changed")
            }
        }
    }

    func send(_ frame: [UInt8], from port: E1000EPort) throws {
        var batch = port.makeBatch(capacity: 1)
        let deadline = Deadline(afterMilliseconds: 3000)
        while batch.isEmpty {
            guard var packet = port.makePacket() else {
                port.reclaim()
                try require(!deadline.hasPassed, "no packet is free")
                continue
            }
            packet.byteCount = frame.count
            packet.window.store(frame, at: 0)
            _ = batch.append(packet)
        }
        while !batch.isEmpty, port.send(&batch) == 0 {
            port.reclaim()
            try require(!deadline.hasPassed, "a frame was not sent")
        }
    }

    func receive(on port: E1000EPort, milliseconds: UInt64) -> [UInt8]? {
        var batch = port.makeBatch(capacity: 1)
        let deadline = Deadline(afterMilliseconds: milliseconds)
        while !deadline.hasPassed {
            _ = port.receive(into: &batch)
            while let packet = batch.removeFirst() {
                let bytes = packet.window.bytes(at: 0, byteCount: packet.byteCount)
                if bytes.count >= 60, bytes[12] == 0x88, bytes[13] == 0xb5 { return bytes }
            }
            Processor.yield()
        }
        return nil
    }

    /// What the relay was sent on its three sockets.
    private func messageCounts() throws -> [String] {
        // It publishes when it goes to sleep.
        _ = waitForEvents([], timeoutMilliseconds: 300)
        return try ([relay.iommu] + relay.nics).map { String(decoding: try StatusReading.read(beside: $0), as: UTF8.self) }
    }

    // MARK: Faults

    /// The guest takes memory away while the NICs run: from the first one by UNMAP, from the second one by having the memory no
    /// more. What the NICs do there afterwards goes nowhere, and the host's kernel tells of it.
    private func fault(_ ports: [E1000EPort]) throws {
        for range in devices[0].mapped.keys {
            let status = try driver.unmap(domain: devices[0].domain, range.start.rawValue, range.last)
            try require(status == 0, "UNMAP was answered with \(status)")
        }
        try send(frame(to: ports[0].macAddress, from: ports[1].macAddress, number: 5000), from: ports[1])
        try require(receive(on: ports[0], milliseconds: 500) == nil, "a frame arrived through memory that is unmapped")
        print("nothing arrived after UNMAP")
        for range in devices[1].mapped.keys { try devices[1].loseMemory(of: range) }
        try send(frame(to: ports[0].macAddress, from: ports[1].macAddress, number: 5001), from: ports[1])
        _ = waitForEvents([], timeoutMilliseconds: 200)
        print("sent from memory that is the guest's no more")
    }
}
