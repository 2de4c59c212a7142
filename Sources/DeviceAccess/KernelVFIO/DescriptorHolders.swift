import LinuxIO

/// Who has a file open. /proc shows the descriptors of one's own processes, and everybody's to root.
package enum DescriptorHolders {
    /// `name (pid N)` of each process with a descriptor of `path`, in the order of /proc.
    /// - Parameter own: a process that is left out.
    package static func of(_ path: String, paths: KernelPaths, except own: String = "") -> [String] {
        let processes = ((try? directoryEntryNames(paths.proc)) ?? []).filter { name in
            name != own && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        return processes.filter { holds(path, process: $0, paths) }.map { process in
            let name = (try? readSmallFile("\(paths.proc)/\(process)/comm"))?.split(whereSeparator: \.isNewline).first
            return "\(name.map(String.init) ?? "a process") (pid \(process))"
        }
    }

    private static func holds(_ path: String, process: String, _ paths: KernelPaths) -> Bool {
        let directory = "\(paths.proc)/\(process)/fd"
        return ((try? directoryEntryNames(directory)) ?? []).contains { (try? symbolicLinkTarget(of: "\(directory)/\($0)")) == path }
    }
}
