import Foundation
import LinuxIO
import Testing

/// What hostile clients do to `unic serve`, in raw bytes: its process keeps nothing of theirs.
@Suite(.serialized) struct ServeFaultTests {
    private static let version: [UInt8] = command(1, [0, 0, 0, 0])
    /// DMA_MAP of 16 KiB at 0, to read and write.
    private static let map: [UInt8] = command(2, words(32, 3) + words(0, 0, 0, 0, 0x4000, 0))
    /// SET_IRQS: MSI-X vectors 0 and 1 by eventfd.
    private static let interrupts: [UInt8] = command(8, words(20, 0x24, 2, 0, 2))

    private static func words(_ values: UInt32...) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    }

    private static func command(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [7, 0, number, 0] + words(UInt32(16 + payload.count), 0, 0) + payload
    }

    private struct Served {
        let path = UnicProgram.temporaryPath("faults.sock")
        let process: ChildProcess

        init() throws {
            process = try UnicProgram.start(["serve", "--model", "e1000e", "--socket", path, "--wire", UnicProgram.freshWire("faults")])
            try #require(process.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("is served at") }, "\(process.errorText)")
        }

        var descriptorCount: Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd").count) ?? -1
        }

        func comesBack(to count: Int) -> Bool {
            let deadline = Deadline(afterMilliseconds: 10_000)
            while descriptorCount != count, !deadline.hasPassed { sleepMicroseconds(5000) }
            return descriptorCount == count
        }

        /// Connects and negotiates, as soon as the server has noticed that the last client is gone.
        func client() throws -> Client {
            let deadline = Deadline(afterMilliseconds: 10_000)
            while true {
                if let client = try? Client(path), (try? client.exchange(ServeFaultTests.version)) != nil { return client }
                try #require(!deadline.hasPassed, "no client is served any more")
                sleepMicroseconds(5000)
            }
        }

        func end() {
            process.send(signal: 15)
            #expect(process.wait(timeoutMilliseconds: 10_000) == .exited(143), "\(process.errorText)")
        }
    }

    private final class Client {
        private let socket: UnixSocket
        init(_ path: String) throws { socket = try UnixSocket.connect(to: path) }

        func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws {
            #expect(try socket.send(bytes, descriptors: descriptors) == bytes.count)
        }

        /// The reply's header; nil when the server hung up.
        func exchange(_ bytes: [UInt8], descriptors: [Int32] = []) throws -> [UInt8] {
            try send(bytes, descriptors: descriptors)
            return try #require(try receive())
        }

        func receive() throws -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: 4096)
            var none: [ReceivedDescriptor] = []
            for _ in 0..<500 {
                switch try socket.receive(into: &bytes, from: 0, byteCount: bytes.count, descriptors: &none) {
                case .bytes(let count, _): return Array(bytes[..<count])
                case .closed: return nil
                case .wouldBlock: _ = waitForEvents([PollRequest(socket.number, .readable)], timeoutMilliseconds: 10)
                }
            }
            throw SystemCallError(call: "recvmsg", subject: "the server", errno: .timedOut)
        }
    }

    /// Wherever the message is cut, the descriptors that came with its first half are closed.
    @Test func clientsThatDieInTheMiddleOfAMessageLeaveNoDescriptor() throws {
        let served = try Served()
        let idle = served.descriptorCount
        #expect(idle > 3)
        let file = try MemoryFile.create(name: "unic-half", byteCount: 0x4000)
        let events = try EventFD(), others = try EventFD()
        let halves = [(Self.map, [file.number]), (Self.interrupts, [events.number, others.number])]
        for (message, descriptors) in halves {
            for cut in [1, 8, 15, 16, 17, message.count - 1] {
                let client = try served.client()
                try client.send(Array(message[..<cut]), descriptors: descriptors)
                // Some die before the server has read, some after.
                if cut % 2 == 0 { sleepMicroseconds(20_000) }
                _ = consume client
                #expect(served.comesBack(to: idle), "\(served.descriptorCount) descriptors, \(idle) before, cut at \(cut)")
            }
            // The whole message is good: it is the cut that loses it.
            let client = try served.client()
            let reply = try client.exchange(message, descriptors: descriptors)
            #expect(reply[8] == 1, "\(reply)")
            _ = consume client
            #expect(served.comesBack(to: idle))
        }
        served.end()
    }

    @Test func aThousandConnectionsAtOnceAreTurnedAwayAndOneIsServedAfterwards() throws {
        let served = try Served()
        let first = try served.client()
        let busy = served.descriptorCount
        var crowd: [Client] = []
        let deadline = Deadline(afterMilliseconds: 60_000)
        while crowd.count < 1000, !deadline.hasPassed {
            // Its queue is full now and then.
            if let client = try? Client(served.path) { crowd.append(client) } else { sleepMicroseconds(200) }
            #expect(served.descriptorCount <= busy + 1)
        }
        #expect(crowd.count == 1000)
        for client in crowd { #expect(try client.receive() == nil, "everybody else is hung up") }
        #expect(served.comesBack(to: busy))
        #expect(try first.exchange(Self.command(13, [])) == [7, 0, 13, 0] + Self.words(16, 1, 0), "the first one is served all the time")
        _ = consume first
        crowd = []
        #expect(try served.client().exchange(Self.command(13, [])).count == 16)
        // Sessions with the first one: the crowd, and some that came before the first one's end was seen.
        let status = try UnicProgram.run(["status", served.path, "--json"])
        let all = try #require(JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any])
        #expect(try #require(all["refused_connections"] as? Int) >= 1000 && all["broken_connections"] as? Int == 0, "\(status.output)")
        served.end()
    }
}
