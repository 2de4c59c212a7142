import ArgumentParser
import NicDriver

/// How a command waits for frames.
struct WaitOptions: ParsableArguments {
    @Flag(help: "Sleep until a frame arrives instead of polling.")
    var interrupts = false
    @Option(help: ArgumentHelp("Poll for so long after the last frame, then sleep until one arrives.", valueName: "microseconds"))
    var spin: Int?

    func validate() throws {
        if interrupts && spin != nil { throw ValidationError("--interrupts and --spin exclude each other: --spin 0 never polls.") }
        if let spin, !(0...1_000_000).contains(spin) { throw ValidationError("--spin takes 0 to 1000000 microseconds.") }
    }

    var mode: PortOptions.WaitMode { spin.map { .adaptive(spinMicroseconds: $0) } ?? (interrupts ? .interrupt : .poll) }
}
