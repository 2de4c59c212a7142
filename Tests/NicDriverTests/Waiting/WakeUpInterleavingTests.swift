import DeviceMemory
import Devices
import LinuxIO
import NicDriver
import Testing

/// The race between arming and arrival, on each family's model: a frame is put on the wire before or after every single
/// access that a waiting thread makes, and the model takes it in there and then, as hardware does: armed it interrupts, else
/// it is silent. Each time the wait ends by the frame, at once. Only interrupts and looks end a wait here, no wire's wake-up.
@Suite(.serialized) struct WakeUpInterleavingTests {
    static let families = ["e1000e", "igbvf", "virtio-net", "virtio-net&packed=on"]

    /// A receiver that is watched, and who sends to it.
    private struct Bench {
        let device: InterposedDevice
        let receiver: any Port
        let sender: any Port

        init(family: String, wait: PortOptions.WaitMode, goesByItself: Bool = false) throws {
            let wire = "soft:interleaving-\(processIdentifier)?nic=\(family)"
            var options = PortOptions()
            options.receiveRingSize = 64
            options.transmitRingSize = 64
            options.sparePackets = 64
            options.memory = .ordinaryPages
            device = InterposedDevice(try Devices.access(wire))
            // Both ends are on the wire before the first looks for a link.
            let other = try Devices.access(wire)
            sender = try Devices.openPort(on: other, options: options)
            options.wait = wait
            device.goesByItself = goesByItself
            let watched = device
            if goesByItself { device.passes = { watched.turn() } }
            receiver = try Devices.openPort(on: device, options: options)
            device.passes = {}
        }

        func send() {
            guard var packet = sender.makePacket() else { return }
            packet.byteCount = 60
            packet.window.store(receiver.macAddress.bytes + sender.macAddress.bytes + [0x88, 0xb5], at: 0)
            var batch = sender.makeBatch(capacity: 1)
            _ = batch.append(packet)
            _ = sender.send(&batch)
        }

        /// Waits with a frame at access number `step`. Returns the milliseconds from its arrival to the wait's end.
        func wait(arrivalAt step: Int?, timeout: Int32) throws -> (milliseconds: UInt64, steps: Int) {
            var count = 0
            var arrivedAt = MonotonicClock.nanoseconds()
            device.passes = {
                if count == step {
                    arrivedAt = MonotonicClock.nanoseconds()
                    self.send()
                    self.device.turn()
                }
                count += 1
            }
            defer { device.passes = {} }
            try receiver.waitForReceive(timeoutMilliseconds: timeout)
            return ((MonotonicClock.nanoseconds() - arrivedAt) / 1_000_000, count)
        }

        /// Arms and sleeps as an owner does who waits for other things, too, with a frame at access number `step`; `.max`: when it is
        /// armed.
        func armAndSleep(arrivalAt step: Int?, timeout: Int32) throws -> (milliseconds: UInt64, steps: Int) {
            var count = 0
            var arrivedAt = MonotonicClock.nanoseconds()
            device.passes = {
                if count == step {
                    arrivedAt = MonotonicClock.nanoseconds()
                    self.send()
                    self.device.turn()
                }
                count += 1
            }
            defer { device.passes = {} }
            let pair = receiver.queuePairs[0]
            var found = pair.armReceive()
            if step == .max {
                #expect(found != .received)
                send()
                device.turn()
            }
            // An interrupt may be for nothing, or for a frame of before.
            while case .armed(let descriptor) = found, !waitForReadable([descriptor], timeoutMilliseconds: timeout).isEmpty {
                pair.disarmReceive()
                found = pair.armReceive()
            }
            if found != .cannot { pair.disarmReceive() }
            #expect(found != .cannot)
            return ((MonotonicClock.nanoseconds() - arrivedAt) / 1_000_000, count)
        }

        func takeAll() -> Int {
            var batch = receiver.makeBatch(capacity: 32)
            return receiver.receive(into: &batch)
        }
    }

    @Test(arguments: families) func noInterleavingLosesAnArming(family: String) throws {
        let bench = try Bench(family: family, wait: .interrupt, goesByItself: true)
        _ = bench.takeAll()
        let steps = try bench.armAndSleep(arrivalAt: nil, timeout: 40).steps
        // virtio-net's is armed by memory alone.
        #expect(steps >= (family.hasPrefix("virtio") ? 0 : 2), "arming with \(steps) accesses was not watched")
        for step in Array(0..<steps) + [.max] {
            let took = try bench.armAndSleep(arrivalAt: step, timeout: 2000).milliseconds
            #expect(took < 150, "\(family): a frame at access \(step) of \(steps) was noticed after \(took) ms")
            #expect(bench.takeAll() == 1, "\(family): the frame of access \(step) was lost or came twice")
        }
        try bench.receiver.stop()
        try bench.sender.stop()
    }

    @Test func aPortThatPollsWakesNobody() throws {
        let bench = try Bench(family: "e1000e", wait: .poll)
        #expect(bench.receiver.queuePairs[0].armReceive() == .cannot)
        try bench.receiver.stop()
        try bench.sender.stop()
    }

    @Test(arguments: families, [PortOptions.WaitMode.interrupt, .adaptive(spinMicroseconds: 5)])
    func noInterleavingLosesAWakeUp(family: String, mode: PortOptions.WaitMode) throws {
        let bench = try Bench(family: family, wait: mode)
        _ = bench.takeAll()
        // How many accesses a wait has that nothing ends.
        let steps = min(400, try bench.wait(arrivalAt: nil, timeout: 40).steps)
        #expect(steps > 8, "a wait of \(steps) accesses was not watched")
        var reached = 0
        for step in 0..<steps {
            let (took, count) = try bench.wait(arrivalAt: step, timeout: 2000)
            // Spinning has as many accesses as it has time for.
            if count <= step { continue }
            reached += 1
            #expect(took < 150, "\(family): a frame at access \(step) of \(steps) was noticed after \(took) ms")
            #expect(bench.takeAll() == 1, "\(family): the frame of access \(step) was lost or came twice")
        }
        #expect(mode == .interrupt ? reached == steps : reached > 8, "\(reached) of \(steps) accesses were reached")
        try bench.receiver.stop()
        try bench.sender.stop()
    }
}
