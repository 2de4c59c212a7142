import Glibc
import LinuxIO
import Testing

@Suite struct WakeSocketTests {
    private func name(_ text: String) -> [UInt8] { Array("unic-test/\(getpid())/\(text)".utf8) }

    @Test func aByteMakesTheSocketReadableUntilItIsDrained() throws {
        let a = try WakeSocket(name: name("a1")), b = try WakeSocket(name: name("b1"))
        #expect(waitForReadable([b.number], timeoutMilliseconds: 0).isEmpty)
        #expect(a.wake(name("b1")) == .delivered)
        #expect(waitForReadable([b.number], timeoutMilliseconds: 0) == [0])
        b.drain()
        #expect(waitForReadable([b.number], timeoutMilliseconds: 0).isEmpty)
    }

    @Test func aNameThatNobodyHasIsTold() throws {
        let a = try WakeSocket(name: name("a2"))
        #expect(a.wake(name("b2")) == .nobody)
        #expect(a.wake([]) == .nobody)
    }

    @Test func aSocketThatIsFullIsAwake() throws {
        let a = try WakeSocket(name: name("a3")), b = try WakeSocket(name: name("b3"))
        for _ in 0..<1000 { #expect(a.wake(name("b3")) == .delivered) }
        for _ in 0..<1000 where !waitForReadable([b.number], timeoutMilliseconds: 0).isEmpty { b.drain() }
        #expect(waitForReadable([b.number], timeoutMilliseconds: 0).isEmpty)
    }

    @Test func aNameIsHadOnceAndGoesWithItsSocket() throws {
        do {
            let a = try WakeSocket(name: name("a4"))
            #expect { _ = try WakeSocket(name: name("a4")) } throws: { ($0 as? SystemCallError)?.errno == .addressInUse }
            _ = a.number
        }
        _ = try WakeSocket(name: name("a4"))
    }

    @Test func aNameThatIsTooLongIsRefused() {
        #expect { _ = try WakeSocket(name: [UInt8](repeating: 65, count: 108)) } throws: {
            ($0 as? SystemCallError)?.errno == .fileNameTooLong
        }
    }
}
