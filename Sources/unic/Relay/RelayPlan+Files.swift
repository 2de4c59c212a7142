import LinuxIO
import RelayPlan

extension RelayPlan {
    /// Makes the directory, for this user alone, and writes the VIOT table into it, if the guest gets one.
    func writeTable() throws {
        do {
            let directory = try PrivateDirectory(path: options.directory)
            guard options.viommu == .relay else { return }
            let file = try directory.openFile(String(viotPath.dropFirst(options.directory.count + 1)))
            try file.resize(to: 0, subject: viotPath)
            try file.write(topology.viot.body, at: 0, subject: viotPath)
        } catch { throw Ending.failed("\(error) Choose another --directory.") }
    }
}
