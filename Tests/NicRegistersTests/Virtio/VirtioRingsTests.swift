import NicRegisters
import Testing

@Suite struct VirtioRingsTests {
    @Test func aSplitDescriptorIsReadFromItsBytes() throws {
        let bytes: [UInt8] = [0, 0x10, 0, 0, 1, 0, 0, 0, 0xea, 0x05, 0, 0, 0x03, 0x00, 0x34, 0x12]
        let descriptor = try #require(Virtio.SplitDescriptor(bytes: bytes))
        #expect(descriptor.address == 0x1_0000_1000)
        #expect(descriptor.byteCount == 1514)
        #expect(descriptor.flags == [.next, .write])
        #expect(descriptor.next == 0x1234)
        #expect(Virtio.SplitDescriptor(address: 0x1_0000_1000, byteCount: 1514, flags: [.next, .write], next: 0x1234).bytes == bytes)
    }

    @Test func aPackedDescriptorIsReadFromItsBytes() throws {
        let bytes: [UInt8] = [0, 0x10, 0, 0, 1, 0, 0, 0, 0xea, 0x05, 0, 0, 0x34, 0x12, 0x82, 0x80]
        let descriptor = try #require(Virtio.PackedDescriptor(bytes: bytes))
        #expect(descriptor.address == 0x1_0000_1000)
        #expect(descriptor.byteCount == 1514)
        #expect(descriptor.id == 0x1234)
        #expect(descriptor.flags == [.write, .available, .used])
        let made = Virtio.PackedDescriptor(address: 0x1_0000_1000, byteCount: 1514, id: 0x1234, flags: [.write, .available, .used])
        #expect(made.bytes == bytes)
    }

    /// "Driver and Device Ring Wrap Counters": available and used differ, respectively are equal, and follow the counter.
    @Test(arguments: [
        (0x0080, true, false, false, false), (0x8000, false, true, false, false), (0x8080, false, false, true, false),
        (0, false, false, false, true),
    ])
    func ofThePackedFlagsEachPairMeansOneThing(flags: UInt16, first: Bool, second: Bool, usedFirst: Bool, usedSecond: Bool) {
        let descriptor = Virtio.PackedDescriptor(address: 0, byteCount: 0, id: 0, flags: .init(rawValue: flags | 3))
        #expect(descriptor.isAvailable(wrap: true) == first)
        #expect(descriptor.isAvailable(wrap: false) == second)
        #expect(descriptor.isUsed(wrap: true) == usedFirst)
        #expect(descriptor.isUsed(wrap: false) == usedSecond)
    }

    @Test func aUsedElementIsIdThenLength() {
        #expect(Virtio.UsedElement(id: 7, byteCount: 1526).word == 0x0000_05f6_0000_0007)
        #expect(Virtio.UsedElement(word: 0x0000_05f6_0000_0007).id == 7)
        #expect(Virtio.UsedElement(word: 0x0000_05f6_0000_0007).byteCount == 1526)
    }

    /// The table of "Split Virtqueues".
    @Test func partsOfASplitRingHaveTheSpecificationsSizes() {
        #expect(Virtio.SplitRing.descriptorsByteCount(size: 256) == 4096)
        #expect(Virtio.SplitRing.availableByteCount(size: 256) == 518)
        #expect(Virtio.SplitRing.usedByteCount(size: 256) == 2054)
        #expect(Virtio.SplitRing.usedEvent(size: 256) == 516)
        #expect(Virtio.SplitRing.availableEvent(size: 256) == 2052)
    }

    @Test func eventSuppressionHasOffsetAndWrapBelowTheFlags() {
        let event = Virtio.EventSuppression.at(0x1234, wrap: true)
        #expect(event.word == 0x0002_9234)
        #expect(event.offset == 0x1234 && event.wrap && event.isForDescriptor)
        #expect(Virtio.EventSuppression.disabled.word == 0x0001_0000)
        #expect(Virtio.EventSuppression.enabled.isEnabled && Virtio.EventSuppression.disabled.isDisabled)
        #expect(!Virtio.EventSuppression.at(0x8000, wrap: false).wrap)
    }

    /// vring_need_event: due exactly if the entry `event` was written between old and new.
    @Test(arguments: [
        (0, 0, 1, true), (1, 0, 1, false), (5, 3, 9, true), (9, 3, 9, false), (2, 3, 9, false), (0xffff, 0xfffe, 2, true), (4, 4, 4, false),
    ])
    func anEventIsDueWhenItsEntryWasPassed(event: UInt16, old: UInt16, new: UInt16, isDue: Bool) {
        #expect(Virtio.isEventDue(event, old: old, new: new) == isDue)
    }

    @Test func theHeaderOfAFrameIsTheSpecificationsTwelveBytes() {
        let header = VirtioNet.Header(flags: .needsChecksum, checksumStart: 34, checksumOffset: 16, bufferCount: 3)
        #expect(header.word0 == 0x0022_0000_0000_0001)
        #expect(header.word1 == 0x0003_0010)
        let read = VirtioNet.Header(word0: 0x0022_0203_0042_0101, word1: 0x0003_0010)
        #expect(read.flags == .needsChecksum && read.segmentation == 1 && read.headerByteCount == 0x42)
        #expect(read.segmentByteCount == 0x203 && read.checksumStart == 34 && read.checksumOffset == 16 && read.bufferCount == 3)
        #expect(VirtioNet.Header.bufferCountOffset + 2 == VirtioNet.Header.byteCount)
    }

    /// Written by hand from linux/virtio_net.h.
    @Test(arguments: [
        (VirtioNet.Command.promiscuous, 0, 0), (.allMulticast, 0, 1), (.noBroadcast, 0, 5), (.setMACTable, 1, 0), (.setMACAddress, 1, 1),
        (.addVLAN, 2, 0), (.acknowledgeAnnouncement, 3, 0), (.setQueuePairs, 4, 0), (.setRSS, 4, 1), (.setGuestOffloads, 5, 0),
    ])
    func commandsAreThePublicHeaders(command: VirtioNet.Command, classCode: UInt8, number: UInt8) {
        #expect(command.bytes == [classCode, number])
    }

    @Test func queuesOfPairsAlternateAndTheControlQueueIsLast() {
        #expect(VirtioNet.receiveQueue(ofPair: 3) == 6)
        #expect(VirtioNet.transmitQueue(ofPair: 3) == 7)
        #expect(VirtioNet.controlQueue(pairs: 8) == 16)
        #expect(VirtioNet.RSSConfig.key(tableCount: 128) == 4 + 2 + 2 + 256 + 2 + 1)
    }
}
