import Testing
import TransportSimulation

@Suite struct SimulationTests {
    @Test(arguments: 0..<8) func aBlockOfSeeds(block: UInt64) throws {
        let runner = SimulationRunner()
        for seed in block * 25..<block * 25 + 25 { try runner.run(seed: seed) }
    }
}
