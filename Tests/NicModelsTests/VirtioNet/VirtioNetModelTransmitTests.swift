import DeviceMemory
import NicRegisters
import Testing

@testable import NicModels

@Suite struct VirtioNetModelTransmitTests {
    @Test(arguments: [false, true])
    func aFrameBehindItsHeaderReachesTheWireAndItsBufferComesBack(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        bench.send(frame(to: VirtioBench.peerAddress, byteCount: 100))
        #expect(bench.step())
        #expect(bench.sent() == [frame(to: VirtioBench.peerAddress, byteCount: 100)])
        #expect(bench.transmit.takeUsed() == [.init(id: 0, length: 0)])
        #expect(!bench.step())
        #expect(bench.counters.framesSent == 1 && bench.counters.bytesSent == 100)
    }

    @Test(arguments: [false, true])
    func headerAndFrameMayBeCutAnywhere(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        let whole = frame(byteCount: 700)
        let at = bench.buffer(0)
        bench.put(VirtioNet.Header(), at: at)
        bench.memory.window.store(whole, at: at + 12)
        bench.transmit.add([.init(at, 5), .init(at + 5, 0), .init(at + 5, 20), .init(at + 25, 687)])
        bench.transmit.add([.init(at, 12), .init(at + 12, 700)])
        bench.step()
        #expect(bench.sent() == [whole, whole])
        #expect(bench.transmit.takeUsed().count == 2)
    }

    @Test(arguments: [false, true])
    func aTableOfDescriptorsIsFollowed(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed, features: VirtioBench.usual.union(.indirectDescriptors))
        let whole = frame(byteCount: 300)
        let at = bench.buffer(0)
        bench.put(VirtioNet.Header(), at: at)
        bench.memory.window.store(whole, at: at + 12)
        for _ in 0..<3 { bench.transmit.add([.init(at, 12), .init(at + 12, 100), .init(at + 112, 200)], table: bench.buffer(1)) }
        bench.step()
        #expect(bench.sent() == [whole, whole, whole])
        #expect(bench.transmit.takeUsed().count == 3)
    }

    /// "Zero or more normal chained descriptors followed by a single descriptor with INDIRECT".
    @Test func ofASplitRingATableMayEndAChain() throws {
        let bench = try VirtioBench.running(features: VirtioBench.usual.union(.indirectDescriptors))
        let queue = bench.transmit
        let at = bench.buffer(0)
        bench.put(VirtioNet.Header(), at: at)
        bench.memory.window.store(frame(byteCount: 80), at: at + 12)
        queue.storeDescriptor(5, bench.iova(at), 12, 1, 9)
        queue.storeDescriptor(9, bench.iova(bench.buffer(1)), 16, 4, 0)
        queue.storeDescriptor(0, bench.iova(at + 12), 80, 0, 0, at: bench.buffer(1))
        queue.makeAvailable(head: 5)
        bench.step()
        #expect(bench.sent() == [frame(byteCount: 80)])
        #expect(queue.takeUsed() == [.init(id: 5, length: 0)])
    }

    @Test(arguments: [false, true])
    func framesGoOnInOrderRoundAfterRound(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        for round in 0..<20 {
            for number in 0..<13 { bench.send(frame(byteCount: 64, first: UInt8(truncatingIfNeeded: round * 13 + number)), buffer: number) }
            bench.step(2)
            #expect(bench.sent() == (0..<13).map { frame(byteCount: 64, first: UInt8(truncatingIfNeeded: round * 13 + $0)) })
            #expect(bench.transmit.takeUsed().count == 13)
        }
        #expect(bench.counters.framesSent == 260)
    }

    @Test(arguments: [false, true])
    func chainsWrapAroundTheRingsEnd(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        let at = bench.buffer(0)
        bench.put(VirtioNet.Header(), at: at)
        bench.memory.window.store(frame(byteCount: 90), at: at + 12)
        for _ in 0..<30 {
            bench.transmit.add([.init(at, 12), .init(at + 12, 40), .init(at + 52, 50)])
            bench.step()
            #expect(bench.sent() == [frame(byteCount: 90)])
            #expect(bench.transmit.takeUsed().count == 1)
        }
    }

    @Test func shortFramesArePaddedWithZeros() throws {
        let bench = try VirtioBench.running()
        bench.send(frame(byteCount: 42))
        bench.step()
        #expect(bench.sent() == [frame(byteCount: 42) + [UInt8](repeating: 0, count: 18)])
    }

    @Test func theLongestFrameOfAWirePasses() throws {
        let bench = try VirtioBench.running()
        bench.send(frame(byteCount: 9014))
        bench.step()
        #expect(bench.sent() == [frame(byteCount: 9014)])
    }

    @Test(arguments: [(9015, VirtioNet.Header()), (13, VirtioNet.Header()), (100, VirtioNet.Header(word0: 0x0100, word1: 0))])
    func whatNoWireCarriesAndSegmentsAreDroppedAndGivenBack(byteCount: Int, header: VirtioNet.Header) throws {
        let bench = try VirtioBench.running()
        bench.send(frame(byteCount: max(byteCount, 14)).prefix(byteCount).map { $0 }, header: header)
        bench.send(frame(byteCount: 60), buffer: 1)
        bench.step()
        #expect(bench.sent() == [frame(byteCount: 60)])
        #expect(bench.transmit.takeUsed().count == 2)
        #expect(bench.counters.framesNotSent == 1)
        #expect(bench.status.contains(.driverOK) && !bench.status.contains(.needsReset))
    }

    @Test(arguments: [false, true])
    func aPartialChecksumIsCompleted(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        let whole = udpFrame(payload: 31)
        var partial = whole
        // The driver leaves the pseudo header's sum in the field.
        let pseudo: [UInt8] = Array(whole[26..<34]) + [0, 17] + whole[38..<40]
        let sum = internetSum(pseudo)
        partial[40] = UInt8(sum >> 8)
        partial[41] = UInt8(sum & 0xff)
        bench.send(partial, header: VirtioNet.Header(flags: .needsChecksum, checksumStart: 34, checksumOffset: 6))
        bench.step()
        #expect(bench.sent() == [whole])
        #expect(bench.counters.checksumsInserted == 1)
    }

    /// A checksum of zero would mean that there is none (RFC 768).
    @Test func aChecksumThatComesOutAsZeroIsAllOnes() throws {
        let bench = try VirtioBench.running()
        var bytes = frame(byteCount: 14) + [UInt8](repeating: 0, count: 46)
        bytes.replaceSubrange(20..<22, with: [0xff, 0xff])
        bench.send(bytes, header: VirtioNet.Header(flags: .needsChecksum, checksumStart: 14, checksumOffset: 20))
        bench.step()
        bytes.replaceSubrange(34..<36, with: [0xff, 0xff])
        #expect(bench.sent() == [bytes])
    }

    @Test(arguments: [(60, 0), (59, 0), (0xffff, 0xffff), (34, 25), (34, 0xffff)])
    func aChecksumOutsideOfTheFrameDropsIt(start: UInt16, offset: UInt16) throws {
        let bench = try VirtioBench.running()
        bench.send(frame(byteCount: 60), header: VirtioNet.Header(flags: .needsChecksum, checksumStart: start, checksumOffset: offset))
        bench.step()
        #expect(bench.sent().isEmpty)
        #expect(bench.counters.framesNotSent == 1)
        #expect(bench.transmit.takeUsed().count == 1)
    }

    @Test func aChecksumThatWasNotNegotiatedIsIgnored() throws {
        let bench = try VirtioBench.running(features: VirtioBench.usual.subtracting(.checksum))
        bench.send(frame(byteCount: 60), header: VirtioNet.Header(flags: .needsChecksum, checksumStart: 14, checksumOffset: 0))
        bench.step()
        #expect(bench.sent() == [frame(byteCount: 60)])
    }

    @Test func aStepTakesAtMostSixtyFourBuffers() throws {
        let bench = try VirtioBench.running(size: 128)
        for _ in 0..<100 { bench.send(frame(byteCount: 60)) }
        bench.step()
        #expect(bench.sent().count == 64)
        bench.step()
        #expect(bench.sent().count == 36)
        #expect(bench.transmit.takeUsed().count == 100)
    }
}
