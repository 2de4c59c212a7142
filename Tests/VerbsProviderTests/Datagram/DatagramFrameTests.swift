import DeviceMemory
import Testing

@testable import VerbsProvider

@Suite final class DatagramFrameTests {
    private let memory: DMAMemory
    private let key: UInt64 = 0x756e_6900_0000_0001
    private var window: MemoryWindow { memory.window }

    init() throws {
        memory = try DMAMemory.ordinary(byteCount: 4096)
        memory.window.fill(0xee)
    }

    private func datagram() -> DatagramFrame {
        var frame = DatagramFrame(
            kind: .datagram, flags: [.immediate, .solicited], sourceKey: 0x0102_0304_0506_0708, number: 9, report: 10)
        frame.destinationQueuePair = 0xabcdef
        frame.sourceQueuePair = 0x123456
        frame.queueKey = 0xdead_beef
        frame.immediate = 0x0a0b_0c0d
        frame.payloadByteCount = 5
        return frame
    }

    @Test func theBytesAreThoseOfTheLayout() {
        datagram().emit(into: window, destinationKey: key)
        let expected: [UInt8] = [
            1, 1, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0x69, 0x6e, 0x75, 8, 7, 6, 5, 4, 3, 2, 1, 9, 0, 0, 0, 10, 0, 0, 0, 0xef, 0xcd, 0xab, 0, 0x56,
            0x34, 0x12, 0, 0xef, 0xbe, 0xad, 0xde, 0x0d, 0x0c, 0x0b, 0x0a,
        ]
        #expect(window.bytes(at: 42, byteCount: 46) == expected)
        #expect(window.load8(at: 41) == 0xee && window.load8(at: 88) == 0xee)
    }

    @Test func whatWasWrittenIsRead() {
        datagram().emit(into: window, destinationKey: key)
        #expect(DatagramFrame.judge(window, end: 93, key: key) == .good(datagram()))
        let report = DatagramFrame(kind: .report, flags: [], sourceKey: 3, number: 0, report: 77)
        report.emit(into: window, destinationKey: key)
        #expect(DatagramFrame.judge(window, end: DatagramLayout.reportEnd, key: key) == .good(report))
    }

    @Test func anotherLifesFrameIsForeign() {
        datagram().emit(into: window, destinationKey: key ^ 1)
        #expect(DatagramFrame.judge(window, end: 93, key: key) == .foreign)
    }

    @Test(
        arguments: [
            (42, 2), (42, 0), (43, 0), (43, 3), (44, 4), (45, 1), (46, 1), (47, 0x80), (75, 1), (79, 1),
        ] as [(Int, UInt8)])
    func aByteThatCannotBeIsMalformed(offset: Int, value: UInt8) {
        datagram().emit(into: window, destinationKey: key)
        window.store8(value, at: offset)
        #expect(DatagramFrame.judge(window, end: 93, key: key) == .malformed)
    }

    @Test(arguments: DatagramLayout.reportEnd..<DatagramLayout.payload)
    func aShorterDatagramIsMalformed(end: Int) {
        datagram().emit(into: window, destinationKey: key)
        #expect(DatagramFrame.judge(window, end: end, key: key) == .malformed)
    }

    @Test func aReportWithMoreBehindItIsMalformed() {
        DatagramFrame(kind: .report, flags: [], sourceKey: 3, number: 0, report: 77).emit(into: window, destinationKey: key)
        #expect(DatagramFrame.judge(window, end: DatagramLayout.reportEnd + 1, key: key) == .malformed)
        window.store16(1, at: DatagramLayout.flags)
        #expect(DatagramFrame.judge(window, end: DatagramLayout.reportEnd, key: key) == .malformed)
    }
}
