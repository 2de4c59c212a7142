import DeviceMemory
import NicDriver

let checksumCases: [DriverCase] = [
    DriverCase("the NIC inserts a UDP checksum") { rig in try insertsTransport(.udp, rig) },
    DriverCase("the NIC inserts a TCP checksum") { rig in try insertsTransport(.tcp, rig) },
    DriverCase("the NIC inserts an IPv4 header checksum") { rig in
        let pair = try rig.open()
        let right = ChecksumFrame(.udp, to: pair.right.macAddress, from: pair.left.macAddress, payload: 40, seed: 3)
        var blank = right
        blank.put(0, at: 24)
        try pair.send(
            [TestFrame(bytes: blank.bytes)], from: pair.left, offload: .init(flags: .insertIPChecksum, networkHeaderByteCount: 20))
        try pair.expectArrival(of: [TestFrame(bytes: right.bytes)], on: pair.right)
        try pair.stop()
    },
    DriverCase("checksums of both kinds alternate") { rig in
        let pair = try rig.open()
        for seed in UInt64(0)..<40 {
            let transport: ChecksumFrame.Transport = seed % 2 == 0 ? .udp : .tcp
            let right = ChecksumFrame(transport, to: pair.right.macAddress, from: pair.left.macAddress, payload: 30 + Int(seed), seed: seed)
            try pair.send([TestFrame(bytes: right.readyForInsertion)], from: pair.left, offload: right.offload)
            try pair.expectArrival(of: [TestFrame(bytes: right.bytes)], on: pair.right)
        }
        try pair.stop()
    },
    DriverCase("right checksums are received as checked and good") { rig in
        let pair = try rig.open()
        let udp = ChecksumFrame(.udp, to: pair.right.macAddress, from: pair.left.macAddress, payload: 40, seed: 5)
        let tcp = ChecksumFrame(.tcp, to: pair.right.macAddress, from: pair.left.macAddress, payload: 40, seed: 6)
        try pair.send([TestFrame(bytes: udp.bytes), TestFrame(bytes: tcp.bytes)], from: pair.left)
        let got = pair.receive(2, on: pair.right)
        try expect(got.count == 2, "\(got.count) of 2 arrived")
        for one in got where pair.right.capabilities.verifiesChecksums {
            try expect(one.flags.contains(.ipChecksumChecked), "the IPv4 header was not checked")
            try expect(!one.flags.isDisjoint(with: [.udpChecksumChecked, .tcpChecksumChecked]), "the transport was not checked")
            try expect(one.flags.isDisjoint(with: [.ipChecksumBad, .transportChecksumBad]), "a good checksum was called bad")
        }
        try pair.stop()
    },
    DriverCase("a wrong UDP checksum is received as bad") { rig in
        try receivesBad(rig, .transportChecksumBad) { $0.put(0x1234, at: $0.checksumOffset) }
    },
    DriverCase("a wrong IPv4 header checksum is received as bad") { rig in
        try receivesBad(rig, .ipChecksumBad) { $0.put(0x1234, at: 24) }
    },
    DriverCase("a frame that is not IP is received without a verdict") { rig in
        let pair = try rig.open()
        try pair.send([TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 90, seed: 4)], from: pair.left)
        let got = pair.receive(1, on: pair.right)
        try expect(got.count == 1 && got[0].flags.isEmpty, "flags \(got.map(\.flags.rawValue))")
        try pair.stop()
    },
]

extension ChecksumFrame {
    /// The transport's checksum field holds the pseudo-header's sum, for the NIC to finish.
    fileprivate var readyForInsertion: [UInt8] {
        var copy = self
        copy.put(pseudoHeaderSum, at: checksumOffset)
        return copy.bytes
    }
    fileprivate var offload: Pair.Offload {
        .init(flags: transport == .udp ? .insertUDPChecksum : .insertTCPChecksum, networkHeaderByteCount: 20)
    }
}

private func insertsTransport(_ transport: ChecksumFrame.Transport, _ rig: Rig) throws {
    let pair = try rig.open()
    for payload in [0, 1, 18, 19, 500, 1400] {
        let right = ChecksumFrame(
            transport, to: pair.right.macAddress, from: pair.left.macAddress, payload: max(payload, 18), seed: UInt64(payload))
        try pair.send([TestFrame(bytes: right.readyForInsertion)], from: pair.left, offload: right.offload)
        try pair.expectArrival(of: [TestFrame(bytes: right.bytes)], on: pair.right)
    }
    try pair.stop()
}

private func receivesBad(_ rig: Rig, _ flag: PacketFlags, _ damage: (inout ChecksumFrame) -> Void) throws {
    let pair = try rig.open()
    var frame = ChecksumFrame(.udp, to: pair.right.macAddress, from: pair.left.macAddress, payload: 40, seed: 8)
    damage(&frame)
    try pair.send([TestFrame(bytes: frame.bytes)], from: pair.left)
    let got = pair.receive(1, on: pair.right)
    try expect(got.count == 1, "the frame was dropped")
    try expect(got[0].bytes == frame.bytes, "the frame arrived changed")
    try expect(
        got[0].flags.contains(flag) == pair.right.capabilities.verifiesChecksums, "flags 0x\(String(got[0].flags.rawValue, radix: 16))")
    try pair.stop()
}
