import NicRegisters
import Testing

/// Microsoft, "Verifying the RSS Hash Calculation": destination and source with their ports, and both hashes.
@Suite struct ToeplitzHashTests {
    @Test(
        arguments: [
            ([66, 9, 149, 187], [161, 142, 100, 80], 2794, 1766, 0x323e_8fc2, 0x51cc_c178),
            ([199, 92, 111, 2], [65, 69, 140, 83], 14230, 4739, 0xd718_262a, 0xc626_b0ea),
            ([24, 19, 198, 95], [12, 22, 207, 184], 12898, 38024, 0xd2d0_a5de, 0x5c2b_394a),
        ] as [([UInt8], [UInt8], UInt16, UInt16, UInt32, UInt32)])
    func hashesAreThoseOfTheExamples(
        source: [UInt8], destination: [UInt8], sourcePort: UInt16, destinationPort: UInt16, addresses: UInt32, withPorts: UInt32
    ) {
        let hash = ToeplitzHash()
        let ports = [sourcePort, destinationPort].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        #expect(hash.hash(source + destination) == addresses)
        #expect(hash.hash(source + destination + ports) == withPorts)
    }

    @Test func registersTakeTheKeyAsLittleEndianWords() {
        #expect(ToeplitzHash.standardKeyWords.count == 10)
        #expect(ToeplitzHash.standardKeyWords[0] == 0xda56_5a6d)
    }

    @Test func bytesBeyondTheKeyAddOnlyWhatTheKeyStillHas() {
        let hash = ToeplitzHash(key: [0x80, 0, 0, 0])
        #expect(hash.hash([0x80]) == 0x8000_0000)
        #expect(hash.hash([0, 0, 0, 0, 0xff, 0xff]) == 0)
    }
}
