import DeviceMemory
import Devices
import Glibc
import LinuxIO
import MPIBridge
import NicDriver

// The transport alone, without libfabric and without MPI.
//
//     message-path count [ROUNDS [BYTES [FRAME]]]       two endpoints on one thread, for callgrind; prints: rounds frames
//     message-path pingpong WIRE SIDE BYTES ROUNDS [FRAME]
//                                                       SIDE 0 measures, SIDE 1 answers; prints: bytes rounds, and half round trips in ns:
//                                                       the median and the least

let arguments = CommandLine.arguments

struct Side: ~Copyable {
    let port: any Port
    var endpoint: MessageEndpoint
    let buffer: DMAMemory

    init(wire: String, side: Int, byteCount: Int, frame: Int = 9014) throws {
        var options = PortOptions()
        options.memory = .ordinaryPages
        options.maximumFrameByteCount = frame
        // Everything that throws comes first: a noncopyable value is made whole or not at all.
        let memory = try DMAMemory.ordinary(byteCount: max(4096, byteCount), name: "message")
        let port = try Devices.open("soft:\(wire)?mac=02:00:00:00:00:0\(side)", options: options)
        self.port = port
        endpoint = MessageEndpoint(
            port: port, address: Self.address(side), options: TransportOptions(), now: MonotonicClock.nanoseconds())
        buffer = memory
    }

    static func address(_ side: Int) -> EndpointAddress {
        EndpointAddress(
            key: UInt64(side + 1), mac: MACAddress(bits: 0x02_00_00_00_00_00 + UInt64(side)), ipv4: 0x0a00_0001 + UInt32(side),
            udpPort: 4792)
    }

    func memory(_ byteCount: Int) -> ApplicationMemory {
        // SAFETY: the buffer lives as long as the side, which outlives its operations.
        unsafe ApplicationMemory(address: UInt(buffer.window.processAddress), byteCount: byteCount)
    }
}

func post(_ side: inout Side, to peer: PeerID, byteCount: Int) {
    let request = SendRequest(to: peer, space: .tagged, tag: 7, memory: side.memory(byteCount), options: .completes)
    while side.endpoint.send(request, now: MonotonicClock.nanoseconds()) != .accepted {
        _ = side.endpoint.progress(now: MonotonicClock.nanoseconds())
    }
}

func expect(_ side: inout Side, byteCount: Int) {
    let request = ReceiveRequest(space: .tagged, tag: 7, memory: side.memory(byteCount))
    precondition(side.endpoint.receive(request, now: MonotonicClock.nanoseconds()) == .accepted)
}

/// Until a receive has completed; completions of sends pass.
func wait(_ side: inout Side, for kind: Completion.Kind) {
    while true {
        if let completion = side.endpoint.takeCompletion() {
            precondition(completion.error == nil, "\(completion)")
            if completion.kind == kind { return }
        } else {
            _ = side.endpoint.progress(now: MonotonicClock.nanoseconds())
        }
    }
}

/// As ``wait(_:for:)``, with the other end on the same thread.
func wait(_ side: inout Side, for kind: Completion.Kind, with other: inout Side) {
    while true {
        while let completion = side.endpoint.takeCompletion() {
            precondition(completion.error == nil, "\(completion)")
            if completion.kind == kind { return }
        }
        _ = side.endpoint.progress(now: MonotonicClock.nanoseconds())
        _ = other.endpoint.progress(now: MonotonicClock.nanoseconds())
    }
}

func count(rounds: Int, byteCount: Int, frame: Int) throws {
    var a = try Side(wire: "message-path-\(getpid())", side: 0, byteCount: byteCount, frame: frame)
    var b = try Side(wire: "message-path-\(getpid())", side: 1, byteCount: byteCount, frame: frame)
    guard let toB = a.endpoint.peer(for: Side.address(1), now: 0), let toA = b.endpoint.peer(for: Side.address(0), now: 0) else { return }
    for _ in 0..<rounds {
        expect(&b, byteCount: byteCount)
        post(&a, to: toB, byteCount: byteCount)
        wait(&b, for: .receive, with: &a)
        expect(&a, byteCount: byteCount)
        post(&b, to: toA, byteCount: byteCount)
        wait(&a, for: .receive, with: &b)
    }
    print("\(rounds) \(a.endpoint.counters.framesSent + b.endpoint.counters.framesSent)")
}

func pingpong(wire: String, side number: Int, byteCount: Int, rounds: Int, frame: Int) throws {
    var side = try Side(wire: wire, side: number, byteCount: byteCount, frame: frame)
    guard let peer = side.endpoint.peer(for: Side.address(1 - number), now: 0) else { return }
    let warmUp = rounds / 10
    var times: [UInt64] = []
    times.reserveCapacity(rounds + warmUp)
    var last = MonotonicClock.nanoseconds()
    for round in 0..<rounds + warmUp {
        expect(&side, byteCount: byteCount)
        if number == 0 { post(&side, to: peer, byteCount: byteCount) }
        wait(&side, for: .receive)
        if number == 1 { post(&side, to: peer, byteCount: byteCount) }
        let now = MonotonicClock.nanoseconds()
        if round >= warmUp { times.append((now - last) / 2) }
        last = now
    }
    times.sort()
    let deadline = MonotonicClock.nanoseconds() + 200_000_000
    while !side.endpoint.isQuiet, MonotonicClock.nanoseconds() < deadline { _ = side.endpoint.progress(now: MonotonicClock.nanoseconds()) }
    if number == 0 {
        print("\(byteCount) \(rounds) \(times[times.count / 2]) \(times[0])")
        print(side.endpoint.counters)
    }
    side.endpoint.sayGoodbye(now: MonotonicClock.nanoseconds())
}

func number(_ index: Int, _ otherwise: Int) -> Int { arguments.count > index ? Int(arguments[index]) ?? otherwise : otherwise }
switch arguments.count > 1 ? arguments[1] : "" {
case "count": try count(rounds: number(2, 10_000), byteCount: number(3, 8), frame: number(4, 9014))
case "pingpong" where arguments.count > 5:
    try pingpong(wire: arguments[2], side: number(3, 0), byteCount: number(4, 8), rounds: number(5, 10_000), frame: number(6, 9014))
default: fatalError("see the head of main.swift")
}
