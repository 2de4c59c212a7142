import NicModels
import NicRegisters
import Testing

@Suite struct E1000EFilterTests {
    private static let multicast: UInt64 = 0x0100_5e01_0203
    private static let broadcast: UInt64 = 0xffff_ffff_ffff
    private static let stranger: UInt64 = 0x0200_0000_0077

    private func accepts(_ address: UInt64, _ control: E1000E.ReceiveControl, _ prepare: (Bench) -> Void = { _ in }) throws -> Bool {
        let bench = try Bench()
        bench.startReceive(control.union(.stripCRC))
        prepare(bench)
        try bench.arrive(frame(to: address))
        bench.step()
        return bench.received(0).status.contains(.done)
    }

    @Test func ownUnicastPassesAndAStrangersDoesNot() throws {
        #expect(try accepts(Bench.address, []))
        #expect(try !accepts(Self.stranger, []))
        #expect(try accepts(Self.stranger, .unicastPromiscuous))
    }

    @Test func everyReceiveAddressCounts() throws {
        #expect(
            try accepts(Self.stranger, []) { bench in
                let (low, high) = E1000E.ReceiveAddressHigh.entry(ofMAC: (2, 0, 0, 0, 0, 0x77))
                bench.write(low, to: E1000E.ral[15])
                bench.write(high, to: E1000E.rah[15])
            })
    }

    @Test func broadcastNeedsBAM() throws {
        #expect(try accepts(Self.broadcast, .broadcastAccept))
        #expect(try !accepts(Self.broadcast, []))
    }

    @Test(arguments: 0..<4 as Range<UInt32>)
    func multicastPassesByItsHashWithEachOffset(offset: UInt32) throws {
        var control = E1000E.ReceiveControl()
        control.multicastOffset = offset
        #expect(try !accepts(Self.multicast, control))
        let hash = E1000E.multicastHash(byte4: 2, byte5: 3, multicastOffset: offset)
        let (row, mask) = E1000E.tableBit(hash)
        let bench = try Bench()
        bench.startReceive(control.union(.stripCRC))
        bench.write(mask, to: E1000E.mta[row])
        try bench.arrive(frame(to: Self.multicast))
        bench.step()
        #expect(bench.received(0).status.isSuperset(of: [.done, .passedInexactFilter]))
        #expect(bench.read(E1000E.mprc) == 1)
    }

    @Test func allMulticastPassesWithMPE() throws {
        #expect(try accepts(Self.multicast, .multicastPromiscuous))
        #expect(try !accepts(Self.stranger, .multicastPromiscuous))
    }

    @Test func taggedFramesNeedTheirBitInTheTable() throws {
        func isAccepted(id: UInt32, row: Int, mask: UInt32) throws -> Bool {
            let bench = try Bench()
            bench.startReceive([.stripCRC, .vlanFilter])
            bench.write(mask, to: E1000E.vfta[row])
            let plain = frame()
            try bench.arrive(Array(plain[0..<12]) + [0x81, 0, UInt8(id >> 8), UInt8(id & 0xff)] + plain[12...])
            bench.step()
            return bench.received(0).status.contains(.done)
        }
        #expect(try isAccepted(id: 0x123, row: 9, mask: 1 << 3))
        #expect(try !isAccepted(id: 0x123, row: 9, mask: ~(1 << 3)))
    }

    @Test func theWireIsToldTheOnlyUnicastAddress() throws {
        let bench = try Bench()
        #expect(bench.wire.announced == .some(.some(Bench.address)))
        bench.write(E1000E.ReceiveControl.unicastPromiscuous, to: E1000E.rctl)
        #expect(bench.wire.announced == .some(nil))
        bench.write(E1000E.ReceiveControl(), to: E1000E.rctl)
        #expect(bench.wire.announced == .some(.some(Bench.address)))
        bench.write(E1000E.ReceiveAddressHigh.valid, to: E1000E.rah[3])
        #expect(bench.wire.announced == .some(nil))
    }
}
