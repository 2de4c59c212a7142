import DeviceMemory

/// Runs seeds one after the other. For one thread.
public final class SimulationRunner {
    private let memory = PortMemory()
    private var frames = 0, lost = 0, corrupted = 0, steps = 0, messages = 0

    public init() {}

    public func run(seed: UInt64) throws {
        let simulation = Simulation(plan: Plan(seed: seed), memory: memory)
        try simulation.run()
        frames += simulation.network.carried
        lost += simulation.network.lost
        corrupted += simulation.network.corrupted
        steps += simulation.steps
        messages += simulation.plan.messages.count
    }

    /// What the runs went through, so that a run that does nothing shows.
    public var summary: String {
        "\(messages) messages, \(frames) frames, of these \(lost) lost and \(corrupted) damaged, \(steps) steps"
    }
}
