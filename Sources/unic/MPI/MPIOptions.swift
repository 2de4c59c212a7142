import ArgumentParser
import Devices
import LinuxIO

/// What `unic mpirun-args` and `unic env` have in common.
struct MPIOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Devices of a machine, one for each of its ranks; one soft: device, or one with %r, serves all. Without: UNIC_DEVICES, else a wire of the job in memory.",
            valueName: "url"))
    var device: [String] = []
    @Option(
        help: ArgumentHelp(
            "Count what the program sends, and tell at its end: 'text' for a table on standard error, or a file for JSON. Open MPI only.",
            valueName: "text|file"))
    var report: String?
    @Option(help: ArgumentHelp("Keep the first calls of each rank in FILE.RANK.csv. Open MPI only.", valueName: "file"))
    var trace: String?

    /// As they go to the ranks; nil: the default.
    func devices() throws -> DeviceList? {
        do throws(DeviceList.Failure) {
            if !device.isEmpty { return try DeviceList(urls: device) }
            return try environmentVariable(DeviceList.variable).map { text throws(DeviceList.Failure) in try DeviceList(text: text) }
        } catch { throw Ending.failed("\(error)") }
    }

    /// - Parameter devices: as the variable carries them.
    func settings(for kinds: [MPIKind], devices: String?) throws -> MPISettings {
        let tracking = MPITracking(report: report, trace: trace)
        if tracking.isOn, !kinds.contains(where: { $0 != .mpich }) {
            throw Ending.failed(
                "--report and --trace are for Open MPI: libunic-mpi.so is built with its headers. Leave them out for MPICH, and look with `unic top`."
            )
        }
        do {
            let libraries = try InstalledLibraries.installed()
            let provider = try libraries.folder(of: InstalledLibraries.providerName)
            let preload =
                tracking.isOn ? try libraries.folder(of: InstalledLibraries.reportName) + "/" + InstalledLibraries.reportName : nil
            let others = environmentVariable("LD_PRELOAD").map { $0.isEmpty ? "" : ":" + $0 } ?? ""
            return MPISettings(
                for: kinds, providerFolder: provider, devices: devices, tracking: tracking, preload: preload.map { $0 + others })
        } catch { throw Ending.failed("\(error)") }
    }
}
