import Devices
import LinuxIO

/// What a user asks for: the devices of the ranks, and whether their calls are counted.
struct MPIJob {
    let deviceURLs: [String]
    let tracking: MPITracking

    struct Impossible: Error, CustomStringConvertible {
        let description: String
    }

    /// The ranks' devices: those that were named, else those of the environment; nil: the provider's default.
    func devices() throws(DeviceList.Failure) -> DeviceList? {
        if !deviceURLs.isEmpty { return try DeviceList(urls: deviceURLs) }
        guard let text = environmentVariable(DeviceList.variable) else { return nil }
        return try DeviceList(text: text)
    }

    /// - Parameters:
    ///   - kinds: one, or those that an environment shall fit.
    ///   - devices: as the variable carries them.
    func settings(for kinds: [MPIKind], devices: String?) throws -> MPISettings {
        let canPreload = kinds != [.mpich]
        if tracking.trace != nil, !canPreload {
            throw Impossible(
                description: "A trace is for Open MPI: libunic-mpi.so is built with its headers. Leave it out for MPICH.")
        }
        let libraries = try InstalledLibraries.installed()
        let provider = try libraries.folder(of: InstalledLibraries.providerName)
        var preload: String?
        if tracking.isOn, canPreload {
            preload = try libraries.folder(of: InstalledLibraries.reportName) + "/" + InstalledLibraries.reportName
            if let others = environmentVariable("LD_PRELOAD"), !others.isEmpty { preload? += ":" + others }
        }
        return MPISettings(for: kinds, providerFolder: provider, devices: devices, tracking: tracking, preload: preload)
    }
}
