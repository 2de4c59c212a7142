import Testing

@testable import DeviceAccess

@Suite("Capability chains of VFIO's info structures") struct CapabilityChainTests {
    private func parse(_ chain: [UInt8], first: UInt32) throws(MalformedInfo) -> [InfoCapability] {
        try CapabilityChain.parse(InfoBytes([UInt8](repeating: 0, count: 16) + chain), first: first, fixedByteCount: 16)
    }

    @Test("no chain has no capabilities")
    func none() throws { #expect(try parse([], first: 0).isEmpty) }

    @Test("links are followed in their order, unknown ones too, also backwards")
    func order() throws {
        let chain = InfoBuilder.capability(id: 7, next: 0) + InfoBuilder.capability(id: 999, next: 16, version: 3)
        let found = try parse(chain, first: 24)
        #expect(found == [InfoCapability(id: 999, version: 3, offset: 24), InfoCapability(id: 7, version: 1, offset: 16)])
        #expect(found[0].body == 32)
    }

    @Test("a link to itself is refused")
    func selfLoop() { #expect(throws: MalformedInfo.self) { try parse(InfoBuilder.capability(id: 1, next: 16), first: 16) } }

    @Test("a loop of two is refused")
    func loop() {
        let chain = InfoBuilder.capability(id: 1, next: 24) + InfoBuilder.capability(id: 2, next: 16)
        #expect(throws: MalformedInfo(reason: "the capability chain comes back to byte 16")) { try parse(chain, first: 16) }
    }

    @Test("a link into the fixed structure is refused")
    func intoFixed() { #expect(throws: MalformedInfo.self) { try parse(InfoBuilder.capability(id: 1, next: 8), first: 16) } }

    @Test("links past the end are refused", arguments: [UInt32(17), 23, 24, 25, 1000, .max])
    func pastTheEnd(first: UInt32) {
        #expect(throws: MalformedInfo.self) { try parse(InfoBuilder.capability(id: 1, next: 0), first: first) }
    }

    @Test("a chain longer than any kernel's is cut off with an error")
    func tooLong() {
        var chain: [UInt8] = []
        for index in 0..<100 { chain += InfoBuilder.capability(id: 1, next: index == 99 ? 0 : UInt32(16 + 8 * (index + 1))) }
        #expect(throws: MalformedInfo(reason: "the capability chain has more than 64 links")) { try parse(chain, first: 16) }
    }
}
