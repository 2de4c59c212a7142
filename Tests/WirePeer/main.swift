// A process at the other end of a wire, for tests that kill it and for measurements.
//
//     wire-peer DIRECTORY WIRE join            joins, says so, and waits to be killed
//     wire-peer DIRECTORY WIRE flood           sends numbered frames of all sizes until it is killed
//     wire-peer DIRECTORY WIRE echo COUNT      sends COUNT received frames back
//     wire-peer DIRECTORY WIRE ping COUNT      sends COUNT frames of 64 bytes, waits for each to return, prints half round trips
//     wire-peer tap NAME                       makes a tap interface, and tells what happens to it until it is deleted
import DeviceMemory
import Glibc
import LinuxIO
import NicModels

func say(_ text: String) {
    print(text)
    _ = fflush(nil)
}

/// A frame of `byteCount` bytes that tells its number and its length, for whoever checks it.
func numberedFrame(_ number: UInt32, byteCount: Int, in memory: MemoryWindow) -> MemoryWindow {
    let frame = memory.slice(at: 0, byteCount: byteCount)
    frame.fill(UInt8(truncatingIfNeeded: number))
    frame.store32(0xffff_ffff, at: 0)
    frame.store16(0xffff, at: 4)
    frame.store32(number, at: 6)
    frame.store32(UInt32(byteCount), at: 10)
    return frame
}

func flood(_ wire: SharedMemoryWire, _ memory: MemoryWindow) {
    var number: UInt32 = 0
    while true {
        wire.send(numberedFrame(number, byteCount: 14 + Int(number &* 2_654_435_761 % 9001), in: memory))
        wire.flush()
        number &+= 1
    }
}

func nextFrame(_ wire: SharedMemoryWire) -> MemoryWindow {
    var looks = 0
    while true {
        if let frame = wire.nextReceived() { return frame }
        looks &+= 1
        if looks & 0xfff == 0 { Processor.yield() }
    }
}

func echo(_ wire: SharedMemoryWire, count: Int) {
    for _ in 0..<count {
        wire.send(nextFrame(wire))
        wire.flush()
        wire.dropReceived()
    }
}

func ping(_ wire: SharedMemoryWire, count: Int, _ memory: MemoryWindow) -> [UInt64] {
    let frame = numberedFrame(1, byteCount: 64, in: memory)
    var halves: [UInt64] = []
    halves.reserveCapacity(count)
    while !wire.hasPeers { Processor.yield() }
    for _ in 0..<count {
        let start = MonotonicClock.nanoseconds()
        wire.send(frame)
        wire.flush()
        _ = nextFrame(wire)
        wire.dropReceived()
        halves.append((MonotonicClock.nanoseconds() - start) / 2)
    }
    return halves.sorted()
}

/// In a function, so that the wire is left when it returns.
func run(_ arguments: [String]) throws {
    if arguments.count == 3, arguments[1] == "tap" { return try tapLife(arguments[2]) }
    guard arguments.count >= 4 else { fatalError("usage: wire-peer DIRECTORY WIRE join|flood|echo COUNT|ping COUNT") }
    let wire = try SharedMemoryWire(name: arguments[2], directory: arguments[1])
    let memory = try DMAMemory.ordinary(byteCount: wireMaximumFrameByteCount)
    let count = arguments.count > 4 ? Int(arguments[4]) ?? 0 : 0
    say("joined \(wire.end)")
    switch arguments[3] {
    case "flood":
        while !wire.hasPeers { Processor.yield() }
        flood(wire, memory.window)
    case "echo":
        if let cpu = Processor.usable.last { try Processor.pinCallingThread(to: cpu) }
        echo(wire, count: count)
    case "ping":
        if let cpu = Processor.usable.first { try Processor.pinCallingThread(to: cpu) }
        let halves = ping(wire, count: count, memory.window)
        say("half round trip ns: min \(halves[0]) median \(halves[count / 2]) p99 \(halves[count * 99 / 100]) max \(halves[count - 1])")
    default:
        while true { _ = waitForReadable([], timeoutMilliseconds: 1000) }
    }
}

try run(CommandLine.arguments)
