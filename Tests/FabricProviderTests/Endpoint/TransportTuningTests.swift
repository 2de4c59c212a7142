import Testing

@testable import FabricProvider

@Suite struct TransportTuningTests {
    @Test(arguments: [("1", 1), ("120", 120), ("86400", 86_400)] as [(String, UInt64)])
    func secondsAreATime(text: String, seconds: UInt64) { #expect(TransportTuning.peerTimeout(text) == seconds * 1_000_000_000) }

    @Test(arguments: ["", "0", "-1", "86401", "1.5", "1s", " 5", "18446744073709551617"])
    func anythingElseIsNone(text: String) { #expect(TransportTuning.peerTimeout(text) == nil) }
}
