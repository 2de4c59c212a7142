import NicRegisters
import Testing

@Suite struct VirtioFeaturesTests {
    @Test func everyFeatureIsOneBitOfItsOwnWithANameOfItsOwn() {
        var seen: UInt64 = 0
        for (name, flag) in VirtioFeatures.namedFlags {
            #expect(flag.rawValue.nonzeroBitCount == 1, "\(name)")
            #expect(seen & flag.rawValue == 0, "\(name)")
            seen |= flag.rawValue
        }
        #expect(Set(VirtioFeatures.namedFlags.map(\.name)).count == VirtioFeatures.namedFlags.count)
    }

    /// Written by hand from linux/virtio_net.h, virtio_config.h, virtio_ring.h; 38 from "Reserved Feature Bits".
    @Test(arguments: [
        ("CSUM", 0), ("GUEST_CSUM", 1), ("MTU", 3), ("MAC", 5), ("MRG_RXBUF", 15), ("STATUS", 16), ("CTRL_VQ", 17), ("CTRL_RX", 18),
        ("GUEST_ANNOUNCE", 21), ("MQ", 22), ("CTRL_MAC_ADDR", 23), ("INDIRECT_DESC", 28), ("EVENT_IDX", 29), ("VERSION_1", 32),
        ("ACCESS_PLATFORM", 33), ("RING_PACKED", 34), ("IN_ORDER", 35), ("ORDER_PLATFORM", 36), ("NOTIFICATION_DATA", 38),
        ("RING_RESET", 40),
        ("RSS", 60), ("SPEED_DUPLEX", 63),
    ])
    func bitsAreThePublicHeaders(name: String, bit: UInt64) throws {
        let feature = try #require(VirtioFeatures.namedFlags.first { $0.name == name })
        #expect(feature.flag.rawValue == 1 << bit)
    }

    @Test func aFeatureWithoutWhatItNeedsIsNotConsistent() {
        #expect(VirtioFeatures([.version1, .mac]).isConsistent)
        #expect(VirtioFeatures([.multiqueue, .controlQueue]).isConsistent)
        #expect(!VirtioFeatures([.multiqueue]).isConsistent)
        #expect(!VirtioFeatures([.hostTSO4]).isConsistent)
        #expect(!VirtioFeatures([.guestECN, .guestChecksum]).isConsistent)
        #expect(VirtioFeatures([.guestECN, .guestTSO6, .guestChecksum]).isConsistent)
    }

    @Test func aSetIsToldInWords() {
        #expect(VirtioFeatures(rawValue: 1 << 32 | 1 << 5 | 1 << 50).summary == "MAC VERSION_1 bit 50")
    }
}
