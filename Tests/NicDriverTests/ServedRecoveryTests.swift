import DeviceMemory
import Devices
import LinuxIO
import NicDriver
import Synchronization
import Testing

/// What an application was told.
final class Notices: Sendable {
    private let held = Mutex<[String]>([])
    var texts: [String] { held.withLock { $0 } }
    func add(_ text: String) { held.withLock { $0.append(text) } }
}

/// Each family on a served model whose server is started again, with a model in this thread at the other end of the wire.
@Suite(.serialized) struct ServedRecoveryTests {
    /// A server on a thread of its own; ended with its owner.
    private final class Server {
        private final class Control: Sendable { let stop = Mutex<(@Sendable () -> Void)?>(nil) }
        private let control = Control()
        private var thread: WorkerThread<Void>?

        init(_ model: String, at path: String) throws {
            let isReady = StopFlag()
            thread = try WorkerThread { [control] in
                guard let url = try? DeviceURL(model), let server = try? ModelServer(model: url, socketPath: path, options: .init()) else {
                    return
                }
                let own = server.control
                control.stop.withLock { $0 = { own.stop() } }
                try? server.serve { isReady.raise() }
            }
            let deadline = Deadline(afterMilliseconds: 10_000)
            while !isReady.isRaised, !deadline.hasPassed { sleep(milliseconds: 1) }
            #expect(isReady.isRaised)
        }

        deinit {
            control.stop.withLock { $0 }?()
            thread.take()?.join()
        }
    }

    /// A port that another thread uses, and its first one leaves alone meanwhile.
    private struct HandedOver: @unchecked Sendable {
        let port: any Port
        init(_ port: any Port) { self.port = port }
    }

    private static func options() -> PortOptions {
        var options = PortOptions()
        options.memory = .ordinaryPages
        return options
    }

    private func send(_ port: any Port, from source: MACAddress, to destination: MACAddress, _ mark: UInt8) {
        guard var packet = port.makePacket() else {
            Issue.record("no packet")
            return
        }
        packet.byteCount = 60
        packet.window.fill(0)
        packet.window.store(destination.bytes + source.bytes + [0x88, 0xb5, mark], at: 0)
        var batch = port.makeBatch(capacity: 1)
        _ = batch.append(packet)
        #expect(port.send(&batch) == 1)
    }

    /// Whether a frame with this mark arrives; the port at the other end takes steps meanwhile.
    private func hears(_ port: any Port, _ mark: UInt8, while other: any Port) -> Bool {
        var batch = port.makeBatch(capacity: 8)
        var ignored = other.makeBatch(capacity: 8)
        let deadline = Deadline(afterMilliseconds: 5000)
        while !deadline.hasPassed {
            _ = other.receive(into: &ignored)
            ignored.removeAll()
            _ = port.receive(into: &batch)
            while let packet = batch.removeFirst() { if packet.window.load8(at: 14) == mark { return true } }
            Processor.yield()
        }
        return false
    }

    @Test(arguments: ["nic=e1000e", "nic=virtio-net", "nic=virtio-net&packed=on", "nic=igbvf"])
    func framesGoBothWaysAgainAndAddressFilterAndPacketsStay(model: String) throws {
        let wire = "again-\(processIdentifier)-\(UInt32.random(in: 0 ... .max))"
        let path = "/tmp/unic-\(wire).sock"
        // A model started again has another address, unless it is given one.
        let url = "soft:\(wire)?\(model)"
        var server: Server? = try Server(url, at: path)
        let peer = try Devices.open("soft:\(wire)", options: Self.options())
        let port = try Devices.open("vfio-user:\(path)", options: Self.options())
        let further = MACAddress(bits: 0x02_00_00_00_00_99)
        var filter = ReceiveFilter()
        filter.unicast = [further]
        try port.setFilter(filter)
        let free = port.pool.freeCount
        for round in 0..<3 as Range<UInt8> {
            send(port, from: port.macAddress, to: peer.macAddress, 10 + round)
            #expect(hears(peer, 10 + round, while: port))
            for (index, address) in [port.macAddress, further].enumerated() {
                let mark = 20 + 2 * round + UInt8(index)
                send(peer, from: peer.macAddress, to: address, mark)
                #expect(hears(port, mark, while: peer), "\(model), round \(round), \(address)")
            }
            server = nil
            #expect(throws: PortError.self) { try port.checkHealth() }
            send(port, from: port.macAddress, to: peer.macAddress, 99)
            server = try Server(url, at: path)
            let start = MonotonicClock.nanoseconds()
            try port.recover(timeoutMilliseconds: 5000)
            #expect(MonotonicClock.nanoseconds() - start < 1_000_000_000)
            try port.checkHealth()
        }
        // The frame that went into the ring of a lost device each time, and perhaps reports that were outstanding.
        #expect(port.counters.recoveries == 3 && (3...9).contains(port.counters.framesLostInRecovery))
        #expect(port.pool.freeCount == free)
        try port.stop()
        #expect(port.pool.freeCount == port.pool.capacity)
        try peer.stop()
        withExtendedLifetime(server) {}
    }

    @Test func sleepersAreWokenByTheNextServersInterrupts() throws {
        for model in ["nic=e1000e", "nic=virtio-net", "nic=virtio-net&packed=on", "nic=igbvf"] {
            let wire = "woken-\(processIdentifier)-\(UInt32.random(in: 0 ... .max))"
            let path = "/tmp/unic-\(wire).sock"
            var server: Server? = try Server("soft:\(wire)?\(model)", at: path)
            let peer = try Devices.open("soft:\(wire)", options: Self.options())
            var options = Self.options()
            options.wait = .interrupt
            let port = try Devices.open("vfio-user:\(path)", options: options)
            server = nil
            #expect(throws: PortError.self) { try port.waitForReceive(timeoutMilliseconds: 1000) }
            server = try Server("soft:\(wire)?\(model)", at: path)
            try port.recover(timeoutMilliseconds: 5000)
            let before = port.counters.interrupts
            let (handed, to) = (HandedOver(peer), port.macAddress)
            let sender = try WorkerThread { [self] in
                sleep(milliseconds: 300)
                send(handed.port, from: handed.port.macAddress, to: to, 7)
            }
            // Sleeps by then, in slices.
            try port.waitForReceive(timeoutMilliseconds: 5000)
            sender.join()
            #expect(port.counters.interrupts > before, "\(model)")
            #expect(hears(port, 7, while: peer), "\(model)")
            withExtendedLifetime(server) {}
        }
    }

    @Test func anotherVirtioDeviceIsToldApart() throws {
        let wire = "other-\(processIdentifier)-\(UInt32.random(in: 0 ... .max))"
        let path = "/tmp/unic-\(wire).sock"
        var server: Server? = try Server("soft:\(wire)?nic=virtio-net", at: path)
        let port = try Devices.open("vfio-user:\(path)", options: Self.options())
        server = nil
        server = try Server("soft:\(wire)?nic=virtio-net&packed=on", at: path)
        let failure = #expect(throws: PortError.self) { try port.recover(timeoutMilliseconds: 5000) }
        guard case .device(.notUsable(_, _, let reason, _))? = failure else { Issue.record("\(String(describing: failure))"); return }
        #expect(reason.contains("another one"))
        server = nil
        server = try Server("soft:\(wire)?nic=virtio-net", at: path)
        try port.recover(timeoutMilliseconds: 5000)
        try port.checkHealth()
        withExtendedLifetime(server) {}
    }
}
