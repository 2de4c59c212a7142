import DeviceMemory
import Testing

@Suite struct PacketPoolTests {
    @Test func everyBufferIsHandedOutOnceAndThenNone() {
        let pool = TestMemory.pool(count: 8)
        #expect(pool.capacity == 8 && pool.freeCount == 8)
        var seen: Set<UInt32> = []
        while let index = pool.reference.take() { seen.insert(index) }
        #expect(seen == Set(0..<8) && pool.freeCount == 0)
        for index in seen { pool.reference.give(index) }
        #expect(pool.freeCount == 8)
    }

    @Test func buffersDoNotOverlapAndTheirAddressesMatch() {
        let pool = TestMemory.pool(count: 4)
        for index in 0..<4 as Range<UInt32> { pool.reference.window(of: index).fill(UInt8(index) + 1) }
        for index in 0..<4 as Range<UInt32> {
            let bytes = pool.reference.window(of: index).bytes(at: 0, byteCount: 2048)
            #expect(bytes.allSatisfy { $0 == UInt8(index) + 1 })
            #expect(pool.reference.iova(of: index) == 0x10_0000 + UInt64(index) * 2048)
        }
    }

    @Test func droppedPacketGoesBack() {
        let pool = TestMemory.pool(count: 2)
        do {
            let packet = Packet(from: pool.reference)
            #expect(pool.freeCount == 1)
            _ = consume packet
        }
        #expect(pool.freeCount == 2)
    }

    @Test func releasedHandleStaysOutUntilAdopted() {
        let pool = TestMemory.pool(count: 2)
        guard let packet = Packet(from: pool.reference) else { Issue.record("an empty pool"); return }
        let handle = packet.release()
        #expect(pool.freeCount == 1)
        do { _ = Packet(adopting: handle, in: pool.reference) }
        #expect(pool.freeCount == 2)
    }

    @Test func emptyPoolGivesNoPacket() {
        let pool = TestMemory.pool(count: 2)
        let first = Packet(from: pool.reference)
        let second = Packet(from: pool.reference)
        let (hasFirst, hasSecond, hasThird) = (first != nil, second != nil, Packet(from: pool.reference) != nil)
        #expect(hasFirst && hasSecond && !hasThird)
        _ = consume first
        _ = consume second
    }

    @Test func lengthAndChecksumFieldsDoNotDisturbEachOther() {
        let pool = TestMemory.pool(count: 1)
        guard var packet = Packet(from: pool.reference) else { Issue.record("an empty pool"); return }
        packet.byteCount = 2048
        packet.requestChecksums([.insertIPChecksum, .insertTCPChecksum], linkHeaderByteCount: 127, networkHeaderByteCount: 255)
        let (count, flags) = (packet.byteCount, packet.flags)
        #expect(count == 2048 && flags == [.insertIPChecksum, .insertTCPChecksum])
        packet.byteCount = 0
        let handle = packet.release()
        #expect(handle.byteCount == 0 && handle.index == 0 && handle.linkHeaderByteCount == 127 && handle.networkHeaderByteCount == 255)
        pool.reference.give(handle.index)
    }

    @Test func poolThatGoesBeforeItsPacketsLeavesTheirMemory() {
        var pool: PacketPool? = TestMemory.pool(count: 2)
        guard let reference = pool?.reference, let packet = Packet(from: reference) else { Issue.record("no packet"); return }
        pool = nil
        let window = packet.window
        window.fill(0x5a)
        #expect(window.load8(at: 2047) == 0x5a)
        _ = consume packet
        #expect(reference.freeCount == 2)
    }

    @Test func misuseTraps() async {
        await #expect(processExitsWith: .failure) {
            let pool = TestMemory.pool(count: 2)
            withExtendedLifetime(pool) { pool.reference.give(0) }
        }
        await #expect(processExitsWith: .failure) {
            let pool = TestMemory.pool(count: 2)
            withExtendedLifetime(pool) { _ = pool.reference.window(of: 2) }
        }
        await #expect(processExitsWith: .failure) {
            let pool = TestMemory.pool(count: 2)
            var packet = Packet(from: pool.reference)!
            packet.byteCount = 2049
            _ = consume packet
        }
    }
}

@Suite struct PacketBatchTests {
    static func fill(_ batch: inout PacketBatch, _ count: Int, from pool: PacketPool) {
        for length in 1...count {
            guard var packet = Packet(from: pool.reference) else { return }
            packet.byteCount = length
            _ = batch.append(packet)
        }
    }

    @Test func packetsComeOutInOrder() {
        let pool = TestMemory.pool(count: 4)
        var batch = PacketBatch(capacity: 4, pool: pool.reference)
        Self.fill(&batch, 3, from: pool)
        let (count, room) = (batch.count, batch.room)
        #expect(count == 3 && room == 1 && pool.freeCount == 1)
        var lengths: [Int] = []
        while let packet = batch.removeFirst() { lengths.append(packet.byteCount) }
        let (isEmpty, roomAtTheEnd) = (batch.isEmpty, batch.room)
        #expect(lengths == [1, 2, 3] && isEmpty && roomAtTheEnd == 4 && pool.freeCount == 4)
    }

    @Test func fullBatchGivesThePacketBack() {
        let pool = TestMemory.pool(count: 3)
        var batch = PacketBatch(capacity: 2, pool: pool.reference)
        Self.fill(&batch, 2, from: pool)
        guard let packet = Packet(from: pool.reference) else { Issue.record("an empty pool"); return }
        let cameBack = batch.append(packet) != nil
        let count = batch.count
        #expect(cameBack && count == 2)
    }

    @Test func batchThatGoesReturnsWhatIsStillInside() {
        let pool = TestMemory.pool(count: 4)
        do {
            var batch = PacketBatch(capacity: 4, pool: pool.reference)
            Self.fill(&batch, 4, from: pool)
            _ = batch.removeFirst()
            let taken = batch.handle(at: 0)
            batch.removeFirst(taken: 1)
            #expect(pool.freeCount == 1 && taken.byteCount == 2)
            pool.reference.give(taken.index)
        }
        #expect(pool.freeCount == 4)
    }

    @Test func storedHandlesBecomePackets() {
        let pool = TestMemory.pool(count: 2)
        var batch = PacketBatch(capacity: 2, pool: pool.reference)
        guard let index = pool.reference.take() else { Issue.record("an empty pool"); return }
        batch.store(PacketHandle(index: index, byteCount: 60), at: 0)
        let before = batch.count
        batch.append(stored: 1)
        let (after, stored) = (batch.count, batch.handle(at: 0))
        #expect(before == 0 && after == 1 && stored.byteCount == 60)
        batch.removeAll()
        #expect(pool.freeCount == 2)
    }

    @Test func misuseTraps() async {
        await #expect(processExitsWith: .failure) {
            let one = TestMemory.pool(count: 1)
            let other = TestMemory.pool(count: 1)
            var batch = PacketBatch(capacity: 1, pool: one.reference)
            _ = batch.append(Packet(from: other.reference)!)
        }
        await #expect(processExitsWith: .failure) {
            let pool = TestMemory.pool(count: 1)
            var batch = PacketBatch(capacity: 1, pool: pool.reference)
            batch.append(stored: 2)
        }
    }
}
