import HostBack
import Testing

struct GuardianMessageTests {
    private static let messages: [GuardianMessage] = [
        .device(configOffset: 0x70_0000_0000, name: "0000:03:00.0"), .device(configOffset: .max, name: "fffffff0:ff:1f.7"),
        .container(name: "group 7"), .iommufd, .spaceMade(1), .spaceMade(.max), .spaceGone(2), .goodbye, .deathNotice,
    ]

    @Test(arguments: messages) func messageComesBackAsItWasSent(message: GuardianMessage) throws {
        #expect(message.bytes.count == GuardianMessage.byteCount)
        #expect(try GuardianMessage.parse(message.bytes) == message)
    }

    @Test func fieldsAreWhereTheTableHasThem() {
        let bytes = GuardianMessage.device(configOffset: 0x0102_0304_0506_0708, name: "0000:01:00.0").bytes
        #expect(bytes[0..<8] == [1, 0, 0, 0, 0, 0, 0, 0])
        #expect(bytes[8..<16] == [8, 7, 6, 5, 4, 3, 2, 1])
        #expect(Array(bytes[16...]) == Array("0000:01:00.0".utf8) + [0, 0, 0, 0])
        #expect(GuardianMessage.spaceGone(0x0a0b_0c0d).bytes[0..<8] == [5, 0, 0, 0, 0x0d, 0x0c, 0x0b, 0x0a])
    }

    @Test(arguments: [0, 1, 31, 33]) func anotherLengthIsRefused(byteCount: Int) {
        #expect(throws: GuardianError.wrongLength(byteCount)) { try GuardianMessage.parse([UInt8](repeating: 4, count: byteCount)) }
    }

    @Test(arguments: [0, 8, 0x0101_0101, UInt32.max]) func unknownKindIsRefused(kind: UInt32) {
        var bytes = GuardianMessage.goodbye.bytes
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: kind >> (8 * UInt32(index))) }
        #expect(throws: GuardianError.unknownKind(kind)) { try GuardianMessage.parse(bytes) }
    }

    /// A name goes into a log.
    @Test(arguments: [[], [0x0a], [0x41, 0x1b], [0xc3, 0xa4]] as [[UInt8]])
    func nameThatIsNoPrintableTextIsRefused(name: [UInt8]) {
        let bytes = Array(GuardianMessage.container(name: "x").bytes.prefix(16)) + name + [UInt8](repeating: 0, count: 16 - name.count)
        #expect(throws: GuardianError.badName) { try GuardianMessage.parse(bytes) }
    }

    @Test(arguments: [(GuardianMessage.goodbye, 4), (.iommufd, 15), (.spaceMade(1), 8), (.container(name: "x"), 20)])
    func fieldsThatAMessageHasNoUseForAreZero(message: GuardianMessage, offset: Int) {
        var bytes = message.bytes
        bytes[offset] = 1
        #expect(throws: GuardianError.strayBytes) { try GuardianMessage.parse(bytes) }
    }

    @Test func longNameIsCut() throws {
        let message = try GuardianMessage.parse(GuardianMessage.container(name: "group 0123456789abcdef").bytes)
        #expect(message == .container(name: "group 0123456789"))
    }

    /// Every bit of a message turned: it is another message or an error, and never a trap.
    @Test(arguments: messages) func noBitTraps(message: GuardianMessage) {
        for bit in 0..<8 * GuardianMessage.byteCount {
            var bytes = message.bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            do throws(GuardianError) { #expect(try GuardianMessage.parse(bytes) != message) } catch { #expect(!error.description.isEmpty) }
        }
    }
}
