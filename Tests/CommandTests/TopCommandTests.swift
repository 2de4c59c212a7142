import Foundation
import LinuxIO
import Testing

/// What `unic top` shows of a generator and a counter that run, as text and as JSON.
@Suite(.serialized) struct TopCommandTests {
    private static let columns = [
        "pid", "device", "queue", "rx/s", "tx/s", "rx frames", "tx frames", "rx drops", "tx drops", "missed", "rx batch", "tx ring",
        "polls hit", "interrupts", "link",
    ]

    /// A counter that sleeps between frames and a generator of a thousand frames a second, while `body` looks.
    private func whileTrafficRuns(_ model: String, _ body: (_ counter: Int, _ generator: Int) throws -> Void) throws {
        let url = "soft:\(UnicProgram.freshWire("watched"))?nic=\(model)"
        let receiver = try UnicProgram.start(["count", "--device", url, "--interrupts", "--seconds", "60", "--json"])
        #expect(receiver.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("counting on") }, "\(receiver.errorText)")
        let sender = try UnicProgram.start(["generate", "--device", url, "--rate", "1000", "--seconds", "60"])
        // Device counters and registers are shown twice a second.
        sleep(milliseconds: 1500)
        try body(Int(receiver.processIdentifier), Int(sender.processIdentifier))
        for child in [sender, receiver] {
            child.send(signal: 15)
            _ = child.wait(timeoutMilliseconds: 10_000)
        }
    }

    /// One line of the table, by the names of its columns.
    private func row(_ line: Substring) throws -> [String: String] {
        let cells = line.replacing(" %", with: "%").split(separator: " ").map(String.init)
        try #require(cells.count == Self.columns.count, "\(line)")
        return Dictionary(uniqueKeysWithValues: zip(Self.columns, cells))
    }

    private func number(_ row: [String: String], _ column: String) throws -> Double {
        let cell = try #require(row[column])
        return try #require(Double(cell.filter { $0 != "%" }), "\(column): \(cell)")
    }

    @Test func theTableHasEveryColumnAndTheSecondSampleHasRates() throws {
        try whileTrafficRuns("e1000e") { counter, generator in
            let run = try UnicProgram.run(["top", "--samples", "2", "--interval", "1", "--registers"])
            #expect(run.exit == .exited(0), "\(run.errors)")
            let lines = run.output.split(separator: "\n")
            for column in Self.columns { #expect(lines.first?.contains(column) == true, "\(column)") }
            func rows(_ pid: Int) throws -> [[String: String]] {
                try lines.filter { $0.split(separator: " ").first == "\(pid)" && !$0.contains("0x") }.map(row)
            }
            let (received, sent) = (try rows(counter), try rows(generator))
            try #require(received.count == 2 && sent.count == 2, "\(run.output)")
            #expect(received[0]["rx/s"] == "-" && sent[0]["tx/s"] == "-", "a first sample knows no rate")
            #expect((500...1500).contains(try number(received[1], "rx/s")), "\(received[1])")
            #expect((500...1500).contains(try number(sent[1], "tx/s")), "\(sent[1])")
            #expect(try number(received[1], "rx frames") > number(received[0], "rx frames"))
            #expect(try number(sent[1], "tx frames") > 1000)
            for column in ["rx drops", "tx drops", "missed"] { #expect(try number(received[1], column) == 0, "\(received[1])") }
            #expect(try number(received[1], "rx batch") >= 1)
            // A sleeper finds something nearly each time that it looks, by an interrupt; a generator looks for nothing.
            #expect((1...100).contains(try number(received[1], "polls hit")), "\(received[1])")
            #expect(try number(received[1], "interrupts") > 100, "\(received[1])")
            #expect(try number(sent[1], "interrupts") == 0 && sent[1]["polls hit"] == "-", "\(sent[1])")
            let ring = try #require(sent[1]["tx ring"]).split(separator: "/").compactMap { Int($0) }
            #expect(ring.count == 2 && ring[0] <= ring[1] && ring[1] >= 64, "\(ring)")
            #expect(received[1]["link"] == "up" && sent[1]["link"] == "up")
            // Datasheet: STATUS bit 1 is the link (LU); heads and tails are below the ring's size.
            let registers = lines.filter { $0.contains("0x") }.map { $0.split(separator: " ") }
            for pid in [counter, generator] {
                let own = registers.filter { $0.first == "\(pid)" }
                let status = try #require(own.last { $0[2] == "STATUS" }, "\(own)")
                #expect(try #require(UInt64(status[3].dropFirst(2), radix: 16)) & 2 != 0, "\(status)")
            }
        }
    }

    @Test(arguments: [("e1000e", "STATUS"), ("igbvf", "STATUS"), ("virtio-net", "device_status")])
    func jsonHasTheSameAndTheRegisters(model: String, status: String) throws {
        try whileTrafficRuns(model) { counter, generator in
            let run = try UnicProgram.run(["top", "--samples", "2", "--interval", "1", "--json"])
            let samples = try run.output.split(separator: "\n").map { line in
                try #require((JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["ports"] as? [[String: Any]])
            }
            try #require(samples.count == 2, "\(run.output)")
            func port(_ sample: Int, _ pid: Int) throws -> (port: [String: Any], queue: [String: Any]) {
                let port = try #require(samples[sample].first { $0["pid"] as? Int == pid }, "\(samples)")
                return (port, try #require((port["queues"] as? [[String: Any]])?.first))
            }
            #expect(try port(0, counter).queue["received_per_second"] is NSNull)
            let (receiver, received) = try port(1, counter)
            let (sender, sent) = try port(1, generator)
            #expect(receiver["family"] as? String == model && receiver["link"] as? Bool == true, "\(receiver)")
            #expect((500...1500).contains(received["received_per_second"] as? Double ?? 0), "\(received)")
            #expect((500...1500).contains(sent["sent_per_second"] as? Double ?? 0), "\(sent)")
            let frames = received["received_frames"] as? Int ?? 0
            let bytes = received["received_bytes"] as? Int ?? 0
            #expect(frames > 1000 && bytes == 60 * frames, "\(received)")
            for name in ["receive_length_errors", "receive_errors", "refill_starved", "send_length_errors", "recoveries"] {
                #expect(received[name] as? Int == 0, "\(name): \(received)")
            }
            #expect((1...frames).contains(received["poll_hits"] as? Int ?? 0) && received["poll_misses"] is Int, "\(received)")
            #expect(received["interrupts"] as? Int ?? 0 > 100 && received["last_batch"] as? Int ?? 0 >= 1, "\(received)")
            let ring = sender["transmit_ring"] as? Int ?? 0
            #expect((0...ring).contains(sent["in_flight"] as? Int ?? -1) && ring >= 64, "\(sent)")
            let registers = try #require(sender["registers"] as? [String: UInt64])
            #expect(registers.count >= 4 && registers[status] ?? 0 != 0, "\(registers)")
        }
    }
}
