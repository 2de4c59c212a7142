import CLibfabric
import Testing

@testable import FabricProvider

@Suite struct CompletionRecordTests {
    /// The record is copied as it lies (rdma/fi_eq.h).
    @Test func itBeginsAsLibfabricsEntriesDo() {
        typealias Ours = MemoryLayout<CompletionRecord>
        let ours = [
            Ours.offset(of: \.context), Ours.offset(of: \.flags), Ours.offset(of: \.byteCount), Ours.offset(of: \.buffer),
            Ours.offset(of: \.data), Ours.offset(of: \.tag),
        ]
        // SAFETY: nothing is read.
        let theirs = unsafe [
            MemoryLayout<fi_cq_tagged_entry>.offset(of: \.op_context), MemoryLayout<fi_cq_tagged_entry>.offset(of: \.flags),
            MemoryLayout<fi_cq_tagged_entry>.offset(of: \.len), MemoryLayout<fi_cq_tagged_entry>.offset(of: \.buf),
            MemoryLayout<fi_cq_tagged_entry>.offset(of: \.data), MemoryLayout<fi_cq_tagged_entry>.offset(of: \.tag),
        ]
        #expect(ours == theirs)
        let formats = [FI_CQ_FORMAT_UNSPEC, FI_CQ_FORMAT_CONTEXT, FI_CQ_FORMAT_MSG, FI_CQ_FORMAT_DATA, FI_CQ_FORMAT_TAGGED]
        // SAFETY: as above.
        let sizes = unsafe [
            MemoryLayout<fi_cq_entry>.size, MemoryLayout<fi_cq_entry>.size, MemoryLayout<fi_cq_msg_entry>.size,
            MemoryLayout<fi_cq_data_entry>.size, MemoryLayout<fi_cq_tagged_entry>.size,
        ]
        #expect(formats.map { CompletionRecord.byteCount(of: $0) } == sizes)
        #expect(CompletionRecord.byteCount(of: fi_cq_format(rawValue: 99)) == nil)
    }

    @Test(arguments: [8, 24, 40, 48]) func noMoreThanAnEntryIsWritten(entryByteCount: Int) {
        var record = CompletionRecord()
        record.context = .max
        record.flags = .max
        record.byteCount = -1
        record.buffer = .max
        record.data = .max
        record.tag = .max
        var memory = [UInt8](repeating: 0, count: 200)
        // SAFETY: two entries of at most 48 bytes lie in 200.
        unsafe memory.withUnsafeMutableBytes { bytes in
            let buffer = unsafe CompletionBuffer(entries: bytes.baseAddress, count: 2, sources: nil)
            buffer?.store(record, at: 1, entryByteCount: entryByteCount)
        }
        #expect(memory.firstIndex(of: 0xff) == entryByteCount)
        #expect(memory.lastIndex(of: 0xff) == 2 * entryByteCount - 1)
    }

    @Test func roomThatIsNotThereIsRefused() {
        // SAFETY: nothing is pointed to.
        let taken = [1, 0, -1].map { unsafe CompletionBuffer(entries: nil, count: $0, sources: nil) != nil }
        #expect(taken == [false, true, false])
    }
}

@Suite struct CompletionRingTests {
    @Test func firstInFirstOutWithinItsRoom() {
        var ring = CompletionRing(capacity: 5)
        #expect(ring.room == 8)
        for turn in 0..<10 {
            var taken = (0..<8).map { ring.append(CompletionRecord(context: UInt(turn * 8 + $0))) }
            taken.append(ring.append(CompletionRecord()))
            #expect(taken == [Bool](repeating: true, count: 8) + [false])
            #expect(ring.room == 0)
            for value in 0..<8 {
                #expect(ring.oldest.context == UInt(turn * 8 + value))
                ring.removeOldest()
            }
            #expect(ring.count == 0)
        }
        ring.removeOldest()
        #expect(ring.count == 0)
    }
}

@Suite struct IdlePolicyTests {
    private func looksUntilYield(_ policy: inout IdlePolicy) -> Int {
        var looks = 1
        while !policy.foundNothing() { looks += 1 }
        return looks
    }

    @Test func whoSharesACoreYieldsSoon() {
        var policy = IdlePolicy()
        for _ in 0..<10 {
            _ = looksUntilYield(&policy)
            policy.yielded(forNanoseconds: 50_000)
        }
        #expect(looksUntilYield(&policy) == Int(IdlePolicy.shortestPatience))
    }

    @Test func whoIsAloneYieldsSeldom() {
        var policy = IdlePolicy()
        for _ in 0..<10 {
            _ = looksUntilYield(&policy)
            policy.yielded(forNanoseconds: 400)
        }
        #expect(looksUntilYield(&policy) == Int(IdlePolicy.longestPatience))
    }

    @Test func somethingFoundBeginsAnew() {
        var policy = IdlePolicy()
        let patience = Int(policy.patience)
        let early = (0..<patience - 1).filter { _ in policy.foundNothing() }
        #expect(early.isEmpty)
        policy.foundSomething()
        #expect(looksUntilYield(&policy) == patience)
    }
}
