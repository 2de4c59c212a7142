import LinuxIO
import RelayPlan

extension RelayPlan {
    /// Makes the directory, for this user alone, and writes the VIOT table into it.
    func writeTable() throws {
        do {
            let directory = try PrivateDirectory(path: options.directory)
            try directory.replaceFile(viotPath.split(separator: "/").last.map(String.init) ?? "", with: topology.viot.bytes)
        } catch { throw Ending.failed("\(error) Choose another --directory.") }
    }
}
