import CLibfabric
import Devices
import DeviceAccess
import Glibc
import LinuxIO
import MPIBridge
import NicDriver

/// From enabling to closing.
extension FabricObject where State == OpenEndpoint {
    /// fi_enable: opens the port. Errors: negative.
    func enable() -> Int32 {
        guard !state.isEnabled else { return FabricError.badState }
        guard let vector = state.addressVector else { return FabricError.noAddressVector }
        guard state.transmitQueue != nil || state.receiveQueue != nil || !state.counters.all.isEmpty else {
            return FabricError.noCompletionQueue
        }
        let port: any Port
        do throws(PortError) {
            port = try Devices.open(state.domain.state.device, options: .transport(for: state.domain.state.device))
        } catch {
            Provider.core.write(FI_LOG_WARN, "\(error)")
            Complaint.once("unic: \(error)\n")
            return FabricError.noDevice
        }
        state.port = port
        state.owner = getpid()
        let address = EndpointAddress(of: port)
        state.address = address
        if state.isDatagram {
            state.datagrams = DatagramEndpoint(port: port, address: address, options: state.transportOptions)
        } else {
            state.transport = MessageEndpoint(
                port: port, address: address, options: state.transportOptions, now: MonotonicClock.nanoseconds())
        }
        // Also those that are reached in another way, by a model's server, may have peers on a wire of this machine.
        if let key = state.transport?.address.key { state.neighbours = try? LocalNeighbours(key: key) }
        state.watchesNeighbours = PortOptions.isLocal(state.domain.state.device)
        state.lookAroundAt = MonotonicClock.nanoseconds() &+ LookingAround.interval
        state.setDefaults()
        vector.state.endpoints.append(self)
        for (number, address) in vector.state.addresses.enumerated() {
            if let address { state.learn(address, number: UInt64(number)) }
        }
        state.domain.state.endpoints.append(self)
        for region in state.domain.state.regions.values where !state.register(region) { return FabricError.noMemory }
        return 0
    }

    /// What peers still wait for goes out first, for a bounded time.
    func shutDown() {
        if let domain = Optional(state.domain) { domain.state.endpoints.removeAll { $0 == self } }
        state.addressVector?.state.endpoints.removeAll { $0 == self }
        guard state.isEnabled else { return }
        guard state.owner == getpid() else {
            // A child of the process that opened the device: the memory is a copy, the device is not ours.
            state.abandon()
            return
        }
        let deadline = Deadline(afterMilliseconds: EndpointLife.flushMilliseconds)
        while state.transport?.isQuiet == false, !deadline.hasPassed {
            progress(now: MonotonicClock.nanoseconds())
            Processor.yield()
        }
        state.transport?.sayGoodbye(now: MonotonicClock.nanoseconds())
        EndpointReport.write(
            device: state.domain.state.device, state.transport?.counters ?? state.datagrams?.counters ?? TransportCounters())
        state.transport = nil
        state.datagrams = nil
        state.neighbours = nil
        state.lookAroundAt = .max
        try? state.port?.stop()
        state.port = nil
    }
}

enum EndpointLife {
    /// How long a closing endpoint waits for acknowledgements.
    static let flushMilliseconds: UInt64 = 2000
}

extension OpenEndpoint {
    /// Lets go of the port without a word to the device: its deinit does not run.
    fileprivate mutating func abandon() {
        // SAFETY: one reference too many is what is wanted: it is never given back.
        if let port { _ = unsafe Unmanaged.passRetained(port as AnyObject) }
    }

    fileprivate var transportOptions: TransportOptions {
        var options = TransportOptions()
        options.minimumMultiReceive = settings.minimumMultiReceive
        if let expected = addressVector?.state.expectedCount {
            options.peerCapacity = min(max(options.peerCapacity, expected), AddressVector.limit)
        }
        TransportTuning.apply(to: &options)
        return options
    }
}

extension EndpointAddress {
    /// A new life at a port. Frames carry an IPv4 address so that routers and NICs take them for what they know: of the private
    /// network 10/8 (RFC 1918 §3), its lower bytes the Ethernet address's.
    init(of port: any Port) {
        self.init(
            key: UInt64.random(in: 1...UInt64.max), mac: port.macAddress,
            ipv4: 10 << 24 | UInt32(truncatingIfNeeded: port.macAddress.bits & 0xff_ffff), udpPort: Self.port)
    }

    /// Of the ports that are nobody's (RFC 6335 §6: 49152–65535).
    private static let port: UInt16 = 53_696
}

extension PortOptions {
    /// Bytes of an IP packet (MTU) on a wire within this machine: so long that a whole window of 64 frames fits into the wire's
    /// ring of 256 KiB. Elsewhere it is what every Ethernet takes.
    private static let localPacketByteCount = 4000, packetByteCount = 1500

    /// Whether a device's wire ends in this machine.
    static func isLocal(_ device: String) -> Bool {
        device.hasPrefix("soft:") && !device.hasPrefix("soft:tap:") && !device.hasPrefix("soft:udp:")
    }

    /// `UNIC_MTU` is for networks of jumbo frames; all processes of a job need the same.
    static func transport(for device: String) -> PortOptions {
        var options = PortOptions()
        options.receiveRingSize = 1024
        options.transmitRingSize = 1024
        options.sparePackets = 1024
        options.publishesStatistics = true
        let wanted = Environment.text("UNIC_MTU").flatMap { Int($0) }
        // Without FCS: 14 bytes in front of the IP packet.
        options.maximumFrameByteCount =
            (wanted.map { min(max($0, 576), 9000) } ?? (isLocal(device) ? localPacketByteCount : packetByteCount)) + 14
        return options
    }
}
