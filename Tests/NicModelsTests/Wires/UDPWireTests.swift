import DeviceMemory
import LinuxIO
import NicModels
import Testing

@Suite struct UDPWireTests {
    private let frame: TestFrame
    init() throws { frame = try TestFrame() }

    /// Two ends that know each other, on ports that nobody has.
    private func pair(_ host: String = "127.0.0.1") throws -> (a: DescriptorWire, b: DescriptorWire, ports: Ports) {
        while true {
            let ports = Ports(host)
            do throws(WireError) {
                return (try DescriptorWire(udp: ports.a, peer: ports.b), try DescriptorWire(udp: ports.b, peer: ports.a), ports)
            } catch {
                guard case .udp(_, _, let cause) = error, cause.errno == .addressInUse else { throw error }
            }
        }
    }

    /// One end, whose peer's port is free.
    private func lonely() throws -> (wire: DescriptorWire, ports: Ports) {
        let made = try pair()
        return (made.b, made.ports)
    }

    struct Ports {
        let a: IPEndpoint
        let b: IPEndpoint
        let stranger: IPEndpoint
        init(_ host: String) {
            let port = Int.random(in: 20_000..<32_000)
            func endpoint(_ offset: Int) -> IPEndpoint {
                guard let result = IPEndpoint("\(host):\(port + offset)") else { fatalError("\(host) is no address") }
                return result
            }
            a = endpoint(0)
            b = endpoint(1)
            stranger = endpoint(2)
        }
    }

    /// Sends bytes as they are.
    private func throwIn(_ bytes: [UInt8], from local: IPEndpoint, to peer: IPEndpoint) throws {
        let socket = try UDPSocket.connected(local: local, peer: peer)
        let memory = try DMAMemory.ordinary(byteCount: max(bytes.count, 1))
        memory.window.store(bytes, at: 0)
        // SAFETY: the memory is ours for the call and has as many bytes.
        #expect(unsafe socket.writeDatagram(memory.window.baseAddress, byteCount: bytes.count) == .bytes(bytes.count))
    }

    @Test(arguments: ["127.0.0.1", "[::1]"]) func framesOfEverySizeArriveWhole(host: String) throws {
        let (a, b, _) = try pair(host)
        for byteCount in [60, 61, 1514, wireMaximumFrameByteCount] {
            a.send(frame(broadcast(byteCount, fill: UInt8(truncatingIfNeeded: byteCount))))
            #expect(b.receive() == broadcast(byteCount, fill: UInt8(truncatingIfNeeded: byteCount)))
        }
        #expect(b.receive() == nil && a.receive() == nil)
        #expect(a.counters.sentFrames == 4 && b.counters.receivedFrames == 4)
        #expect(a.hasCarrier)
    }

    @Test func aShortFrameIsFollowedByZeros() throws {
        let (a, b, _) = try pair()
        a.send(frame(broadcast(100)))
        #expect(b.receive() != nil)
        a.send(frame(broadcast(14)))
        #expect(b.receive() == broadcast(14) + [UInt8](repeating: 0, count: 46))
    }

    @Test func aFrameStaysUntilItIsDropped() throws {
        let (a, b, _) = try pair()
        for fill: UInt8 in [1, 2] { a.send(frame(broadcast(60, fill: fill))) }
        for _ in 0..<3 { #expect(b.nextReceived()?.load8(at: 6) == 1) }
        b.dropReceived()
        b.dropReceived()
        #expect(b.nextReceived()?.load8(at: 6) == 2)
        #expect(b.counters.receivedFrames == 1)
    }

    @Test func aFrameWakesUnlessOneWasLeft() throws {
        let (a, b, _) = try pair()
        let descriptor = try #require(b.armWake())
        #expect(waitForReadable([descriptor], timeoutMilliseconds: 0).isEmpty)
        for _ in 0..<2 { a.send(frame(broadcast(60))) }
        #expect(waitForReadable([descriptor], timeoutMilliseconds: 1000) == [0])
        b.disarmWake()
        #expect(b.nextReceived() != nil)
        #expect(b.armWake() == nil)
        b.dropReceived()
        #expect(b.armWake() == descriptor)
    }

    @Test func strangersAreNotHeard() throws {
        let (_, b, ports) = try pair()
        let socket = try UDPSocket.connected(local: ports.stranger, peer: ports.b)
        let bytes = frame(broadcast(60))
        // The kernel finds no socket for it, and says so at the second try.
        // SAFETY: the memory is the frame's.
        _ = unsafe socket.writeDatagram(bytes.baseAddress, byteCount: 60)
        #expect(waitForReadable([try #require(b.armWake())], timeoutMilliseconds: 100).isEmpty)
        #expect(b.receive() == nil && b.counters == WireCounters())
    }

    @Test(arguments: [0, 1, 13, wireMaximumFrameByteCount + 1, 65_000]) func whatIsNoFrameIsCountedAndSkipped(byteCount: Int) throws {
        let (b, ports) = try lonely()
        try throwIn([UInt8](repeating: 0xff, count: byteCount), from: ports.a, to: ports.b)
        try throwIn(broadcast(70), from: ports.a, to: ports.b)
        #expect(b.receive() == broadcast(70))
        #expect(b.counters.droppedDamaged == 1)
    }

    @Test func manyThatAreNoFramesDoNotKeepTheModel() throws {
        let (b, ports) = try lonely()
        for _ in 0..<40 { try throwIn([], from: ports.a, to: ports.b) }
        #expect(b.nextReceived() == nil && b.counters.droppedDamaged == 16)
        #expect(b.nextReceived() == nil && b.nextReceived() == nil && b.counters.droppedDamaged == 40)
    }

    @Test func aPeerThatIsNotThereCostsFramesOnly() throws {
        let (a, ports) = try lonely()
        for _ in 0..<10 {
            a.send(frame(broadcast(60)))
            #expect(a.nextReceived() == nil)
        }
        #expect(a.counters.sentFrames == 10 && a.counters.droppedRefused > 0)
        let b = try DescriptorWire(udp: ports.a, peer: ports.b)
        while a.nextReceived() != nil {}
        a.send(frame(broadcast(60)))
        #expect(b.receive() == broadcast(60))
        b.send(frame(broadcast(61)))
        #expect(a.receive() == broadcast(61))
    }

    @Test func aFullReceiverDropsAndGoesOn() throws {
        let (a, b, _) = try pair()
        for _ in 0..<20_000 { a.send(frame(broadcast(1514))) }
        var count = 0
        while b.receive() != nil { count += 1 }
        #expect(count > 0)
        a.send(frame(broadcast(60)))
        #expect(b.receive() == broadcast(60))
    }

    @Test func aPortThatIsTakenAndAnAddressThatIsNotHereAreExplained() throws {
        let (_, b, ports) = try pair()
        let taken = #expect(throws: WireError.self) { _ = try DescriptorWire(udp: ports.b, peer: ports.stranger) }
        #expect("\(taken.map { "\($0)" } ?? "")".contains("ss -ulnp"))
        let elsewhere = try #require(IPEndpoint("192.0.2.1:4789"))
        let foreign = #expect(throws: WireError.self) { _ = try DescriptorWire(udp: elsewhere, peer: ports.stranger) }
        #expect("\(foreign.map { "\($0)" } ?? "")".contains("ip address"))
        #expect(b.hasCarrier)
    }
}
