import LinuxIO
import SystemPackage

@testable import DeviceMemory

/// A tree like the kernel's with one pool of 2 MiB pages, whose numbers are plain files: it makes no pages.
final class FakePools {
    let root: String
    var files: HugepageFiles { HugepageFiles(sysRoot: root) }
    var ledger: HugepageLedger { HugepageLedger(directory: "\(root)/state", lockWaitMilliseconds: 50) }

    init(total: Int, free: Int, reserved: Int = 0, surplus: Int = 0) throws {
        root = "/tmp/unic-pools-\(MonotonicClock.nanoseconds())"
        let pool = "\(root)/kernel/mm/hugepages/hugepages-2048kB"
        let node = "\(root)/devices/system/node/node0/hugepages/hugepages-2048kB"
        let made = try ChildProcess("mkdir", arguments: ["-p", "-m", "700", pool, node, "\(root)/state"]).wait(timeoutMilliseconds: 10_000)
        guard made == .exited(0) else { throw SystemCallError(call: "mkdir", subject: root, errno: .ioError) }
        for (name, value) in [("nr", total), ("free", free), ("resv", reserved), ("surplus", surplus)] {
            try Self.write("\(pool)/\(name)_hugepages", "\(value)\n")
            if name != "resv" { try Self.write("\(node)/\(name)_hugepages", "\(value)\n") }
        }
        try Self.write("\(root)/devices/system/node/online", "0\n")
    }

    deinit { _ = try? ChildProcess("rm", arguments: ["-rf", root]).wait(timeoutMilliseconds: 10_000) }

    static func write(_ path: String, _ text: String) throws {
        let file = try FileDescriptor.open(FilePath(path), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
    }
}
