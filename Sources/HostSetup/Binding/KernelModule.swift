import LinuxIO

/// Kernel modules by modprobe(8), which knows what a module needs.
enum KernelModule {
    /// Loads a module. nil: done; else what modprobe said.
    static func load(_ name: String) -> String? {
        // A PATH without /sbin is common where a user became root by sudo or su.
        for program in ["modprobe", "/usr/sbin/modprobe", "/sbin/modprobe"] {
            guard let child = try? ChildProcess(program, arguments: ["--", name]) else { continue }
            switch child.wait(timeoutMilliseconds: 30_000) {
            case .exited(0): return nil
            case .some: return HostPaths.printable(child.errorText.split(separator: "\n").first ?? "an error")
            case .none: return "nothing within 30 s"
            }
        }
        return "there is no modprobe here (package kmod)"
    }
}
