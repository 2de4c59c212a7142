import Foundation
import Glibc
import LabKit
import LinuxIO
import Testing

/// `unic generate`, `count`, `forward` and `top` on NICs that are not ours, and a cable that is pulled and put back.
@Suite(.serialized) struct TrafficTests {
    private func guest() throws -> Guest {
        var guest = try Binaries.guest()
        guest.kernel = .small
        guest.emulator = .backports
        guest.hugepageCount = 256
        guest.memoryMebibytes = 2048
        guest.portCounts = [.e1000e: 2, .virtioNet: 2]
        return guest
    }

    private func run(_ guest: Guest, _ script: String, seconds: Int) throws -> GuestRun {
        let run = try guest.run(script, timeLimitSeconds: seconds)
        #expect(run.ending == .exited(0), "\(run.ending)\n\(run.output.suffix(3000))\n\(run.errorOutput.suffix(3000))")
        return run
    }

    private func object(_ run: GuestRun, _ file: String) throws -> [String: Any] {
        let text = try run.file(file)
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(file): \(text)")
    }

    private func url(_ nic: NIC, _ port: Int) -> String { "vfio:\(nic.address(ofPort: port))" }

    @Test func framesAreGeneratedCountedForwardedAndShown() throws {
        let (a, b) = (url(.e1000e, 0), url(.e1000e, 1))
        let run = try run(
            guest(),
            """
            for mode in "" --interrupts; do
                unic count --device \(b) --queues 2 $mode --idle 3 --seconds 60 --json >/lab/results/count$mode 2>/dev/null & counter=$!
                sleep 2
                unic generate --device \(a) --flows 8 --rate 500 --count 2000 --json >/lab/results/generate$mode 2>/dev/null &
                sleep 1
                unic top --samples 1 --json >/lab/results/top$mode
                wait $counter
            done
            unic forward --device \(b) --device \(url(.virtioNet, 0)) --json >/lab/results/forward 2>/dev/null & forwarder=$!
            unic pingpong --server --device \(url(.virtioNet, 1)) --wait 60 >/dev/null 2>&1 & server=$!
            sleep 2
            unic pingpong --client --device \(a) --sizes 64,1518 --count 200 --warmup 10 --json >/lab/results/pingpong
            kill $server 2>/dev/null || true
            kill -INT $forwarder
            wait $server || true
            wait $forwarder || true
            """, seconds: 240)
        for mode in ["", "--interrupts"] {
            #expect(((try object(run, "generate\(mode)")["total"]) as? [String: Int])?["frames"] == 2000)
            let workers = try #require(try object(run, "count\(mode)")["workers"] as? [[String: Int]])
            #expect(workers.count == 2 && workers.allSatisfy { ($0["frames"] ?? 0) > 0 && $0["late"] == 0 }, "\(workers)")
            // One processor for three programs: a receiver that was off it for long may miss some, and knows how many.
            let frames = workers.reduce(0) { $0 + ($1["frames"] ?? 0) }
            let missing = workers.reduce(0) { $0 + ($1["missing"] ?? 0) }
            print("2000 frames generated \(mode): \(frames) counted, \(missing) missing")
            #expect(frames >= 1900 && frames + missing <= 2000, "\(workers)")
            let ports = try #require(try object(run, "top\(mode)")["ports"] as? [[String: Any]])
            #expect(Set(ports.compactMap { $0["device"] as? String }) == [a, b], "\(ports)")
        }
        let pingpong = try object(run, "pingpong")
        #expect(pingpong["lost"] as? Int == 0 && pingpong["corrupt"] as? Int == 0, "\(pingpong)")
        let forwarded = try #require(try object(run, "forward")["total"] as? [String: Int])
        #expect((forwarded["frames"] ?? 0) >= 840, "\(forwarded)")
    }

    /// QEMU's monitor pulls the receiver's cable for a second, again and again; each end says so, goes on, and works at the end.
    @Test(arguments: [NIC.e1000e, .virtioNet]) func aCableThatIsPulledIsCountedAndTrafficGoesOn(nic: NIC) throws {
        var guest = try guest()
        guest.portCounts = [nic: 2]
        let path = "/tmp/unic-monitor-\(getpid())-\(nic.rawValue).sock"
        guest.emulatorArguments = ["-chardev", "socket,id=cable,path=\(path),server=on,wait=off", "-mon", "chardev=cable,mode=readline"]
        let ended = StopFlag()
        // The lab names a port's cable by its place on the bus: port04.
        let cable = "port\(nic.address(ofPort: 1).dropFirst(8).prefix(2))"
        let hand = try WorkerThread { pullAndPutBack(path, cable, until: ended) }
        let run = try run(
            guest,
            """
            unic count --device \(url(nic, 1)) --seconds 12 --json >/lab/results/count 2>/dev/null & counter=$!
            sleep 1
            unic generate --device \(url(nic, 0)) --rate 200 --seconds 10 --json >/lab/results/generate 2>/dev/null
            wait $counter
            """, seconds: 120)
        ended.raise()
        #expect(hand.join() > 0, "the monitor was never reached")
        let counted = try object(run, "count")
        #expect(counted["link_down"] as? Int ?? 0 > 0, "\(counted)")
        #expect(counted["error"] is NSNull, "\(counted)")
        let total = try #require(counted["total"] as? [String: Int])
        #expect((total["frames"] ?? 0) > 200, "\(total)")
    }
}

/// Down for a second, up for two. Returns how often the cable was pulled.
private func pullAndPutBack(_ path: String, _ cable: String, until ended: StopFlag) -> Int {
    guard let monitor = connect(path, until: ended) else { return 0 }
    var pulls = 0
    while !ended.isRaised, pulls < 100 {
        for (state, milliseconds) in [("off", UInt32(1000)), ("on", 2000)] {
            guard (try? monitor.send(Array("set_link \(cable) \(state)\n".utf8))) != nil else { return pulls }
            sleep(milliseconds: milliseconds)
        }
        pulls += 1
    }
    return pulls
}

private func connect(_ path: String, until ended: StopFlag) -> UnixSocket? {
    while !ended.isRaised {
        if let socket = try? UnixSocket.connect(to: path) { return socket }
        sleep(milliseconds: 100)
    }
    return nil
}
