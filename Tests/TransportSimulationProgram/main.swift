import Glibc
import LinuxIO
import TransportSimulation

// Runs the transport on a virtual clock, one seed after the other:
//     transport-simulation [--seed FIRST] [--count SEEDS] [--keep-going]
// Ends with 1 and the seed when one fails.

var first: UInt64 = 1
var count: UInt64 = 1_000
var keepsGoing = false
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
    switch argument {
    case "--seed": first = arguments.popFirst().flatMap(UInt64.init) ?? first
    case "--count": count = arguments.popFirst().flatMap(UInt64.init) ?? count
    case "--keep-going": keepsGoing = true
    default:
        print("transport-simulation [--seed FIRST] [--count SEEDS] [--keep-going]; \(argument) is not known")
        exit(2)
    }
}

let start = MonotonicClock.nanoseconds()
let runner = SimulationRunner()
var failures = 0
for seed in first..<first + count {
    do { try runner.run(seed: seed) } catch {
        print(error)
        failures += 1
        if !keepsGoing { exit(1) }
    }
}
let milliseconds = (MonotonicClock.nanoseconds() - start) / 1_000_000
print("\(count) seeds from \(first), \(failures) failures, \(milliseconds) ms; \(runner.summary)")
exit(failures == 0 ? 0 : 1)
