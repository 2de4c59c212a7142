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
        let network: RoutedNetwork?
        do throws(RoutedNetwork.Failure) { network = try .current() } catch { return refuse("\(error)") }
        let port: any Port
        do throws(PortError) {
            port = try openPort()
        } catch {
            return refuse("\(error)")
        }
        state.port = port
        state.owner = getpid()
        var address = EndpointAddress(of: port)
        if let network { address.ipv4 = network.ipv4 }
        state.address = address
        if state.isDatagram {
            state.datagrams = DatagramEndpoint(port: port, address: address, options: state.transportOptions(network))
        } else {
            state.transport = MessageEndpoint(
                port: port, address: address, options: state.transportOptions(network), now: MonotonicClock.nanoseconds())
        }
        // Also those that are reached in another way, by a model's server, may have peers on a wire of this machine.
        if let key = state.transport?.address.key { state.neighbours = try? LocalNeighbours(key: key) }
        state.watchesNeighbours = PortOptions.isLocal(state.domain.state.device)
        state.lookAroundAt = MonotonicClock.nanoseconds() &+ LookingAround.interval
        state.setDefaults()
        vector.state.endpoints.append(self)
        for (number, address) in vector.state.addresses.enumerated() {
            if let address, !state.learn(address, number: UInt64(number)) { return FabricError.noMemory }
        }
        state.domain.state.endpoints.append(self)
        if let thread = state.domain.state.thread, !thread.add(self) { return FabricError.noMemory }
        for region in state.domain.state.regions.values where !state.register(region) { return FabricError.noMemory }
        return 0
    }

    private func refuse(_ reason: String) -> Int32 {
        Provider.core.write(FI_LOG_WARN, reason)
        Complaint.once(reason)
        return FabricError.noDevice
    }

    /// One that interrupts, if somebody may wait for that and the device can.
    private func openPort() throws(PortError) -> any Port {
        let device = state.domain.state.device
        var options = PortOptions.transport(for: device)
        let isWaitedFor = state.transmitQueue?.state.wantsInterrupts == true || state.receiveQueue?.state.wantsInterrupts == true
        if isWaitedFor || state.domain.state.thread != nil {
            options.wait = .interrupt
            if let port = try? Devices.open(device, options: options) { return port }
            options.wait = .poll
        }
        return try Devices.open(device, options: options)
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

    fileprivate func transportOptions(_ network: RoutedNetwork?) -> TransportOptions {
        var options = TransportOptions()
        options.router = network?.router
        options.answersAlone = domain.state.thread != nil
        options.minimumMultiReceive = settings.minimumMultiReceive
        options.reportsAccesses = reportsAccesses || counters.countsAccesses
        if let vector = addressVector {
            let count = max(vector.state.expectedCount, vector.state.addresses.count)
            options.peerCapacity = min(max(options.peerCapacity, count), AddressVector.limit)
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
    /// Bytes of an IP packet (MTU) on a wire within this machine: the longest, since a frame costs much and a byte little. Elsewhere
    /// it is what every Ethernet takes.
    private static let localPacketByteCount = 9000, packetByteCount = 1500

    /// Whether a device's wire ends in this machine.
    static func isLocal(_ device: String) -> Bool {
        device.hasPrefix("soft:") && !device.hasPrefix("soft:tap:") && !device.hasPrefix("soft:udp:")
    }

    /// `UNIC_MTU` is for networks of jumbo frames; all processes of a job need the same.
    static func transport(for device: String) -> PortOptions {
        var options = PortOptions()
        // A local wire keeps what has no descriptor yet, and a ring that is short stays in the processor's cache: 1 MiB arrives in 55 µs
        // with 64 packets of 9,000 bytes, in 90 with 1024.
        options.receiveRingSize = isLocal(device) ? 64 : 1024
        options.transmitRingSize = 1024
        options.sparePackets = 1024
        options.publishesStatistics = true
        let wanted = environmentVariable("UNIC_MTU").flatMap { Int($0) }
        // Without FCS: 14 bytes in front of the IP packet.
        options.maximumFrameByteCount =
            (wanted.map { min(max($0, 576), 9000) } ?? (isLocal(device) ? localPacketByteCount : packetByteCount)) + 14
        return options
    }
}
