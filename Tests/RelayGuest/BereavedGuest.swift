import DeviceAccess
import DeviceMemory
import Glibc
import LinuxIO
import NicDriver
import NicRegisters

/// A guest whose relay is killed with -9 while its frames flow: what its NICs can do afterwards.
///
/// Memory behind the IOMMU is shown to be out of reach by trying: each NIC is made bus master again, behind everybody's back,
/// and told to fetch a descriptor and to write it back at an address that was mapped until the relay's end.
final class BereavedGuest {
    private let client: GuestClient
    private let relay: Int32
    /// The relay's standard error, which its guardian shares.
    private let log: String
    private let commands: [CommandRegister]
    private var probes: [DMAProbe] = []
    /// Kept to the process's end: they would take leave of a relay that is gone, and wait for it.
    private var devices: [RelayedDevice] = []
    private var ports: [E1000EPort] = []

    /// - Parameter addresses: of the two NICs on this machine.
    init(_ client: GuestClient, relay: Int32, log: String, addresses: [String]) throws {
        self.client = client
        self.relay = relay
        self.log = log
        commands = try addresses.map { try CommandRegister($0) }
    }

    /// Runs, and ends the process: with code 0 when all was as it has to be.
    func runToTheEnd() -> Never {
        do { try run() } catch {
            say("FAILED: \(error)")
            exitProcess(1)
        }
        exitProcess(0)
    }

    private func run() throws {
        devices = try (0..<2).map { try client.openDevice($0) }
        for (device, command) in zip(devices, commands) {
            let probe = try DMAProbe(device)
            try command.makeBusMaster()
            probe.prepare()
            try require(probe.reachesMemory(), "a NIC did not reach memory that is mapped for it")
            try device.reset()
            probes.append(probe)
        }
        say("both NICs reach what is mapped for them")
        ports = try devices.map { try Frames.makePort($0, .poll) }
        try Frames.exchange(ports, rounds: 20, .poll)
        let microseconds = try killRelay()
        say("bus master is off \(microseconds) us after kill -9")
        try awaitGuardian()
        try expectNothingReachesMemory()
        say("nothing reaches memory though the NICs were made bus masters again")
    }

    /// At once: what is said before a fault has to be read, too.
    private func say(_ text: String) {
        print(text)
        _ = fflush(nil)
    }

    /// Frames are sent until both NICs master the bus no more.
    /// - Returns: when that was seen, from before the kill.
    private func killRelay() throws -> UInt64 {
        var number: UInt64 = 10_000
        var received = 0
        func work() throws {
            number += 1
            _ = try? Frames.send(Frames.frame(to: ports[0].macAddress, from: ports[1].macAddress, number: number), from: ports[1])
            if Frames.receive(on: ports[0], milliseconds: 1) != nil { received += 1 }
        }
        for _ in 0..<20 { try work() }
        try require(received > 0, "no frame flows")
        for command in commands { try require(try command.isBusMaster, "a NIC with a driver is no bus master") }
        let start = MonotonicClock.nanoseconds()
        let deadline = Deadline(afterMilliseconds: 5000)
        try require(kill(relay, SIGKILL) == 0, "the relay could not be killed")
        while try commands.contains(where: { try $0.isBusMaster }) {
            try require(!deadline.hasPassed, "a NIC is bus master 5 s after its relay was killed")
            try work()
        }
        return (MonotonicClock.nanoseconds() - start) / 1000
    }

    /// Until the guardian says that each NIC is reset, which comes last.
    private func awaitGuardian() throws {
        let deadline = Deadline(afterMilliseconds: 20_000)
        while try readSmallFile(log).split(separator: "\n").count(where: { $0.contains(": reset, ") }) < 2 {
            try require(!deadline.hasPassed, "the guardian did not come to its end: \((try? readSmallFile(log)) ?? "")")
            LinuxIO.sleep(milliseconds: 2)
        }
    }

    private func expectNothingReachesMemory() throws {
        for probe in probes { probe.prepare() }
        let before = devices.map(\.digest)
        for (probe, command) in zip(probes, commands) {
            try command.makeBusMaster()
            try require(try command.isBusMaster, "a NIC could not be made bus master for the test")
            try require(!probe.reachesMemory(), "a NIC wrote into memory after its relay was killed")
            try require(probe.hasWorked, "a NIC did not even try")
        }
        try require(devices.map(\.digest) == before, "memory of the guest has changed after its relay was killed")
    }
}

/// The command register of a function, by the kernel's own access to config space and not by VFIO's.
private final class CommandRegister {
    private let file: OwnedDescriptor
    private let address: String
    // linux/pci_regs.h: PCI_COMMAND, PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER.
    private static let offset: Int64 = 4
    private static let memory: UInt8 = 0x2
    private static let master: UInt8 = 0x4

    init(_ address: String) throws(SystemCallError) {
        self.address = address
        file = try OwnedDescriptor.open("/sys/bus/pci/devices/\(address)/config", flags: O_RDWR)
    }

    private var value: UInt8 {
        get throws(SystemCallError) { try file.read(byteCount: 1, at: Self.offset, subject: "\(address), command register")[0] }
    }

    var isBusMaster: Bool { get throws(SystemCallError) { try value & Self.master != 0 } }

    func makeBusMaster() throws(SystemCallError) {
        try file.write([try value | Self.master | Self.memory], at: Self.offset, subject: "\(address), command register")
    }
}

/// Lets an 82574L read a descriptor and write it back, at an address that is mapped for nothing else.
private final class DMAProbe {
    private static let iova: UInt64 = 0x3_0000_0000
    private static let frameOffset = 2048
    /// TDLEN's smallest.
    private static let ringByteCount: UInt32 = 128

    private let memory: DMAMemory
    private let registers: MemoryWindow

    init(_ device: RelayedDevice) throws {
        memory = try DMAMemory.ordinary(byteCount: 4096)
        guard let first = try device.mapAreas(of: 0).first, first.offset == 0 else { throw Failure("no registers are mapped") }
        registers = first.window
        try device.map(memory, at: IOVA(Self.iova), access: .readWrite)
    }

    private func set<Value>(_ register: Register<Value, ReadWrite>, _ value: UInt32) { registers.store32(value, at: register.offset) }

    /// What this process itself writes there.
    func prepare() {
        let descriptor = E1000E.TxLegacyDescriptor(
            bufferAddress: Self.iova + UInt64(Self.frameOffset), length: 60, command: [.endOfPacket, .insertFCS, .reportStatus])
        memory.window.store64(descriptor.word0, at: 0)
        memory.window.store64(descriptor.word1, at: 8)
    }

    /// After ``prepare()``: whether the NIC's write arrived within 100 ms.
    func reachesMemory() -> Bool {
        DeviceBarrier.publishToDevice()
        set(E1000E.tctl, 0)
        set(E1000E.tdbal[0], UInt32(truncatingIfNeeded: Self.iova))
        set(E1000E.tdbah[0], UInt32(truncatingIfNeeded: Self.iova >> 32))
        set(E1000E.tdlen[0], Self.ringByteCount)
        set(E1000E.tdh[0], 0)
        set(E1000E.tdt[0], 0)
        set(E1000E.tctl, E1000E.TransmitControl.enable.rawValue)
        set(E1000E.tdt[0], 1)
        let deadline = Deadline(afterMilliseconds: 100)
        while !deadline.hasPassed {
            if memory.window.load32(at: 12) & UInt32(E1000E.TxStatus.done.rawValue) != 0 { return true }
            Processor.yield()
        }
        return false
    }

    /// Whether the NIC took the descriptor: its ring's head moves also when the read of the descriptor brought nothing.
    var hasWorked: Bool { registers.load32(at: E1000E.tdh[0].offset) == 1 }
}
