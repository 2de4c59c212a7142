import DriverSuite
import LinuxIO

// Runs every driver case on two device URLs and counts. Exit code 0 when all passed, 1 otherwise, 2 for wrong arguments.
//
//     driver-suite soft:suite soft:suite
//     driver-suite vfio:0000:00:03.0 vfio:0000:00:04.0 [part of a case's name]

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count == 2 || arguments.count == 3, let left = arguments.first else {
    print("usage: driver-suite DEVICE DEVICE [CASE]")
    exitProcess(2)
}
let rig = Rig(left: left, right: arguments[2])
let wanted = arguments.count == 3 ? arguments[3] : ""
var passed = 0
var failed = 0
for one in DriverSuite.cases where wanted.isEmpty || one.name.contains(wanted) {
    let start = MonotonicClock.nanoseconds()
    do {
        try one.run(rig)
        passed += 1
        print("ok      \(one.name) (\((MonotonicClock.nanoseconds() - start) / 1_000_000) ms)")
    } catch {
        failed += 1
        print("FAILED  \(one.name): \(error)")
    }
}
print("\(passed) passed, \(failed) failed")
exitProcess(failed == 0 && passed > 0 ? 0 : 1)
