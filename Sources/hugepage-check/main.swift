// Shows on this machine that hugepages go back: holds some, dies in every way, and counts.
//
//     hugepage-check report            the pools
//     hugepage-check hold BYTES [MS]   allocates, prints the outcome, keeps it so long
//     hugepage-check die-raised BYTES  is killed while it has the pool raised
//     hugepage-check restore           what `unic hugepages --restore` does
//     hugepage-check check             all of it with children; exit code 0 if every page came back

import DeviceMemory

let arguments = CommandLine.arguments.dropFirst()
let byteCount = arguments.dropFirst().first.flatMap { Int($0) } ?? 8 << 20
switch arguments.first {
case "report": say("\(HugepagePool.report())")
case "hold": hold(byteCount, milliseconds: arguments.dropFirst(2).first.flatMap { UInt64($0) } ?? 0)
case "die-raised": dieRaised(byteCount)
case "restore": restore()
case "check", nil: check(byteCount)
default: fail("usage: hugepage-check report|hold|die-raised|restore|check [BYTES [MS]]")
}
