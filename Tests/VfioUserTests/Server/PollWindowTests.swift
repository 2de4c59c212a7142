import Testing

@testable import VfioUser

@Suite struct PollWindowTests {
    private static let pause = PollWindow.pauseNanoseconds

    @Test func workSoonAfterItFellAsleepMakesItLonger() {
        var window = PollWindow(least: 20, most: 250)
        window.noteEnd(at: 1000)
        window.noteWake(after: 60, at: 1040)
        #expect(window.nanoseconds == 120)
        window.noteWake(after: 200, at: 2000)
        #expect(window.nanoseconds == 250)
    }

    @Test func workLongAfterItDoesNot() {
        var window = PollWindow(least: 20, most: 250)
        window.noteWake(after: 251, at: 1000)
        #expect(window.nanoseconds == 20)
    }

    @Test func aLongOneInVainIsShortForAWhile() {
        var window = PollWindow(least: 20, most: 250)
        window.noteWake(after: 60, at: 1000)
        window.noteEnd(at: 2000)
        #expect(window.nanoseconds == 20)
        window.noteWake(after: 60, at: 2000 + Self.pause - 1)
        #expect(window.nanoseconds == 20)
        window.noteWake(after: 60, at: 2000 + Self.pause)
        #expect(window.nanoseconds == 120)
    }

    @Test func oneThatMayNotGrowStays() {
        var window = PollWindow(least: 50, most: 0)
        window.noteWake(after: 60, at: 1000)
        window.noteEnd(at: 2000)
        #expect(window.nanoseconds == 50)
    }
}
