import Foundation
import LabKit
import LinuxIO
import Testing

/// A guest that has its IOMMU from `unic relay`, with two NICs of ours behind it.
struct RelayedGuest {
    var guest: Guest
    let directory: String

    init(_ kernel: Guest.Kernel, parameters: String = "") throws {
        guest = try Binaries.guest()
        guest.kernel = kernel
        guest.emulator = .backports
        guest.iommu = .none
        guest.portCounts = [:]
        let name = "\(processIdentifier)-\(UInt32.random(in: 0 ... .max))"
        directory = "/tmp/unic-relayed-\(name)"
        guest.relayDirectory = directory
        guest.relayedDevices = [String](repeating: "soft:relayed-\(name)\(parameters)", count: 2)
    }

    var addresses: [String] { guest.relayedDevices.indices.map(guest.address(ofRelayed:)) }

    /// Arguments for a program of unic's: both NICs.
    func devices(_ parameters: String = "") -> String { addresses.map { "--device 'vfio:\($0)\(parameters)'" }.joined(separator: " ") }

    func start(_ script: String, seconds: Int) throws -> RunningGuest {
        try guest.start(Self.tools + script, timeLimitSeconds: seconds)
    }

    /// What the relay tells while the script waits at a mark.
    func reading(at mark: String, of running: RunningGuest, seconds: Int = 150) throws -> RelayReading {
        try #require(running.wait(for: mark, seconds: seconds), "\(mark) was not reached")
        defer { try? running.leave("\(mark)-seen") }
        // Its last numbers come when it sleeps, at once.
        sleepMicroseconds(100_000)
        return try RelayReading(directory)
    }

    /// Functions for scripts.
    private static let tools = """
        pause() { touch /lab/results/$1; until [ -e /lab/results/$1-seen ]; do sleep 0.05; done; }

        """
}

/// A ping-pong's JSON in a file of a run: nothing was lost, and each size has as many round trips as were asked for.
func expectPingPong(_ run: GuestRun, _ file: String, sizes: [Int], count: Int) throws {
    let text = try run.file(file)
    let all = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(file): \(text)")
    #expect(all["lost"] as? Int == 0 && all["corrupt"] as? Int == 0, "\(file): \(text)")
    let results = all["results"] as? [[String: Any]] ?? []
    #expect(results.map { $0["size"] as? Int } == sizes && results.allSatisfy { $0["count"] as? Int == count }, "\(file): \(text)")
}
