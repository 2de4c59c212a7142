import NicDriver
import Testing

@testable import VerbsProvider

@Suite struct PortOptionsTests {
    @Test func framesAreOfMTU4096WithinTheMachineAndEthernetsElsewhere() {
        #expect(PortOptions.verbs(for: "soft:x", mtu: nil).maximumFrameByteCount == 4096 + DatagramLayout.payload)
        #expect(PortOptions.verbs(for: "soft:tap:t", mtu: nil).maximumFrameByteCount == 1514)
        #expect(PortOptions.verbs(for: "vfio:0000:01:00.0", mtu: "9000").maximumFrameByteCount == 9014)
        #expect(PathMTU.largest(frameByteCount: 1514) == .bytes1024)
        #expect(PathMTU.largest(frameByteCount: 4096 + DatagramLayout.payload) == .bytes4096)
        #expect(PathMTU.largest(frameByteCount: 4095 + DatagramLayout.payload) == .bytes2048)
    }
}
