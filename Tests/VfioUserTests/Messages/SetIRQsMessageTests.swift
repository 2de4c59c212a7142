import Testing

@testable import VfioUser

@Suite struct SetIRQsMessageTests {
    @Test func eventfdForINTxHasQEMUsBytes() throws {
        let bytes = words(20, 0x24, 0, 0, 1)
        let message = SetIRQsMessage(action: .trigger, data: .eventfds(descriptorCount: 1), index: 0, start: 0, count: 1)
        #expect(message.emit() == bytes)
        #expect(try SetIRQsMessage.parse(bytes, descriptorCount: 1) == message)
    }

    @Test func offHasQEMUsBytes() throws {
        #expect(
            try SetIRQsMessage.parse(words(20, 0x21, 3, 0, 0), descriptorCount: 0)
                == SetIRQsMessage(action: .trigger, data: .none, index: 3, start: 0, count: 0))
    }

    @Test func eventfdWithoutDescriptorMeansNoTrigger() throws {
        #expect(try SetIRQsMessage.parse(words(20, 0x24, 2, 0, 1), descriptorCount: 0).data == .eventfds(descriptorCount: 0))
    }

    @Test func booleansHaveAByteAVector() throws {
        let message = SetIRQsMessage(action: .mask, data: .booleans([true, false, true]), index: 0, start: 1, count: 3)
        #expect(message.emit() == words(23, 0x0a, 0, 1, 3) + [1, 0, 1])
        #expect(try SetIRQsMessage.parse(message.emit(), descriptorCount: 0) == message)
    }

    @Test(arguments: [0x00, 0x01, 0x20, 0x23, 0x31, 0x61, 0x18, 0x8000_0021] as [UInt32]) func badFlagsAreRefused(flags: UInt32) {
        #expect(throws: MessageError.self) { try SetIRQsMessage.parse(words(20, flags, 0, 0, 1), descriptorCount: 0) }
    }

    @Test func badLengthsAndCountsAreRefused() {
        for bytes in [
            words(20, 0x21, 0, 0), words(19, 0x21, 0, 0, 1), words(20, 0x21, 0, 0, 2049), words(20, 0x22, 0, 0, 2) + [1],
            words(20, 0x21, 0, 0, 1) + [1],
        ] {
            #expect(throws: MessageError.self) { try SetIRQsMessage.parse(bytes, descriptorCount: 0) }
        }
    }

    @Test func wrongNumberOfDescriptorsIsRefused() {
        #expect(throws: MessageError.descriptors(message: "VFIO_USER_DEVICE_SET_IRQS", expected: 3, actual: 2)) {
            try SetIRQsMessage.parse(words(20, 0x24, 2, 0, 3), descriptorCount: 2)
        }
        #expect(throws: MessageError.descriptors(message: "VFIO_USER_DEVICE_SET_IRQS", expected: 0, actual: 1)) {
            try SetIRQsMessage.parse(words(20, 0x21, 2, 0, 1), descriptorCount: 1)
        }
    }
}

@Suite struct RegionAccessMessageTests {
    @Test func readHasItsBytes() throws {
        let message = RegionAccessMessage(offset: 0x2818, region: 0, count: 4)
        #expect(message.emit() == longs(0x2818) + words(0, 4))
        #expect(try RegionAccessMessage.parse(message.emit(), hasData: false, maximumByteCount: 64, descriptorCount: 0) == message)
    }

    @Test func writeCarriesItsData() throws {
        let message = RegionAccessMessage(offset: 1, region: 7, count: 2, data: [0xab, 0xcd])
        #expect(message.emit() == longs(1) + words(7, 2) + [0xab, 0xcd])
        #expect(try RegionAccessMessage.parse(message.emit(), hasData: true, maximumByteCount: 64, descriptorCount: 0) == message)
    }

    @Test(arguments: [0, 65, UInt32.max]) func countOutsideOfLimitsIsRefused(count: UInt32) {
        #expect(throws: MessageError.self) {
            try RegionAccessMessage.parse(longs(0) + words(0, count), hasData: false, maximumByteCount: 64, descriptorCount: 0)
        }
    }

    @Test func dataOfAnotherLengthIsRefused() {
        for data in [[UInt8](), [1, 2, 3], [1, 2, 3, 4, 5]] {
            #expect(throws: MessageError.self) {
                try RegionAccessMessage.parse(longs(0) + words(0, 4) + data, hasData: true, maximumByteCount: 64, descriptorCount: 0)
            }
        }
    }
}
