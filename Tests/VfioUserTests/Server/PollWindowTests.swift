import Testing

@testable import VfioUser

@Suite struct PollWindowTests {
    @Test func workSoonAfterItFellAsleepMakesItLonger() {
        for (gap, length) in [(60, 120), (200, 250)] as [(UInt64, UInt64)] {
            var window = PollWindow(least: 20, most: 250)
            window.noteSleep(at: 1000)
            window.noteWake(after: gap, at: 1040)
            #expect(window.nanoseconds == length)
        }
    }

    @Test func workLongAfterItDoesNot() {
        var window = PollWindow(least: 20, most: 250)
        window.noteSleep(at: 1000)
        window.noteWake(after: 251, at: 1000)
        #expect(window.nanoseconds == 20)
    }

    @Test func aLongOneAfterWhichNothingComesIsForgotten() {
        var window = PollWindow(least: 20, most: 250)
        window.noteWake(after: 60, at: 1000)
        window.noteSleep(at: 2000)
        window.noteWake(after: 501, at: 3000)
        #expect(window.nanoseconds == 20)
        window.noteSleep(at: 4000)
        window.noteWake(after: 60, at: 5000)
        #expect(window.nanoseconds == 120)
    }

    @Test func workRightAfterALongOneInVainEndsPollingForAWhile() {
        var window = PollWindow(least: 20, most: 250)
        window.noteWake(after: 60, at: 1000)
        window.noteSleep(at: 2000)
        window.noteWake(after: 130, at: 2000)
        #expect(window.nanoseconds == 0)
        let end = 2000 + PollWindow.pauseNanoseconds
        window.noteSleep(at: end - 1)
        window.noteWake(after: 60, at: end - 1)
        #expect(window.nanoseconds == 0)
        window.noteSleep(at: end)
        #expect(window.nanoseconds == 20)
    }

    @Test func oneThatMayNotGrowStays() {
        var window = PollWindow(least: 50, most: 0)
        window.noteSleep(at: 1000)
        window.noteWake(after: 60, at: 1000)
        window.noteSleep(at: 2000)
        window.noteWake(after: 50, at: 2000)
        #expect(window.nanoseconds == 50)
    }
}
