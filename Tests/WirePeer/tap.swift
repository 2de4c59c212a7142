import DeviceMemory
import LinuxIO
import NicModels

/// Everything that happens to a tap in its life, told line by line. Needs a network namespace of its own.
func tapLife(_ name: String) throws {
    let wire: DescriptorWire
    do { wire = try DescriptorWire(tap: name) } catch { return say("refused: \(error)") }
    say("made, carrier \(wire.hasCarrier)")
    for other in [name, "lo", "sixteen-letters-"] {
        do { _ = try DescriptorWire(tap: other) } catch { say("\(other) refused: \(error)") }
    }
    let memory = try DMAMemory.ordinary(byteCount: 4096)
    wire.send(memory.window.slice(at: 0, byteCount: 60))
    say("while down: refused \(wire.counters.droppedRefused)")

    try ip(["addr", "add", "198.18.0.1/24", "dev", name])
    try ip(["link", "set", name, "up"])
    say("up, carrier \(becomes(true, wire))")
    let ping = try ChildProcess("ping", arguments: ["-c", "1", "-W", "5", "198.18.0.2"])
    guard let request = next(wire, etherType: 0x0806) else { return say("no ARP request") }
    say("ARP request of \(request.count) bytes, padding \(request[42...].allSatisfy { $0 == 0 })")
    reply(to: request, on: wire, memory.window)
    guard let echo = next(wire, etherType: 0x0800) else { return say("no ping") }
    say("ping of \(echo.count) bytes to \(echo[0..<6].map { String($0, radix: 16) }.joined(separator: ":"))")
    _ = ping

    try ip(["link", "set", name, "carrier", "off"])
    say("unplugged, carrier \(becomes(false, wire))")
    try ip(["link", "set", name, "carrier", "on"])
    say("plugged, carrier \(becomes(true, wire))")
    let descriptor = wire.armWake() ?? -1
    while wire.nextReceived() != nil { wire.dropReceived() }
    try ip(["link", "delete", name])
    say("deleted, wakes \(!waitForReadable([descriptor], timeoutMilliseconds: 1000).isEmpty)")
    wire.send(memory.window.slice(at: 0, byteCount: 60))
    let isSilent = wire.nextReceived() == nil && wire.armWake() == nil
    say("gone, carrier \(wire.hasCarrier), silent \(isSilent), refused \(wire.counters.droppedRefused)")
}

private func ip(_ arguments: [String]) throws {
    let child = try ChildProcess("ip", arguments: arguments)
    if child.wait(timeoutMilliseconds: 10_000) != .exited(0) { say("ip \(arguments): \(child.errorText)") }
}

/// The carrier, once it is as wished, or after 5 s. The kernel tells it with a delay of up to one.
private func becomes(_ wanted: Bool, _ wire: DescriptorWire) -> Bool {
    let deadline = Deadline(afterMilliseconds: 5000)
    while wire.hasCarrier != wanted, !deadline.hasPassed { sleep(milliseconds: 10) }
    return wire.hasCarrier
}

/// Sleeps until a frame of one kind comes, at most 5 s.
private func next(_ wire: DescriptorWire, etherType: UInt16) -> [UInt8]? {
    let deadline = Deadline(afterMilliseconds: 5000)
    while !deadline.hasPassed {
        if let frame = wire.nextReceived() {
            let bytes = frame.bytes(at: 0, byteCount: frame.byteCount)
            wire.dropReceived()
            if bytes[12] == UInt8(etherType >> 8), bytes[13] == UInt8(truncatingIfNeeded: etherType) { return bytes }
        } else if let descriptor = wire.armWake() {
            _ = waitForReadable([descriptor], timeoutMilliseconds: 100)
            wire.disarmWake()
        }
    }
    return nil
}

/// RFC 826: whoever is asked for is at 02:00:00:00:00:02.
private func reply(to request: [UInt8], on wire: DescriptorWire, _ memory: MemoryWindow) {
    let own: [UInt8] = [2, 0, 0, 0, 0, 2]
    let asker = Array(request[6..<12])
    let bytes = asker + own + request[12..<20] + [0, 2] + own + request[38..<42] + asker + request[28..<32]
    let frame = memory.slice(at: 0, byteCount: bytes.count)
    frame.store(bytes, at: 0)
    wire.send(frame)
}
