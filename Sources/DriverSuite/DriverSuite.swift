import Devices
import NicDriver

/// One list of cases that every driver passes on every backend: a model in this process, one behind a socket, and a NIC
/// behind a kernel's VFIO. Two ports on one wire, one thread.
public struct DriverCase: Sendable {
    public let name: String
    public let run: @Sendable (Rig) throws -> Void

    init(_ name: String, _ run: @escaping @Sendable (Rig) throws -> Void) {
        self.name = name
        self.run = run
    }
}

public enum DriverSuite {
    public static let cases: [DriverCase] =
        openingCases + frameCases + jumboCases + ringCases + filterCases + checksumCases + countingCases + waitingCases
        + queuePairCases + stoppingCases
}

/// What a case found wrong.
public struct CaseFailure: Error, CustomStringConvertible {
    public let description: String
}

/// The two ends that a case works with, opened anew by each case.
public struct Rig: Sendable {
    public let left: String
    public let right: String

    /// - Parameters: device URLs of two ports on one wire.
    public init(left: String, right: String) {
        self.left = left
        self.right = right
    }

    func openLeft(_ options: PortOptions = .suite) throws -> any Port { try Devices.open(left, options: options) }
    func openRight(_ options: PortOptions = .suite) throws -> any Port { try Devices.open(right, options: options) }

    /// What the left device can do at most.
    func capabilities() throws -> PortCapabilities {
        let port = try openLeft()
        defer { try? port.stop() }
        return port.capabilities
    }

    /// Longest frame of the jumbo cases: 9014 bytes, or what both devices can do.
    func jumbo() throws -> PortOptions {
        let right = try openRight()
        let left = try openLeft()
        defer { try? left.stop() }
        defer { try? right.stop() }
        let longest = min(9014, left.capabilities.longestFrameByteCount, right.capabilities.longestFrameByteCount)
        return .suite.with { $0.maximumFrameByteCount = longest }
    }

    /// Opens both, right first so that the left one finds a link.
    func open(_ options: PortOptions = .suite) throws -> Pair {
        let right = try openRight(options)
        return Pair(left: try openLeft(options), right: right)
    }
}

extension PortOptions {
    /// Small rings, so that cases wrap them soon.
    static var suite: PortOptions {
        var options = PortOptions()
        options.receiveRingSize = 128
        options.transmitRingSize = 128
        options.sparePackets = 256
        options.memory = .hugepagesIfThere
        return options
    }

    func with(_ change: (inout PortOptions) -> Void) -> PortOptions {
        var copy = self
        change(&copy)
        return copy
    }
}

func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw CaseFailure(description: message()) }
}
