import CLibfabric
import LinuxIO
import MPIBridge
import NicDriver

/// What is looked at from time to time while an endpoint is driven: its port, and its peers on this machine.
enum LookingAround {
    /// Nanoseconds between looks, and of a peer's silence before a look.
    static let interval: UInt64 = 200_000_000
}

extension OpenEndpoint {
    mutating func lookAround(now: UInt64) {
        lookAroundAt = now &+ LookingAround.interval
        lookAfterPort()
        lookAfterNeighbours(now: now)
    }

    /// A device that is gone ends every operation. A link that is down does not: cables are put back, and peers' patience is longer.
    private mutating func lookAfterPort() {
        guard let port, let error = Self.loss(of: port) else { return }
        Provider.core.write(FI_LOG_WARN, "\(error)")
        Complaint.once("unic: \(error) All operations on it end with an error.\n")
        transport?.declarePortDead()
        datagrams?.declarePortDead()
        // Peers on this machine see it as they see the end of the process.
        neighbours = nil
        lookAroundAt = .max
    }

    private static func loss(of port: any Port) -> PortError? {
        do throws(PortError) { try port.checkHealth() } catch {
            if case .linkDown = error { return nil }
            return error
        }
        return nil
    }
}
