import Glibc
import LinuxIO
import SystemPackage

@testable import DeviceAccess

/// A made-up /sys, /dev and /proc in a directory of its own, removed with its owner.
final class FakeTree {
    let root: String
    var paths: KernelPaths { KernelPaths(sys: "\(root)/sys", dev: "\(root)/dev", proc: "\(root)/proc") }

    init() throws {
        root = try FakeTree.freshDirectory()
        for directory in ["sys/bus/pci/devices", "sys/bus/pci/drivers", "sys/class/iommu", "sys/kernel/iommu_groups", "dev/vfio", "proc"] {
            try makeDirectory(directory)
        }
    }

    private static func freshDirectory() throws -> String {
        for number in 0..<1000 {
            let path = "/tmp/unic-fake-tree-\(getpid())-\(MonotonicClock.nanoseconds())-\(number)"
            // SAFETY: the path lives for the call.
            if unsafe mkdir(path, 0o700) == 0 { return path }
        }
        throw SystemCallError(call: "mkdir", subject: "a fake tree in /tmp", errno: .fileExists)
    }

    deinit { FakeTree.remove(root) }

    /// A function, with its driver and group if it has them.
    func add(_ address: String, driver: String? = nil, group: String? = nil) throws {
        let device = "sys/bus/pci/devices/\(address)"
        try makeDirectory(device)
        if let driver {
            try makeDirectory("sys/bus/pci/drivers/\(driver)")
            try link("\(device)/driver", to: "../../drivers/\(driver)")
        }
        if let group {
            try makeDirectory("sys/kernel/iommu_groups/\(group)/devices")
            try link("\(device)/iommu_group", to: "../../../../kernel/iommu_groups/\(group)")
            try link("sys/kernel/iommu_groups/\(group)/devices/\(address)", to: "../../../../bus/pci/devices/\(address)")
        }
    }

    /// A directory with all that lead to it.
    func makeDirectory(_ path: String) throws {
        var built = root
        for part in path.split(separator: "/") {
            built += "/\(part)"
            let here = built
            // SAFETY: the path lives for the call.
            if unsafe mkdir(here, 0o755) != 0, errno != EEXIST {
                throw SystemCallError(call: "mkdir", subject: here, errno: Errno(rawValue: errno))
            }
        }
    }

    func link(_ path: String, to target: String) throws {
        // SAFETY: both paths live for the call.
        try systemCall("symlink", on: path) { unsafe symlink(target, "\(root)/\(path)") }
    }

    func write(_ path: String, _ text: String) throws {
        _ = try OwnedDescriptor.open("\(root)/\(path)", flags: O_CREAT | O_WRONLY, mode: 0o600)
        try writeSmallFile("\(root)/\(path)", text)
    }

    private static func remove(_ path: String) {
        // A link to a directory is removed, not followed.
        let isLink = (try? symbolicLinkTarget(of: path)) != nil
        for name in isLink ? [] : (try? directoryEntryNames(path)) ?? [] { remove("\(path)/\(name)") }
        // SAFETY: the path lives for the call.
        _ = unsafe Glibc.remove(path)
    }
}
