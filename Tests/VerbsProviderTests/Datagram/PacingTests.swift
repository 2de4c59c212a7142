import Testing

@testable import VerbsProvider

@Suite struct PacingTests {
    @Test func aWindowGoesAndNoMoreBeforeAReport() {
        var pacing = Pacing()
        for number in 0..<Pacing.window {
            holds(pacing.mayGo(now: 1))
            holds(pacing.next() == number)
        }
        holds(!pacing.mayGo(now: 1))
        pacing.heard(report: 1)
        holds(pacing.mayGo(now: 1))
        _ = pacing.next()
        holds(!pacing.mayGo(now: 1))
    }

    @Test func aPeerThatIsSilentIsNotWaitedForAgain() {
        var pacing = Pacing()
        for _ in 0..<Pacing.window { _ = pacing.next() }
        holds(!pacing.mayGo(now: 5))
        holds(!pacing.mayGo(now: 4 + Pacing.patience))
        holds(pacing.mayGo(now: 5 + Pacing.patience))
        for _ in 0..<3 * Pacing.window {
            holds(pacing.mayGo(now: 6 + Pacing.patience))
            _ = pacing.next()
        }
        // One word of it, and it is.
        pacing.heard(report: pacing.sent - Pacing.window)
        holds(!pacing.mayGo(now: 7 + Pacing.patience))
    }

    @Test(arguments: [33, 1000, UInt32.max, 1 << 31]) func aReportOfWhatWasNeverSentChangesNothing(report: UInt32) {
        var pacing = Pacing()
        for _ in 0..<Pacing.window { _ = pacing.next() }
        pacing.heard(report: report)
        holds(!pacing.mayGo(now: 1))
    }

    @Test func anOldReportTakesNothingBack() {
        var pacing = Pacing()
        for _ in 0..<Pacing.window { _ = pacing.next() }
        pacing.heard(report: 20)
        pacing.heard(report: 10)
        for _ in 0..<20 { _ = pacing.next() }
        holds(!pacing.mayGo(now: 1))
        pacing.heard(report: 21)
        holds(pacing.mayGo(now: 1))
    }

    @Test func theReceiverOwesAReportForEachEight() {
        var pacing = Pacing()
        for number in 0..<7 as Range<UInt32> { pacing.came(number: number) }
        holds(!pacing.owesReport)
        // Lost ones count as come; one that was overtaken changes nothing.
        pacing.came(number: 11)
        pacing.came(number: 8)
        holds(pacing.owesReport)
        holds(pacing.tell() == 12)
        holds(!pacing.owesReport)
    }
}
