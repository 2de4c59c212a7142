import DriverSuite
import LinuxIO

// Runs every driver case on two device URLs and counts. Exit code 0 when all passed, 1 otherwise, 2 for wrong arguments.
//
//     driver-suite soft:suite soft:suite
//     driver-suite vfio:0000:00:03.0 vfio:0000:00:04.0 [part of a case's name]
//     driver-suite --fails "name of a case" DEVICE DEVICE    that case cannot pass here: it has to fail

var arguments = Array(CommandLine.arguments.dropFirst())
var expectedToFail = ""
if arguments.first == "--fails", arguments.count > 1 {
    expectedToFail = arguments[1]
    arguments.removeFirst(2)
}
guard arguments.count == 2 || arguments.count == 3 else {
    print("usage: driver-suite [--fails CASE] DEVICE DEVICE [CASE]")
    exitProcess(2)
}
guard expectedToFail.isEmpty || DriverSuite.cases.contains(where: { $0.name == expectedToFail }) else {
    print("driver-suite: there is no case named '\(expectedToFail)'")
    exitProcess(2)
}
let rig = Rig(left: arguments[0], right: arguments[1])
let wanted = arguments.count == 3 ? arguments[2] : ""
var passed = 0
var failed = 0
for one in DriverSuite.cases where wanted.isEmpty || one.name.contains(wanted) {
    let start = MonotonicClock.nanoseconds()
    let problem: String?
    do {
        try one.run(rig)
        problem = one.name == expectedToFail ? "it passes here now: take --fails away" : nil
    } catch {
        problem = one.name == expectedToFail ? nil : "\(error)"
    }
    if let problem {
        failed += 1
        print("FAILED  \(one.name): \(problem)")
    } else {
        passed += 1
        let note = one.name == expectedToFail ? "cannot pass here, " : ""
        print("ok      \(one.name) (\(note)\((MonotonicClock.nanoseconds() - start) / 1_000_000) ms)")
    }
}
print("\(passed) passed, \(failed) failed")
exitProcess(failed == 0 && passed > 0 ? 0 : 1)
