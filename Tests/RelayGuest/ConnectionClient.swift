import DeviceAccess
import DeviceMemory
import LinuxIO
import NicDriver
import VfioUser

/// Maps on the NIC's own connection, as a QEMU with an IOMMU of its own does.
final class ConnectionMaps: DeviceMaps {
    private let nic: VfioUserDevice
    init(_ nic: VfioUserDevice) { self.nic = nic }
    func map(_ memory: borrowing DMAMemory, _ range: IOVARange, access: DMAAccess) throws(DeviceError) {
        try nic.map(memory, at: range.start, access: access)
    }
    func unmap(_ range: IOVARange) throws(DeviceError) { try nic.unmap(range) }
}

/// Takes the place of a QEMU with an IOMMU of its own, and of the drivers in its guest: `unic relay serve --viommu`.
final class ConnectionClient {
    private let directory: String

    init(directory: String) { self.directory = directory }

    /// Each time both connections are new: what the ones before had mapped is gone with them.
    func run() throws {
        for wait in [PortOptions.WaitMode.poll, .interrupt] {
            let nics = try (0..<2).map { index in
                let path = "\(directory)/nic\(index).sock"
                return try VfioUserDevice(url: "vfio-user:\(path)", socketPath: path, acceptsHostDevices: true)
            }
            try expectRefusals(nics[0])
            guard let window = IOVARange(first: 1 << 32, last: 2 << 32 - 1) else { throw Failure("no window") }
            let devices = try nics.map { nic in
                try nic.reset()
                return RelayedDevice(nic, maps: ConnectionMaps(nic), windows: [window])
            }
            let ports = try devices.map { try Frames.makePort($0, wait) }
            try require(devices[0].mapped == devices[1].mapped, "the connections use other addresses")
            print("\(devices[0].mapped.map(\.description).sorted()) is mapped on both connections, to other memory")
            try Frames.exchange(ports, rounds: 20, wait)
            let before = try relayMessageCounts(directory)
            try Frames.exchange(ports, rounds: 200, wait)
            let after = try relayMessageCounts(directory)
            try require(before == after, "messages while frames flow: \(before), then \(after)")
            print("400 frames with \(wait) at the connections' addresses, and no message meanwhile")
            try takeAway(devices[0], from: ports)
        }
    }

    /// The NIC goes on to use addresses of which the relay has said that they are gone.
    private func takeAway(_ device: RelayedDevice, from ports: [E1000EPort]) throws {
        for range in device.mapped { try device.unmap(range) }
        try Frames.send(Frames.frame(to: ports[0].macAddress, from: ports[1].macAddress, number: 5000), from: ports[1])
        try require(Frames.receive(on: ports[0], milliseconds: 500) == nil, "a frame arrived through memory that is unmapped")
        print("nothing arrived after DMA_UNMAP")
    }

    private func expectRefusals(_ nic: VfioUserDevice) throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        for (name, address) in [("interrupts' addresses", 0xfee0_0000), ("addresses beyond the IOMMU's", 1 << 62)] as [(String, UInt64)] {
            do {
                try nic.map(memory, at: IOVA(address), access: .readWrite)
                throw Failure("\(name) were mapped")
            } catch let error as DeviceError {
                try require("\(error)".contains("Invalid argument"), "\(name): \(error)")
            }
        }
    }
}

/// Of the functions' connections, in the relay's status.
func relayMessageCounts(_ directory: String) throws -> [Substring] {
    // It publishes when it goes to sleep.
    _ = waitForEvents([], timeoutMilliseconds: 300)
    let text = String(decoding: try StatusReading.read(beside: "\(directory)/unic-iommu.sock"), as: UTF8.self)
    let counts = text.split(separator: ",").filter { $0.contains("\"messages\":") }
    try require(counts.count == 3, "the relay's status: \(text)")
    return counts
}
