import Devices

/// Which device is this process's: one NIC function a process.
///
/// `UNIC_DEVICES` names the devices of a machine, separated by spaces or semicolons (a `udp:` wire has commas). The process with
/// local rank n takes the n-th, counted from 0. One `soft:` device, or one with `%r` in it, serves all ranks. Without the variable
/// it is the in-process NIC on a wire of the job, `soft:mpi-%j`.
struct DeviceChoice: Equatable, Sendable {
    /// With `%r` and `%j` replaced.
    let url: String

    enum Failure: Error, Equatable, CustomStringConvertible {
        case empty
        case noDevice(rank: Int, count: Int)
        case strangeRank(String)
        case device(String)

        var description: String {
            switch self {
            case .empty: "UNIC_DEVICES is set and names no device. Give URLs, separated by spaces, or unset it."
            case .noDevice(let rank, let count):
                "UNIC_DEVICES names \(count) device\(count == 1 ? "" : "s"), and the process with local rank \(rank) needs number \(rank + 1). Name one device for each process of a machine, start fewer processes, or write one URL with %r in it."
            case .strangeRank(let text): "The launcher's local rank '\(text)' is no number."
            case .device(let text): text
            }
        }
    }

    /// - Parameter list: the value of `UNIC_DEVICES`, nil if it is not set.
    init(list: String?, launch: MPILaunch) throws(Failure) {
        let text = try Self.choose(from: list, launch: launch)
        do { url = try DeviceURL(text, launch: launch).description } catch { throw .device(error.description) }
    }

    private static func choose(from list: String?, launch: MPILaunch) throws(Failure) -> String {
        guard let list else { return launch.job == nil ? "soft:mpi" : "soft:mpi-%j" }
        let devices = list.split { $0.isWhitespace || $0 == ";" }.map(String.init)
        guard let first = devices.first else { throw .empty }
        if devices.count == 1, first.hasPrefix("soft:") || first.contains("%r") { return first }
        guard let text = launch.localRank else { return first }
        guard let rank = Int(text), rank >= 0 else { throw .strangeRank(text) }
        guard rank < devices.count else { throw .noDevice(rank: rank, count: devices.count) }
        return devices[rank]
    }
}
