import NicRegisters
import Testing

/// One table of flags and fields, without its type.
struct FlagTable: Sendable, CustomTestStringConvertible {
    let name: String
    let parts: [(name: String, mask: UInt32)]
    var testDescription: String { name }

    init<Value: RegisterFlags>(_ type: Value.Type) {
        name = "\(type)"
        parts =
            Value.namedFlags.map { ($0.name, $0.flag.rawValue) } + Value.namedFields.map { ($0.name, $0.field.mask) }
    }

    static let all: [FlagTable] = [
        FlagTable(E1000E.Control.self), FlagTable(E1000E.Status.self), FlagTable(E1000E.NVMControl.self),
        FlagTable(E1000E.NVMRead.self), FlagTable(E1000E.ExtendedControl.self), FlagTable(E1000E.MDIControl.self),
        FlagTable(E1000E.LEDControl.self), FlagTable(E1000E.ExtendedConfiguration.self),
        FlagTable(E1000E.PacketBufferAllocation.self), FlagTable(E1000E.ManagementNVMControl.self),
        FlagTable(E1000E.FlowThresholdLow.self), FlagTable(E1000E.FlowThresholdHigh.self),
        FlagTable(E1000E.SoftwareSemaphore.self), FlagTable(E1000E.SoftwareSemaphore2.self),
        FlagTable(E1000E.ResourceSync.self), FlagTable(E1000E.PCIeControl.self), FlagTable(E1000E.PCIeControl2.self),
        FlagTable(E1000E.FunctionPower.self), FlagTable(E1000E.WakeUpControl.self), FlagTable(E1000E.WakeUpFilter.self),
        FlagTable(E1000E.ManagementControl.self), FlagTable(E1000E.InterruptCause.self),
        FlagTable(E1000E.InterruptThrottle.self), FlagTable(E1000E.InterruptVectors.self),
        FlagTable(E1000E.PendingBitClear.self), FlagTable(E1000E.ReceiveControl.self),
        FlagTable(E1000E.PacketSplitControl.self), FlagTable(E1000E.ReceiveDescriptorControl.self),
        FlagTable(E1000E.DelayTimer.self), FlagTable(E1000E.ReceiveChecksumControl.self),
        FlagTable(E1000E.ReceiveFilterControl.self), FlagTable(E1000E.MultipleQueuesControl.self),
        FlagTable(E1000E.TransmitControl.self), FlagTable(E1000E.InterPacketGap.self),
        FlagTable(E1000E.TransmitDescriptorControl.self), FlagTable(E1000E.TransmitArbitration.self),
        FlagTable(E1000E.ReceiveAddressHigh.self), FlagTable(E1000E.RxStatus.self),
    ]
}

@Suite struct E1000EValuesTests {
    @Test(arguments: FlagTable.all)
    func flagsAndFieldsAreDisjointAndNamedOnce(table: FlagTable) {
        #expect(!table.parts.isEmpty)
        #expect(Set(table.parts.map(\.name)).count == table.parts.count)
        var seen: UInt32 = 0
        for (name, mask) in table.parts {
            #expect(mask != 0, "\(name)")
            #expect(seen & mask == 0, "\(name)")
            seen |= mask
        }
    }

    @Test func fieldIsReplacedAndItsNeighboursStay() {
        var control = E1000E.ReceiveControl(rawValue: 0xffff_ffff)
        control.bufferSize = 1
        #expect(control.rawValue == 0xfffd_ffff)
        control.bufferSize = 0xff
        #expect(control.rawValue == 0xffff_ffff)
    }

    @Test func masksAreThePublicHeaders() {
        #expect(E1000E.TransmitControl.collisionThresholdField.mask == 0x0000_0ff0)
        #expect(E1000E.TransmitControl.collisionDistanceField.mask == 0x003f_f000)
        #expect(E1000E.TransmitDescriptorControl.writeBackThresholdField.mask == 0x003f_0000)
        #expect(E1000E.MDIControl.registerNumberField.mask == 0x001f_0000)
        #expect(E1000E.NVMControl.sizeField.mask == 0x0000_7800)
        #expect(E1000E.ReceiveControl.flexibleBufferField.mask == 0x7800_0000)
        #expect(E1000E.FlowThresholdHigh.octets8Field.mask == 0x0000_fff8)
    }

    @Test func extendedCausesAreTheAutoClearMask() {
        let causes: E1000E.InterruptCause = [.receiveQueue0, .receiveQueue1, .transmitQueue0, .transmitQueue1, .other]
        #expect(causes.rawValue == 0x01f0_0000)
    }

    @Test func summaryNamesFlagsAndFields() {
        let control: E1000E.Control = E1000E.Control(rawValue: 0x241)
        #expect(control.summary == "FD SLU SPD_SEL=2")
        #expect(E1000E.Control(rawValue: 0).summary.isEmpty)
    }

    @Test func phyAndNVMCommandsAreTheHeadersBits() {
        #expect(E1000E.MDIControl.read(1).rawValue == 0x0821_0000)
        #expect(E1000E.MDIControl.write(0x1340, to: 0).rawValue == 0x0420_1340)
        #expect(E1000E.NVMRead.read(word: 2).rawValue == 0x0000_0009)
    }

    @Test func vectorEntriesRoundTripAndInvalidOnesGiveNil() {
        var vectors = E1000E.InterruptVectors()
        vectors.receiveQueue0 = E1000E.InterruptVectors.entry(vector: 0)
        vectors.other = E1000E.InterruptVectors.entry(vector: 4)
        #expect(vectors.rawValue == 0x000c_0008)
        #expect(E1000E.InterruptVectors.vector(ofEntry: vectors.other) == 4)
        #expect(E1000E.InterruptVectors.vector(ofEntry: vectors.transmitQueue0) == nil)
    }
}
