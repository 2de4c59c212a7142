import Testing

@testable import VfioUser

/// "VFIO_USER_VERSION" in raw bytes: what the server answers to what is proposed, and keeps to.
@Suite struct ServerVersionTests {
    private func version(_ minor: UInt16, _ json: String) -> [UInt8] {
        [0, 0, UInt8(minor & 0xff), UInt8(minor >> 8)] + Array(json.utf8) + [0]
    }

    private func answer(_ proposal: [UInt8], canBeSaved: Bool = true) throws -> String {
        let server = try RunningServer(canBeSaved: canBeSaved)
        let peer = try RawPeer(connectingTo: server.path, negotiate: false)
        let reply = try peer.exchange(.version, proposal)
        #expect(!reply.header.isError && reply.payload.prefix(2) == [0, 0] && reply.payload.last == 0)
        return String(decoding: reply.payload.dropFirst(4).dropLast(), as: UTF8.self)
    }

    @Test(
        arguments: [
            ("\"max_msg_fds\":1", "\"max_msg_fds\":16"),
            ("\"max_data_xfer_size\":4096", "\"max_data_xfer_size\":1048576"),
            ("\"max_dma_maps\":7", "\"max_dma_maps\":65535"),
            ("\"pgsizes\":2101248", "\"pgsizes\":4096"),
            ("\"write_multiple\":true", "\"write_multiple\":true"),
            ("\"write_multiple\":false", ""),
            ("\"twin_socket\":{\"supported\":false}", ""),
            ("\"future\":{\"a\":[1,2]}", ""),
        ])
    func eachCapabilityIsAnsweredIfItWasProposed(proposed: String, answered: String) throws {
        #expect(try answer(version(2, "{\"capabilities\":{\(proposed)}}")) == "{\"capabilities\":{\(answered)}}")
    }

    @Test(
        arguments: [
            ("{\"pgsize\":4096,\"max_bitmap_size\":268435456}", "{\"pgsize\":4096,\"max_bitmap_size\":262144}"),
            ("{\"pgsize\":65536,\"max_bitmap_size\":64}", "{\"pgsize\":4096,\"max_bitmap_size\":64}"),
            ("{}", "{\"pgsize\":4096,\"max_bitmap_size\":262144}"),
        ])
    func migrationIsAnsweredForAModelThatCanBeSaved(proposed: String, answered: String) throws {
        let proposal = version(0, "{\"capabilities\":{\"migration\":\(proposed)}}")
        #expect(try answer(proposal) == "{\"capabilities\":{\"migration\":\(answered)}}")
        #expect(try answer(proposal, canBeSaved: false) == "{\"capabilities\":{}}")
    }

    @Test(arguments: ["true", "null", "4096", "[]"]) func migrationThatIsNoObjectIsNone(value: String) throws {
        #expect(try answer(version(0, "{\"capabilities\":{\"migration\":\(value)}}")) == "{\"capabilities\":{}}")
    }

    @Test(arguments: [(0, 0), (1, 1), (2, 2), (3, 2), (0xffff, 2)] as [(UInt16, UInt16)])
    func minorIsTheLowerOneOfBoth(proposed: UInt16, answered: UInt16) throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path, negotiate: false)
        let reply = try peer.exchange(.version, version(proposed, "{}"))
        #expect(!reply.header.isError && reply.payload.prefix(4) == [0, 0, UInt8(answered), 0])
        #expect(try !peer.exchange(.deviceReset, []).header.isError)
    }

    /// No reply carries more data than the client takes.
    @Test func aReadOfMoreThanTheClientTakesIsRefused() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path, negotiate: false)
        _ = try peer.exchange(.version, version(0, "{\"capabilities\":{\"max_data_xfer_size\":64}}"))
        for (count, errno) in [(64, 0), (65, 22), (4096, 22), (4, 0)] as [(UInt32, UInt32)] {
            for region: UInt32 in [0, 7] {
                let reply = try peer.exchange(.regionRead, longs(0) + words(region, min(count, 256)))
                #expect(reply.header.errno == errno && reply.payload.count == (errno == 0 ? 16 + Int(count) : 0), "\(count) of \(region)")
            }
        }
        // What the client sends is bounded by what the server takes.
        #expect(try !peer.exchange(.regionWrite, longs(0x2000) + words(0, 128) + [UInt8](repeating: 1, count: 128)).header.isError)
    }

    @Test func aClientThatTakesNoDataGetsNone() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path, negotiate: false)
        _ = try peer.exchange(.version, version(0, "{\"capabilities\":{\"max_data_xfer_size\":0}}"))
        #expect(try peer.exchange(.regionRead, longs(0) + words(0, 1)).header.errno == 22)
        #expect(try !peer.exchange(.deviceGetInfo, words(16, 0, 0, 0)).header.isError)
    }
}
