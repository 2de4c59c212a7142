import Testing

@testable import DeviceAccess

@Suite("SET_IRQS requests") struct InterruptRequestTests {
    private func words(_ bytes: [UInt8]) -> [UInt32] {
        let info = InfoBytes(bytes)
        return (0..<bytes.count / 4).compactMap { info.u32(at: 4 * $0) }
    }

    @Test("eventfds follow the header, -1 among them")
    func eventfds() {
        #expect(words(InterruptRequest.signal(.msix, eventfds: [7, -1, 9])) == [32, 0x24, 2, 0, 3, 7, .max, 9])
    }

    @Test("switching off is no data and a count of 0")
    func off() { #expect(words(InterruptRequest.disable(.msi)) == [20, 0x21, 1, 0, 0]) }

    @Test("unmasking INTx is no data and a count of 1")
    func unmask() { #expect(words(InterruptRequest.unmaskINTx()) == [20, 0x11, 0, 0, 1]) }
}
