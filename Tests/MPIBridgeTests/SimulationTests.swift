import Testing
import TransportSimulation

/// Whole jobs with every check of the debug build; the release build runs ten thousand of them (Scripts/test).
@Suite struct SimulationTests {
    @Test(arguments: 0..<4) func aBlockOfSeeds(block: UInt64) throws {
        let runner = SimulationRunner()
        for seed in block * 60..<block * 60 + 60 { try runner.run(seed: seed) }
    }

    /// Seeds that found something, with what it was.
    @Test(
        arguments: [
            (8, "bulk data counted as delivered when it had come early"), (53, "an answer without a slot was forgotten"),
            (63, "a receive waited for the rest of a dead peer's message"), (91, "a refused write was answered before it had all come"),
            (25, "messages without a place stood in front of grants"), (60, "a buffer for several ended and did not say so"),
        ] as [(UInt64, String)])
    func whatWasFoundStaysFound(seed: UInt64, finding: String) throws { try SimulationRunner().run(seed: seed) }
}
