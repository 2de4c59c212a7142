import NicDriver

private let stranger = MACAddress(bits: 0x02_11_22_33_44_55)
private let group = MACAddress(bits: 0x01_00_5e_01_02_03)
private let otherGroup = MACAddress(bits: 0x01_00_5e_0a_0b_0c)

let filterCases: [DriverCase] = [
    DriverCase("a unicast frame to somebody else is not received") { rig in
        let pair = try rig.open()
        try pair.send([TestFrame(to: stranger, from: pair.left.macAddress, byteCount: 80, seed: 1)], from: pair.left)
        try pair.expectSilence(on: pair.right)
        try pair.stop()
    },
    DriverCase("promiscuous mode receives it") { rig in
        let pair = try rig.open()
        guard pair.right.capabilities.receivesPromiscuously else { return try pair.seePromiscuousModeRefused() }
        try pair.right.setFilter(ReceiveFilter(promiscuous: true))
        try pair.exchange([TestFrame(to: stranger, from: pair.left.macAddress, byteCount: 80, seed: 2)])
        try pair.stop()
    },
    DriverCase("promiscuous mode ends") { rig in
        let pair = try rig.open()
        guard pair.right.capabilities.receivesPromiscuously else { return try pair.seePromiscuousModeRefused() }
        try pair.right.setFilter(ReceiveFilter(promiscuous: true))
        try pair.right.setFilter(ReceiveFilter())
        try pair.send([TestFrame(to: stranger, from: pair.left.macAddress, byteCount: 80, seed: 3)], from: pair.left)
        try pair.expectSilence(on: pair.right)
        try pair.exchange([TestFrame(to: pair.right.macAddress, from: pair.left.macAddress, byteCount: 80, seed: 4)])
        try pair.stop()
    },
    DriverCase("multicast is not received unasked") { rig in
        let pair = try rig.open()
        try pair.send([TestFrame(to: group, from: pair.left.macAddress, byteCount: 80, seed: 5)], from: pair.left)
        try pair.expectSilence(on: pair.right)
        try pair.stop()
    },
    DriverCase("a multicast group that was joined is received") { rig in
        let pair = try rig.open()
        try pair.right.setFilter(ReceiveFilter(multicast: [group]))
        try pair.exchange([TestFrame(to: group, from: pair.left.macAddress, byteCount: 80, seed: 6)])
        try pair.stop()
    },
    DriverCase("joining another group leaves the first") { rig in
        let pair = try rig.open()
        try pair.right.setFilter(ReceiveFilter(multicast: [group]))
        try pair.right.setFilter(ReceiveFilter(multicast: [otherGroup]))
        try pair.send([TestFrame(to: group, from: pair.left.macAddress, byteCount: 80, seed: 7)], from: pair.left)
        try pair.expectSilence(on: pair.right)
        try pair.exchange([TestFrame(to: otherGroup, from: pair.left.macAddress, byteCount: 80, seed: 8)])
        try pair.stop()
    },
    DriverCase("all multicast receives every group") { rig in
        let pair = try rig.open()
        var filter = ReceiveFilter()
        filter.acceptsAllMulticast = true
        try pair.right.setFilter(filter)
        try pair.exchange([group, otherGroup].map { TestFrame(to: $0, from: pair.left.macAddress, byteCount: 80, seed: 9) })
        try pair.stop()
    },
    DriverCase("as many further unicast addresses as the device has room for are received") { rig in
        let pair = try rig.open()
        var filter = ReceiveFilter()
        filter.unicast = (0..<min(64, pair.right.capabilities.furtherUnicastCount)).map {
            MACAddress(bits: 0x02_00_00_00_01_00 + UInt64($0))
        }
        try pair.right.setFilter(filter)
        try pair.exchange(filter.unicast.map { TestFrame(to: $0, from: pair.left.macAddress, byteCount: 80, seed: $0.bits) })
        try pair.send([TestFrame(to: stranger, from: pair.left.macAddress, byteCount: 80, seed: 10)], from: pair.left)
        try pair.expectSilence(on: pair.right)
        try pair.stop()
    },
    DriverCase("one further unicast address more is refused with the way out") { rig in
        let pair = try rig.open()
        var filter = ReceiveFilter()
        filter.unicast = (0...pair.right.capabilities.furtherUnicastCount).map { MACAddress(bits: 0x02_00_00_00_01_00 + UInt64($0)) }
        do {
            try pair.right.setFilter(filter)
        } catch {
            try expect("\(error)".contains("promiscuous"), "\(error)")
            return try pair.stop()
        }
        throw CaseFailure(description: "\(filter.unicast.count) addresses were taken")
    },
]

extension Pair {
    /// A device that has no such mode says so, and goes on as before.
    fileprivate func seePromiscuousModeRefused() throws {
        do {
            try right.setFilter(ReceiveFilter(promiscuous: true))
        } catch {
            try exchange([TestFrame(to: right.macAddress, from: left.macAddress, byteCount: 80, seed: 2)])
            return try stop()
        }
        throw CaseFailure(description: "a device without promiscuous mode took it")
    }
}

extension ReceiveFilter {
    init(promiscuous: Bool = false, multicast: [MACAddress] = []) {
        self.init()
        isPromiscuous = promiscuous
        self.multicast = multicast
    }
}
