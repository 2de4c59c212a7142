import Devices
import Glibc
import LinuxIO
import NicDriver
import Synchronization

/// Which device is this process's: one NIC function a process, by the rule of the libfabric provider.
///
/// `UNIC_DEVICES` names the devices of a machine, separated by spaces or semicolons (a `udp:` wire has commas). The process with
/// local rank n takes the n-th, counted from 0. One `soft:` device, or one with `%r` in it, serves all ranks. Without the variable
/// it is the in-process NIC on the wire `verbs`.
enum DeviceChoice {
    static let fallback = "soft:verbs"

    /// - Parameter list: the value of `UNIC_DEVICES`, nil if it is not set.
    static func url(list: String?, launch: MPILaunch) -> Result<String, Failure> {
        guard let list else { return .success(fallback) }
        let devices = list.split { $0.isWhitespace || $0 == ";" }.map(String.init)
        guard let first = devices.first else {
            return .failure(Failure("UNIC_DEVICES is set and names no device. Give URLs, separated by spaces, or unset it."))
        }
        var chosen = first
        if let text = launch.localRank, devices.count > 1 || !first.hasPrefix("soft:") && !first.contains("%r") {
            guard let rank = Int(text), rank >= 0 else { return .failure(Failure("The launcher's local rank '\(text)' is no number.")) }
            guard rank < devices.count else {
                let text = "UNIC_DEVICES names \(devices.count) devices, and the process with local rank \(rank) needs number \(rank + 1)."
                return .failure(Failure(text))
            }
            chosen = devices[rank]
        }
        do { return .success(try DeviceURL(chosen, launch: launch).description) } catch { return .failure(Failure(error.description)) }
    }

    struct Failure: Error, Equatable {
        let text: String
        init(_ text: String) { self.text = text }
    }

    static func environment(_ name: String) -> String? {
        // SAFETY: the name lives for the call; the value is copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

/// What is said to a person: verbs calls have numbers for errors only.
enum Complaint {
    private static let said = Mutex<Set<String>>([])

    /// To standard error, each text once.
    static func once(_ text: String) {
        if said.withLock({ $0.insert(text).inserted }) { StandardStream.error.write("unic: \(text)\n") }
    }
}

extension PortOptions {
    /// Frames of MTU 4096 on a wire within this machine; elsewhere what every Ethernet takes, or `UNIC_MTU` bytes of an IP packet.
    static func verbs(for device: String, mtu: String?) -> PortOptions {
        var options = PortOptions()
        options.receiveRingSize = 1024
        options.transmitRingSize = 1024
        options.sparePackets = 1024
        options.publishesStatistics = true
        let local = PathMTU.bytes4096.byteCount + DatagramLayout.payload
        let wanted = mtu.flatMap { Int($0) }.map { min(max($0, 576), 9000) + 14 }
        options.maximumFrameByteCount = wanted ?? (DeviceURL.isWithinMachine(device) ? local : 1514)
        return options
    }
}

extension DeviceURL {
    /// Whether all who are on the device's wire are processes of one user on one machine (docs/wire.md).
    static func isWithinMachine(_ url: String) -> Bool {
        url.hasPrefix("soft:") && !url.hasPrefix("soft:tap:") && !url.hasPrefix("soft:udp:")
    }
}
