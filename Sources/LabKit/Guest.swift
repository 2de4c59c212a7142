/// A guest for one script: what it has, and what of this machine it sees. `Lab/run` is the one that boots it; this type
/// says it to Swift tests.
///
/// Its root is Debian's; the script runs as root. The NICs are QEMU's, those of one family on one hub.
public struct Guest: Sendable {
    public enum Kernel: String, Sendable {
        /// Debian's generic kernel.
        case debian
        /// The lab's own: boots faster, and has `/dev/iommu`, `/dev/vfio/devices` and VFIO without an IOMMU. Built once.
        case small
        /// The same of Linux 6.1, which has neither of the two devices. Built once, too.
        case small61 = "small-6.1"
    }

    public enum Emulator: String, Sendable {
        /// This machine's own QEMU: 7.2 on Debian 12.
        case installed = "7"
        /// QEMU 11 from Debian's backports, fetched once.
        case backports = "11"
    }

    /// One end of a wire between two guests, by the path of a socket. The listening one is started first.
    public enum Wire: Sendable {
        case listen(String)
        case connect(String)

        var argument: String {
            switch self {
            case .listen(let path): "listen:\(path)"
            case .connect(let path): "connect:\(path)"
            }
        }
    }

    public enum IOMMU: String, CaseIterable, Sendable {
        case intel, virtio, amd, none
    }

    public var kernel = Kernel.debian
    public var emulator = Emulator.installed
    public var iommu = IOMMU.intel
    /// Whether VFIO takes devices although interrupts are not remapped; nil: only with virtio's IOMMU, which cannot remap.
    public var allowsUnsafeInterrupts: Bool?
    /// Whether VFIO takes devices without an IOMMU, too. The small kernel can.
    public var allowsNoIOMMU = false
    /// Memory, MiB.
    public var memoryMebibytes = 1024
    /// Virtual processors. A second one makes the boot half as long again; two programs that spin want it.
    public var processorCount = 1
    /// Pages of 2 MiB that are reserved before the script starts.
    public var hugepageCount = 64
    /// How many ports of each family, see ``NIC/address(ofPort:)``.
    public var portCounts: [NIC: Int] = [.e1000e: 2]
    /// Sockets of vfio-user servers on this machine, a device each; see ``address(ofServed:)``.
    public var servedSockets: [String] = []
    /// Functions that `unic relay` gives to the guest behind an IOMMU, by device URL; see ``address(ofRelayed:)``. The IOMMU is
    /// ``IOMMU/none`` then, the emulator from the backports, and `unic` among the programs.
    public var relayedDevices: [String] = []
    /// Where the relay's sockets are; nil: a directory that nobody needs to know.
    public var relayDirectory: String?
    /// Whether a guest that reboots boots again and runs its script again. Otherwise it has ended.
    public var reboots = false
    /// Queue pairs of each virtio-net port. More than one wants network namespaces of this machine.
    public var virtioQueuePairCount = 1
    /// Whether the ports are bound to vfio-pci before the script starts. A script changes that with `bind-vfio`.
    public var bindsPorts = true
    /// Whether the guest has dpdk-testpmd.
    public var hasDPDK = false
    /// Whether the guest has Open MPI 5 and its libfabric. Not together with DPDK.
    public var hasMPI = false
    /// The hub of the e1000e ports goes on in another guest.
    public var wire: Wire?
    /// Makes time in the guest instructions, of 2^N ns each.
    public var instructionTimeShift: Int?
    /// Programs of this machine, by path, that the script finds in its PATH, with the libraries that they load.
    public var programs: [String] = []
    /// Directories of this machine that the guest sees, read-only, at the same path.
    public var sharedDirectories: [String] = []
    /// More of the kernel's command line.
    public var kernelArguments = ""
    /// More arguments for QEMU; what they place on bus 0 comes before NICs and files.
    public var emulatorArguments: [String] = []

    public init() {}

    /// Where a vfio-user device is on the guest's PCI buses. Each is behind a root port of its own, named "slot0", "slot1", ...
    /// in QEMU, and is named "served0", "served1", ...
    public func address(ofServed index: Int) -> String {
        "0000:\(hexadecimal((portCounts[.igb] ?? 0) + 1 + index)):00.0"
    }

    /// Where a relayed function is.
    public func address(ofRelayed index: Int) -> String { "0000:\(hexadecimal(1 + index)):00.0" }

    /// Where the guest finds a port of a family that is behind a bus of its own, whatever else there is: see ``NIC``.
    public func address(ofPort index: Int, of nic: NIC) -> String {
        let bus = (portCounts[.igb] ?? 0) + servedSockets.count + 1
        switch nic {
        case .e1000eBridged: return "0000:\(hexadecimal(bus + 1)):\(hexadecimal(index + 1)).0"
        case .e1000eFunctions: return "0000:\(hexadecimal(bus + ((portCounts[.e1000eBridged] ?? 0) > 0 ? 2 : 0))):00.\(index)"
        default: return nic.address(ofPort: index)
        }
    }

    /// `Lab/run`'s arguments for this guest.
    func arguments(resultsDirectory: String, timeLimitSeconds: Int) -> [String] {
        var words = ["--timeout", "\(timeLimitSeconds)", "--results", resultsDirectory, "--memory", "\(memoryMebibytes)"]
        words += ["--cpus", "\(processorCount)", "--hugepages", "\(hugepageCount)", "--queues", "\(virtioQueuePairCount)"]
        words += ["--kernel", kernel.rawValue, "--emulator", emulator.rawValue, "--iommu", iommu.rawValue]
        let nics = NIC.allCases.compactMap { nic in portCounts[nic].map { "\(nic.rawValue):\($0)" } }
        words += ["--nics", nics.isEmpty ? "0" : nics.joined(separator: ",")]
        words += servedSockets.flatMap { ["--served", $0] }
        words += relayedDevices.flatMap { ["--relay", $0] }
        if let relayDirectory { words += ["--relay-directory", relayDirectory] }
        if reboots { words.append("--reboots") }
        if !bindsPorts { words.append("--leave-nics") }
        if let allowsUnsafeInterrupts { words += ["--unsafe-interrupts", allowsUnsafeInterrupts ? "yes" : "no"] }
        if allowsNoIOMMU { words.append("--noiommu") }
        if hasDPDK { words.append("--dpdk") }
        if hasMPI { words.append("--mpi") }
        if let wire { words += ["--wire", wire.argument] }
        if let instructionTimeShift { words += ["--icount", "\(instructionTimeShift)"] }
        words += programs.flatMap { ["--program", $0] }
        words += sharedDirectories.flatMap { ["--share", $0] }
        if !kernelArguments.isEmpty { words += ["--append", kernelArguments] }
        words += emulatorArguments.flatMap { ["--qemu", $0] }
        return words
    }
}
