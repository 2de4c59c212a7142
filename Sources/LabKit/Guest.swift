/// A guest for one script: what it has, and what of this machine it sees. `Lab/run` is the one that boots it; this type
/// says it to Swift tests.
///
/// Its root is Debian's, with the generic kernel; the script runs as root. The NICs are QEMU's e1000e, all on one hub.
public struct Guest: Sendable {
    /// Memory, MiB.
    public var memoryMebibytes = 1024
    /// Virtual processors. A second one makes the boot half as long again; two programs that spin want it.
    public var processorCount = 1
    /// Pages of 2 MiB that are reserved before the script starts.
    public var hugepageCount = 64
    /// e1000e ports, see ``address(ofPort:)``.
    public var portCount = 2
    /// Whether the ports are bound to vfio-pci before the script starts. A script changes that with `bind-vfio`.
    public var bindsPorts = true
    /// Whether there is an Intel IOMMU.
    public var hasIOMMU = true
    /// Programs of this machine, by path, that the script finds in its PATH, with the libraries that they load.
    public var programs: [String] = []
    /// Directories of this machine that the guest sees, read-only, at the same path.
    public var sharedDirectories: [String] = []
    /// More of the kernel's command line.
    public var kernelArguments = ""
    /// More arguments for QEMU.
    public var emulatorArguments: [String] = []

    public init() {}

    /// Where a port is on the guest's PCI bus: port 0 is "0000:00:03.0".
    public static func address(ofPort index: Int) -> String {
        let device = String(3 + index, radix: 16)
        return "0000:00:\(device.count < 2 ? "0" : "")\(device).0"
    }

    /// `Lab/run`'s arguments for this guest.
    func arguments(resultsDirectory: String, timeLimitSeconds: Int) -> [String] {
        var words = ["--timeout", "\(timeLimitSeconds)", "--results", resultsDirectory, "--memory", "\(memoryMebibytes)"]
        words += ["--cpus", "\(processorCount)", "--hugepages", "\(hugepageCount)", "--nics", "\(portCount)"]
        if !bindsPorts { words.append("--leave-nics") }
        if !hasIOMMU { words.append("--no-iommu") }
        words += programs.flatMap { ["--program", $0] }
        words += sharedDirectories.flatMap { ["--share", $0] }
        if !kernelArguments.isEmpty { words += ["--append", kernelArguments] }
        words += emulatorArguments.flatMap { ["--qemu", $0] }
        return words
    }
}
