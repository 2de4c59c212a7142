import DeviceAccess
import Foundation
import LinuxIO
import Synchronization
import SystemPackage

@testable import HostSetup

/// A made-up machine in a directory of its own, removed with its owner: files as sysfs has them, and a kernel that answers
/// to what is written into them, as `driver_override`, `unbind` and `bind` are answered.
final class FakeMachine: Sendable {
    let root: String
    private let refusals = Mutex<[String: Errno]>([:])
    private let log = Mutex<[String]>([])

    var paths: HostPaths { HostPaths(root: root) }
    var facts: HostFacts { .read(paths) }
    /// What was written, as `file: text` below /sys.
    var writes: [String] { log.withLock { $0 } }

    init() throws {
        root = "/tmp/unic-fake-machine-\(processIdentifier)-\(UInt64.random(in: 0 ... .max))"
        for directory in [
            "sys/bus/pci/devices", "sys/bus/pci/drivers", "sys/class/iommu", "sys/kernel/iommu_groups", "sys/kernel/irq",
            "sys/firmware/acpi/tables", "sys/module", "dev/vfio/devices", "proc/net", "proc/self", "proc/sys/kernel", "run", "etc",
        ] { try makeDirectory(directory) }
        try write("proc/sys/kernel/osrelease", "6.12.0-test\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: "\(root)/\(path)", withIntermediateDirectories: true)
    }

    func write(_ path: String, _ text: String) throws {
        let whole = "\(root)/\(path)"
        try FileManager.default.createDirectory(
            atPath: (whole as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: whole))
    }

    func read(_ path: String) -> String? { try? String(contentsOfFile: "\(root)/\(path)", encoding: .utf8) }
    func remove(_ path: String) { try? FileManager.default.removeItem(atPath: "\(root)/\(path)") }

    func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(root)/\(path)", withDestinationPath: target)
    }

    /// A function as it comes up: bound to its own driver, with an interface if it is given one.
    /// - Parameter interface: its name, flags and state.
    func add(
        _ address: String, id: (UInt16, UInt16) = (0x8086, 0x10d3), class code: String = "0x020000", driver: String? = "e1000e",
        group: String? = nil, interface: (name: String, flags: String, state: String)? = nil
    ) throws {
        let device = "sys/bus/pci/devices/\(address)"
        try write("\(device)/vendor", "0x\(String(id.0, radix: 16))\n")
        try write("\(device)/device", "0x\(String(id.1, radix: 16))\n")
        try write("\(device)/class", "\(code)\n")
        try write("\(device)/numa_node", "-1\n")
        try write("\(device)/driver_override", "(null)\n")
        try write("\(device)/own_driver", driver ?? "")
        if let interface { try write("\(device)/own_interface", "\(interface.name) \(interface.flags) \(interface.state)") }
        if let group {
            try makeDirectory("sys/kernel/iommu_groups/\(group)/devices")
            try link("\(device)/iommu_group", to: "../../../../kernel/iommu_groups/\(group)")
            try link("sys/kernel/iommu_groups/\(group)/devices/\(address)", to: "../../../../bus/pci/devices/\(address)")
        }
        if let driver {
            try makeDirectory("sys/bus/pci/drivers/\(driver)")
            try attach(address, to: driver)
        }
    }

    /// Everything that a machine needs for type 1, and its parameters.
    func loadVFIO(unsafeInterrupts: Bool = false) throws {
        try makeDirectory("sys/bus/pci/drivers/vfio-pci")
        try write("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", unsafeInterrupts ? "Y\n" : "N\n")
        try write("sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "65535\n")
        try write("dev/vfio/vfio", "")
    }

    func addIOMMU(_ name: String = "dmar0", remapping: Bool = true) throws {
        try makeDirectory("sys/class/iommu/\(name)")
        try write("sys/kernel/irq/1/chip_name", remapping ? "IR-IO-APIC\n" : "IO-APIC\n")
    }

    /// Lets a driver refuse whatever it is offered.
    func refuse(_ driver: String, _ error: Errno) { refusals.withLock { $0[driver] = error } }
}

// The kernel's side.
extension FakeMachine {
    func binding(loadModule: @escaping @Sendable (String) -> String? = { _ in "no modprobe in a test" }) -> DriverBinding {
        DriverBinding(paths, write: { (path, text) throws(SystemCallError) in try self.kernelHears(path, text) }, loadModule: loadModule)
    }

    private func kernelHears(_ path: String, _ text: String) throws(SystemCallError) {
        let parts = path.dropFirst(root.count + 1).split(separator: "/").map(String.init)
        log.withLock { $0.append("\(parts.suffix(2).joined(separator: "/")): \(text.trimmingCharacters(in: .newlines))") }
        do {
            switch parts.last {
            case "driver_override":
                try write(parts.joined(separator: "/"), text == "\n" ? "(null)\n" : text)
            case "unbind": try detach(text)
            case "bind":
                let driver = parts[parts.count - 2]
                if let errno = refusals.withLock({ $0[driver] }) { throw SystemCallError(call: "write", subject: path, errno: errno) }
                try attach(text, to: driver)
            case "drivers_probe":
                if let own = read("sys/bus/pci/devices/\(text)/own_driver"), !own.isEmpty { try attach(text, to: own) }
            default: throw SystemCallError(call: "write", subject: path, errno: .noSuchFileOrDirectory)
            }
        } catch { throw error as? SystemCallError ?? SystemCallError(call: "write", subject: path, errno: .ioError) }
    }

    private func attach(_ address: String, to driver: String) throws {
        let device = "sys/bus/pci/devices/\(address)"
        try link("\(device)/driver", to: "../../drivers/\(driver)")
        if driver == "vfio-pci" {
            if let group = paths.linkedName("\(root)/\(device)/iommu_group") { try write("dev/vfio/\(group)", "") }
        } else if let interface = read("\(device)/own_interface")?.split(separator: " ") {
            try write("\(device)/net/\(interface[0])/flags", "\(interface[1])\n")
            try write("\(device)/net/\(interface[0])/operstate", "\(interface[2])\n")
        }
    }

    private func detach(_ address: String) throws {
        let device = "sys/bus/pci/devices/\(address)"
        if paths.linkedName("\(root)/\(device)/driver") == "vfio-pci", let group = paths.linkedName("\(root)/\(device)/iommu_group") {
            remove("dev/vfio/\(group)")
        }
        remove("\(device)/driver")
        remove("\(device)/net")
    }
}

/// An address in a test.
func pci(_ text: String) -> PCIAddress {
    guard let address = PCIAddress(text) else { fatalError("\(text) is no PCI address") }
    return address
}
