import CLibfabric
import Testing

@testable import FabricProvider

@Suite struct CompletionRecordTests {
    /// The record is copied as it lies (rdma/fi_eq.h).
    @Test func itBeginsAsLibfabricsEntriesDo() {
        #expect(MemoryLayout<CompletionRecord>.offset(of: \.context) == MemoryLayout<fi_cq_tagged_entry>.offset(of: \.op_context))
        #expect(MemoryLayout<CompletionRecord>.offset(of: \.flags) == MemoryLayout<fi_cq_tagged_entry>.offset(of: \.flags))
        #expect(MemoryLayout<CompletionRecord>.offset(of: \.byteCount) == MemoryLayout<fi_cq_tagged_entry>.offset(of: \.len))
        #expect(MemoryLayout<CompletionRecord>.offset(of: \.buffer) == MemoryLayout<fi_cq_tagged_entry>.offset(of: \.buf))
        #expect(MemoryLayout<CompletionRecord>.offset(of: \.data) == MemoryLayout<fi_cq_tagged_entry>.offset(of: \.data))
        #expect(MemoryLayout<CompletionRecord>.offset(of: \.tag) == MemoryLayout<fi_cq_tagged_entry>.offset(of: \.tag))
        #expect(CompletionRecord.byteCount(of: FI_CQ_FORMAT_UNSPEC) == MemoryLayout<fi_cq_entry>.size)
        #expect(CompletionRecord.byteCount(of: FI_CQ_FORMAT_CONTEXT) == MemoryLayout<fi_cq_entry>.size)
        #expect(CompletionRecord.byteCount(of: FI_CQ_FORMAT_MSG) == MemoryLayout<fi_cq_msg_entry>.size)
        #expect(CompletionRecord.byteCount(of: FI_CQ_FORMAT_DATA) == MemoryLayout<fi_cq_data_entry>.size)
        #expect(CompletionRecord.byteCount(of: FI_CQ_FORMAT_TAGGED) == MemoryLayout<fi_cq_tagged_entry>.size)
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
        memory.withUnsafeMutableBytes { bytes in
            let buffer = CompletionBuffer(entries: bytes.baseAddress, count: 2, sources: nil)
            buffer?.store(record, at: 1, entryByteCount: entryByteCount)
        }
        #expect(memory.firstIndex(of: 0xff) == entryByteCount)
        #expect(memory.lastIndex(of: 0xff) == 2 * entryByteCount - 1)
    }

    @Test func roomThatIsNotThereIsRefused() {
        #expect(CompletionBuffer(entries: nil, count: 1, sources: nil) == nil)
        #expect(CompletionBuffer(entries: nil, count: 0, sources: nil) != nil)
        #expect(CompletionBuffer(entries: nil, count: -1, sources: nil) == nil)
    }
}

@Suite struct CompletionRingTests {
    @Test func firstInFirstOutWithinItsRoom() {
        var ring = CompletionRing(capacity: 5)
        #expect(ring.room == 8)
        for turn in 0..<10 {
            for value in 0..<8 { #expect(ring.append(CompletionRecord(context: UInt(turn * 8 + value)))) }
            #expect(!ring.append(CompletionRecord()))
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
        for _ in 0..<patience - 1 { #expect(!policy.foundNothing()) }
        policy.foundSomething()
        #expect(looksUntilYield(&policy) == patience)
    }
}
