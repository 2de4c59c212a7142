import Testing

@testable import VerbsProvider

@Suite struct PacingTests {
    @Test func aWindowGoesAndNoMoreBeforeAReport() {
        var pacing = Pacing()
        for number in 0..<Pacing.window {
            #expect(pacing.mayGo(now: 1) == true)
            #expect(pacing.next() == number)
        }
        #expect(pacing.mayGo(now: 1) == false)
        pacing.heard(report: 1)
        #expect(pacing.mayGo(now: 1) == true)
        _ = pacing.next()
        #expect(pacing.mayGo(now: 1) == false)
    }

    @Test func aPeerThatIsSilentIsNotWaitedForAgain() {
        var pacing = Pacing()
        for _ in 0..<Pacing.window { _ = pacing.next() }
        #expect(pacing.mayGo(now: 5) == false)
        #expect(pacing.mayGo(now: 4 + Pacing.patience) == false)
        #expect(pacing.mayGo(now: 5 + Pacing.patience) == true)
        for _ in 0..<3 * Pacing.window {
            #expect(pacing.mayGo(now: 6 + Pacing.patience) == true)
            _ = pacing.next()
        }
        // One word of it, and it is.
        pacing.heard(report: pacing.sent - Pacing.window)
        #expect(pacing.mayGo(now: 7 + Pacing.patience) == false)
    }

    @Test(arguments: [33, 1000, UInt32.max, 1 << 31]) func aReportOfWhatWasNeverSentChangesNothing(report: UInt32) {
        var pacing = Pacing()
        for _ in 0..<Pacing.window { _ = pacing.next() }
        pacing.heard(report: report)
        #expect(pacing.mayGo(now: 1) == false)
    }

    @Test func anOldReportTakesNothingBack() {
        var pacing = Pacing()
        for _ in 0..<Pacing.window { _ = pacing.next() }
        pacing.heard(report: 20)
        pacing.heard(report: 10)
        for _ in 0..<20 { _ = pacing.next() }
        #expect(pacing.mayGo(now: 1) == false)
        pacing.heard(report: 21)
        #expect(pacing.mayGo(now: 1) == true)
    }

    @Test func theReceiverOwesAReportForEachEight() {
        var pacing = Pacing()
        for number in 0..<7 as Range<UInt32> { pacing.came(number: number) }
        #expect(!pacing.owesReport)
        // Lost ones count as come; one that was overtaken changes nothing.
        pacing.came(number: 11)
        pacing.came(number: 8)
        #expect(pacing.owesReport)
        #expect(pacing.tell() == 12)
        #expect(!pacing.owesReport)
    }
}
