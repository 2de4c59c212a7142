import LinuxIO

// Round trips of UDP over the kernel's driver, to compare others with. 18 bytes of payload make a frame of 64.
//
//     udp-pingpong server LOCAL:PORT PEER:PORT sleep|poll          answers until it is killed
//     udp-pingpong client LOCAL:PORT PEER:PORT sleep|poll COUNT    prints the median of half a round trip, microseconds
//
// `sleep` waits in poll(2) for the next datagram, as most programs do; `poll` asks the socket again and again.

let words = Array(CommandLine.arguments.dropFirst())
guard words.count >= 4, let local = IPEndpoint(words[1]), let peer = IPEndpoint(words[2]), ["sleep", "poll"].contains(words[3]) else {
    fatalError("udp-pingpong server|client LOCAL:PORT PEER:PORT sleep|poll [COUNT]")
}
let end = try UDPEnd(local: local, peer: peer, sleeps: words[3] == "sleep")
if words[0] == "server" {
    while true { if try end.receive(timeoutMilliseconds: 60_000) { try end.send() } }
}
let count = words.count > 4 ? Int(words[4]) ?? 0 : 2000
var times: [UInt64] = []
var lost = 0
// The first ones find the peer's address and warm everything up.
for round in -50..<max(1, count) {
    let start = MonotonicClock.nanoseconds()
    try end.send()
    guard try end.receive(timeoutMilliseconds: 1000) else {
        lost += round < 0 ? 0 : 1
        continue
    }
    if round >= 0 { times.append(MonotonicClock.nanoseconds() - start) }
}
guard lost == 0, !times.isEmpty else { fatalError("\(lost) of \(count) round trips were lost") }
let tenths = times.sorted()[times.count / 2] / 200
print("\(tenths / 10).\(tenths % 10)")
