import Devices
import LinuxIO
import NicDriver
import Testing

@testable import MPIBridge

/// Messages go through the drivers: what the ports count is what their lengths need, and little more.
@Suite struct FrameCountTests {
    private final class End {
        let port: any Port
        var endpoint: MessageEndpoint
        var peer = PeerID.any

        init(wire: String, nic: String, number: UInt64) throws {
            var options = PortOptions()
            options.maximumFrameByteCount = FrameCountTests.frameByteCount
            port = try Devices.open("soft:\(wire)?nic=\(nic)&mac=02:00:00:00:00:0\(number)", options: options)
            let address = EndpointAddress(key: number, mac: port.macAddress, ipv4: 0x0a00_0000 + UInt32(number), udpPort: 7_000)
            endpoint = MessageEndpoint(port: port, address: address, options: TransportOptions(), now: MonotonicClock.nanoseconds())
        }
    }

    private static let frameByteCount = 1_514

    /// Frames that a message's bytes need at least, as the format's description has them (FrameLayout.swift).
    private static func frames(_ byteCount: Int) -> Int {
        if byteCount > TransportOptions().eagerLimit { return (byteCount + frameByteCount - 96 - 1) / (frameByteCount - 96) + 1 }
        let first = frameByteCount - 104, more = frameByteCount - 88
        return byteCount <= first ? 1 : 1 + (byteCount - first + more - 1) / more
    }

    @Test(arguments: ["e1000e", "igbvf", "virtio-net"], [(8, 200), (1_410, 50), (1_411, 50), (16_384, 20), (65_536, 10), (1 << 20, 3)])
    func portsCountWhatMessagesNeed(nic: String, messages: (byteCount: Int, count: Int)) throws {
        let wire = "frames-\(processIdentifier)-\(nic)-\(messages.byteCount)"
        let a = try End(wire: wire, nic: nic, number: 1), b = try End(wire: wire, nic: nic, number: 2)
        a.peer = a.endpoint.peer(for: b.endpoint.address, now: 0) ?? .any
        b.peer = b.endpoint.peer(for: a.endpoint.address, now: 0) ?? .any
        let bytes = TestBytes((0..<messages.byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let place = TestBytes(count: messages.byteCount)
        let deadline = Deadline(afterMilliseconds: 30_000)
        for _ in 0..<messages.count {
            let now = MonotonicClock.nanoseconds()
            var posting = b.endpoint.receive(ReceiveRequest(space: .tagged, memory: place.application), now: now)
            #expect(posting == .accepted)
            posting = a.endpoint.send(SendRequest(to: a.peer, space: .tagged, memory: bytes.application), now: now)
            #expect(posting == .accepted)
            var completions = 0
            while completions < 2, !deadline.hasPassed {
                for end in [a, b] {
                    _ = end.endpoint.progress(now: MonotonicClock.nanoseconds())
                    while let completion = end.endpoint.takeCompletion() { completions += completion.error == nil ? 1 : 0 }
                }
            }
            #expect(completions == 2)
        }
        while !a.endpoint.isQuiet || !b.endpoint.isQuiet, !deadline.hasPassed {
            for end in [a, b] { _ = end.endpoint.progress(now: MonotonicClock.nanoseconds()) }
        }
        #expect(place.bytes == bytes.bytes)
        let (transportA, transportB) = (a.endpoint.counters, b.endpoint.counters)
        let needed = UInt64(Self.frames(messages.byteCount) * messages.count)
        // No frame goes another way than the ports', and none of the wire's is missing.
        #expect(a.port.counters.sentFrames == transportA.framesSent && b.port.counters.sentFrames == transportB.framesSent)
        #expect(b.port.counters.receivedFrames == transportB.framesReceived && transportB.framesReceived == transportA.framesSent)
        #expect(transportA.framesReceived == transportB.framesSent)
        // What is more than the messages themselves was sent again, or acknowledges.
        #expect(transportA.framesSent >= needed, "\(transportA.framesSent) frames for \(needed)")
        #expect(transportA.framesSent - transportA.retransmittedFrames - transportA.acknowledgementsSent == needed)
        #expect(transportA.acknowledgementsSent <= UInt64(messages.count))
        // The other side answers: a grant for a long message, an acknowledgement for four bulk frames or eight, or one a message.
        #expect(transportB.framesSent <= needed / 2 + 2 * UInt64(messages.count) + transportA.retransmittedFrames)
        #expect(a.port.counters.sentBytes >= UInt64(messages.byteCount * messages.count) + 80 * needed)
    }
}
