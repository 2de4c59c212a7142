import LinuxIO
import Testing

@Suite struct DescriptorSetTests {
    @Test func itIsReadableWhileAMemberIs() throws {
        let set = try DescriptorSet()
        let first = try EventFD(), second = try EventFD()
        try set.insert(first.number)
        try set.insert(second.number)
        try set.insert(second.number)
        #expect(waitForReadable([set.number], timeoutMilliseconds: 0).isEmpty)
        second.signal()
        #expect(waitForReadable([set.number], timeoutMilliseconds: 0) == [0])
        second.drain()
        #expect(waitForReadable([set.number], timeoutMilliseconds: 0).isEmpty)
        second.signal()
        set.remove(second.number)
        set.remove(second.number)
        #expect(waitForReadable([set.number], timeoutMilliseconds: 0).isEmpty)
    }

    @Test func whatIsNoDescriptorIsAnError() throws {
        let set = try DescriptorSet()
        #expect(throws: SystemCallError.self) { try set.insert(-1) }
    }
}

@Suite struct DeadlineTimerTests {
    @Test func itIsReadableFromItsMomentOn() throws {
        let timer = try DeadlineTimer()
        let start = MonotonicClock.nanoseconds()
        timer.set(at: start &+ 20_000_000)
        #expect(waitForReadable([timer.number], timeoutMilliseconds: 5000) == [0])
        #expect(MonotonicClock.nanoseconds() &- start >= 20_000_000)
        timer.set(at: .max)
        #expect(waitForReadable([timer.number], timeoutMilliseconds: 0).isEmpty)
        timer.set(at: 0)
        #expect(waitForReadable([timer.number], timeoutMilliseconds: 1000) == [0])
    }
}
