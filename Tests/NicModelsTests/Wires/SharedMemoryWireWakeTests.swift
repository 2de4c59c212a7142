import DeviceMemory
import Glibc
import LinuxIO
import NicModels
import Synchronization
import Testing

@Suite struct SharedMemoryWireWakeTests {
    let directory: WireDirectory
    let frame: TestFrame

    init() throws {
        directory = try WireDirectory()
        frame = try TestFrame()
    }

    @Test func aFrameWakesAnArmedEnd() throws {
        let a = try directory.join(), b = try directory.join()
        let descriptor = try #require(b.armWake())
        #expect(waitForReadable([descriptor], timeoutMilliseconds: 0).isEmpty)
        a.send(frame(broadcast(60)))
        a.flush()
        #expect(waitForReadable([descriptor], timeoutMilliseconds: 0) == [0])
        b.disarmWake()
        #expect(waitForReadable([descriptor], timeoutMilliseconds: 0).isEmpty)
        #expect(b.receive() == broadcast(60))
    }

    @Test func anEndThatDidNotArmIsNotWoken() throws {
        let a = try directory.join(), b = try directory.join()
        let descriptor = try #require(b.armWake())
        b.disarmWake()
        a.send(frame(broadcast(60)))
        a.flush()
        #expect(waitForReadable([descriptor], timeoutMilliseconds: 0).isEmpty)
    }

    @Test func anEndThatArmsAgainIsWokenAgain() throws {
        let a = try directory.join(), b = try directory.join()
        for _ in 0..<50 {
            let descriptor = try #require(b.armWake())
            a.send(frame(broadcast(60)))
            a.send(frame(broadcast(60)))
            a.flush()
            #expect(waitForReadable([descriptor], timeoutMilliseconds: 0) == [0])
            b.disarmWake()
            while b.receive() != nil {}
        }
    }

    /// A second sleeper of the same end: the frame that woke the first is taken, and the next one wakes again.
    @Test func anEndThatArmsTwiceIsWokenForWhatFollows() throws {
        let a = try directory.join(), b = try directory.join()
        for _ in 0..<3 {
            let descriptor = try #require(b.armWake())
            a.send(frame(broadcast(60)))
            a.flush()
            #expect(waitForReadable([descriptor], timeoutMilliseconds: 0) == [0])
            _ = b.armWake()
            #expect(b.receive() != nil && b.receive() == nil)
        }
        let descriptor = try #require(b.armWake())
        a.send(frame(broadcast(60)))
        a.flush()
        #expect(waitForReadable([descriptor], timeoutMilliseconds: 0) == [0])
    }

    @Test func whoeverTookADeadSleepersPlaceIsWoken() throws {
        let a = try directory.join()
        let peer = try WirePeerProcess(directory, "w", ["join"])
        #expect(peer.nextLine() == "joined 1")
        #expect(a.hasPeers)
        #expect(peer.killNow() == .signalled(9))
        let b = try directory.join()
        #expect(b.end == 1)
        let descriptor = try #require(b.armWake())
        a.send(frame(broadcast(60)))
        a.flush()
        #expect(waitForReadable([descriptor], timeoutMilliseconds: 0) == [0])
    }

    /// Two threads that sleep whenever they find nothing, and hand one frame to and fro: a wake-up that is lost stops both.
    @Test func noWakeUpIsLostBetweenTwoThreads() throws {
        let rounds = 20_000
        let directory = self.directory.path
        let slept = Count()
        let a = try SharedMemoryWire(name: "w", directory: directory)
        let other = try WorkerThread { () -> Int in
            guard let wire = try? SharedMemoryWire(name: "w", directory: directory) else { return 0 }
            var done = 0
            while done < rounds, sleepUntilFrame(wire, slept) {
                if let frame = wire.nextReceived() {
                    wire.send(frame)
                    wire.flush()
                }
                wire.dropReceived()
                done += 1
            }
            return done
        }
        while !a.hasPeers { Processor.yield() }
        var done = 0
        for _ in 0..<rounds {
            a.send(frame(broadcast(60)))
            a.flush()
            guard sleepUntilFrame(a, slept) else { break }
            a.dropReceived()
            done += 1
        }
        #expect(done == rounds)
        #expect(other.join() == rounds)
        #expect(slept.value.load(ordering: .relaxed) > 0)
    }
}

/// Arm, look again, sleep: at most 5 s. False if nothing came.
private func sleepUntilFrame(_ wire: SharedMemoryWire, _ slept: Count) -> Bool {
    while wire.nextReceived() == nil {
        guard let descriptor = wire.armWake() else { return false }
        defer { wire.disarmWake() }
        if wire.nextReceived() != nil { return true }
        slept.value.add(1, ordering: .relaxed)
        if waitForReadable([descriptor], timeoutMilliseconds: 5000).isEmpty, wire.nextReceived() == nil { return false }
    }
    return true
}

private final class Count: Sendable {
    let value = Atomic<Int>(0)
}
