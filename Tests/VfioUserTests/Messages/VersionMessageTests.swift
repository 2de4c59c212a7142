import Testing

@testable import VfioUser

@Suite struct VersionMessageTests {
    private func message(_ json: String) -> [UInt8] { [0, 0, 0, 0] + Array(json.utf8) + [0] }

    @Test func ownMessageHasItsBytes() throws {
        let version = VersionMessage(major: 0, minor: 1, capabilities: Capabilities(maximumMessageDescriptors: 16, pageSizes: 4096))
        #expect(version.emit() == [0, 0, 1, 0] + Array("{\"capabilities\":{\"max_msg_fds\":16,\"pgsizes\":4096}}".utf8) + [0])
        #expect(try VersionMessage.parse(version.emit()) == version)
    }

    @Test func qemusMessageIsUnderstood() throws {
        let json =
            "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, \"max_data_xfer_size\": 1048576, "
            + "\"migration\": {\"pgsize\": 4096, \"max_bitmap_size\": 268435456}, \"write_multiple\": true}}"
        #expect(
            try VersionMessage.parse(message(json)).capabilities
                == Capabilities(
                    maximumMessageDescriptors: 16, maximumTransferByteCount: 1_048_576, maximumDMAMaps: 65535, pageSizes: 4096,
                    writeMultiple: true,
                    migration: Capabilities.Migration(pageByteCount: 4096, maximumBitmapByteCount: 268_435_456)))
    }

    @Test(arguments: ["", "\"pgsize\":-1,\"max_bitmap_size\":\"x\",\"more\":[1]"]) func migrationWithoutItsNumbersIsMigration(
        members: String
    ) throws {
        let version = try VersionMessage.parse(message("{\"capabilities\":{\"migration\":{\(members)}}}"))
        #expect(version.capabilities == Capabilities(migration: Capabilities.Migration()))
        #expect(try VersionMessage.parse(version.emit()) == version)
    }

    @Test func nothingButNumbersIsAVersion() throws {
        #expect(try VersionMessage.parse([0, 0, 2, 0]) == VersionMessage(major: 0, minor: 2, capabilities: Capabilities()))
    }

    @Test(arguments: [
        "{}", "{\"other\":[1,{\"a\":null}],\"x\":-1.5e3}", "{\"capabilities\":{\"max_msg_fds\":\"8\",\"pgsizes\":-1,\"migration\":true}}",
    ])
    func unknownKeysAndOtherTypesCountAsNotSaid(json: String) throws {
        #expect(try VersionMessage.parse(message(json)).capabilities == Capabilities())
    }

    @Test(arguments: [
        "", "[]", "1", "{", "{\"capabilities\"", "{\"capabilities\":", "{\"capabilities\":{}", "{\"capabilities\":3}", "{} x",
        "{\"a\":tru}",
        "{\"a\" 1}", "{\"a\":1,}", "{\"a", "{\"a\\", "[1 2]", "{\"a\":\"\u{1}\"}",
    ])
    func brokenJSONIsRefused(json: String) {
        #expect(throws: MessageError.self) { try VersionMessage.parse(message(json)) }
    }

    @Test func deepNestingIsRefused() {
        #expect(throws: MessageError.json("nested too deep")) {
            try VersionMessage.parse(message("{\"a\":" + String(repeating: "[", count: 4000)))
        }
    }

    @Test func tooMuchJSONIsRefused() {
        #expect(throws: MessageError.json("longer than 4096 bytes")) {
            try VersionMessage.parse(message("{\"a\":\"" + String(repeating: "x", count: 5000) + "\"}"))
        }
    }

    @Test func missingNULIsRefused() {
        #expect(throws: MessageError.json("it does not end with NUL")) { try VersionMessage.parse([0, 0, 0, 0] + Array("{}".utf8)) }
    }

    @Test(arguments: 0..<4) func tooShortIsRefused(count: Int) {
        #expect(throws: MessageError.self) { try VersionMessage.parse([UInt8](repeating: 0, count: count)) }
    }

    @Test func everyPrefixOfAGoodMessageIsParsedOrRefused() throws {
        let whole = message("{\"capabilities\":{\"max_msg_fds\":16,\"a\":[true,false,null,\"\\u0041\"]}}")
        for count in 0..<whole.count { _ = try? VersionMessage.parse(Array(whole.prefix(count)) + [0]) }
        #expect(try VersionMessage.parse(whole).capabilities.maximumMessageDescriptors == 16)
    }
}
