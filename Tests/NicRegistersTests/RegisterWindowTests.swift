import NicRegisters
import Testing

/// A window that records what reaches it.
private final class RecordingWindow: RegisterWindow {
    var words: [Int: UInt32] = [:]
    var log: [String] = []

    func load32(at offset: Int) -> UInt32 {
        log.append("r\(offset)")
        return words[offset] ?? 0
    }

    func store32(_ value: UInt32, at offset: Int) {
        log.append("w\(offset)")
        words[offset] = value
    }
}

@Suite struct RegisterWindowTests {
    @Test func modifyIsOneReadAndOneWrite() {
        let window = RecordingWindow()
        window.words[0x100] = 0x8000
        window.modify(E1000E.rctl) { $0.insert(.enable) }
        #expect(window.log == ["r256", "w256"])
        #expect(window.words[0x100] == 0x8002)
    }

    @Test func readGivesTheTypedValue() {
        let window = RecordingWindow()
        window.words[8] = 0x0008_0083
        let status = window.read(E1000E.status)
        #expect(status.contains([.fullDuplex, .linkUp, .gioMasterEnable]))
        #expect(status.speed == 2)
    }

    @Test func writeReachesTheElementsOffset() {
        let window = RecordingWindow()
        window.write(7, to: E1000E.tdt[1])
        #expect(window.words == [0x3918: 7])
    }

    /// The compiler takes the constrained overload wherever it fits, so that these say what compiles.
    @Test func rowsThatMayNotBeWrittenHaveNoWrite() {
        #expect(!compilesWrite(E1000E.status))
        #expect(!compilesWrite(E1000E.gprc))
        #expect(compilesWrite(E1000E.ctrl))
        #expect(compilesWrite(E1000E.imc))
        #expect(compilesWrite(E1000E.icr))
    }

    @Test func rowsThatMayNotBeReadHaveNoRead() {
        #expect(!compilesRead(E1000E.imc))
        #expect(!compilesRead(E1000E.ics))
        #expect(compilesRead(E1000E.status))
        #expect(compilesRead(E1000E.gprc))
        #expect(compilesRead(E1000E.icr))
    }
}

private func compilesWrite<Value, Access>(_: Register<Value, Access>) -> Bool { false }
private func compilesWrite<Value, Access: WritableAccess>(_: Register<Value, Access>) -> Bool { true }
private func compilesRead<Value, Access>(_: Register<Value, Access>) -> Bool { false }
private func compilesRead<Value, Access: ReadableAccess>(_: Register<Value, Access>) -> Bool { true }
