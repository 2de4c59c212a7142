import Testing

@testable import MPIBridge

@Suite struct CongestionWindowTests {
    /// RFC 5681 §3.1: once for all that was lost of one window.
    @Test func aWindowIsHalvedOnceForAllThatWasLostOfIt() {
        var window = CongestionWindow()
        window.lost(100, next: 160)
        window.lost(130, next: 170)
        #expect(window.frames == PeerWindow.size / 2)
        window.lost(160, next: 180)
        #expect(window.frames == PeerWindow.size / 4)
    }

    /// Half of all numbers are "before" any other: a loss from long ago must not hide those of today.
    @Test func whatIsOverDoesNotCountAfterNumbersWrapped() {
        var window = CongestionWindow()
        window.lost(100, next: 160)
        window.advanced(by: 60, to: 160)
        let frames = window.frames
        window.lost(160 &+ 1 << 31 &+ 5, next: 170)
        #expect(window.frames == frames / 2)
    }
}
