import Devices
import NicDriver
import Testing

@testable import VerbsProvider

@Suite struct DeviceChoiceTests {
    private func url(_ list: String?, rank: String? = nil) -> String? {
        try? DeviceChoice.url(list: list, launch: MPILaunch(localRank: rank, job: "j")).get()
    }

    @Test func withoutAListItIsTheWireOfVerbs() { #expect(url(nil) == "soft:verbs") }

    @Test func oneSoftDeviceServesAllRanks() { #expect(url("soft:lab", rank: "3") == "soft:lab") }

    @Test func ranksTakeTheDevicesInTurn() {
        let list = "vfio:0000:01:00.0;vfio:0000:01:00.1 soft:x"
        #expect(url(list) == "vfio:0000:01:00.0")
        #expect(url(list, rank: "1") == "vfio:0000:01:00.1")
        #expect(url(list, rank: "2") == "soft:x")
    }

    @Test func aRankStandsInAURL() { #expect(url("soft:w-%r", rank: "1") == "soft:w-1") }

    @Test(arguments: [
        ("", nil), (" ; ", nil), ("nonsense", nil), ("vfio:0000:01:00.0", "1"), ("soft:a soft:b", "x"), ("soft:a soft:b", "-1"),
    ])
    func whatNamesNoDeviceIsRefused(list: String, rank: String?) { #expect(url(list, rank: rank) == nil) }

    @Test func framesAreOfMTU4096WithinTheMachineAndEthernetsElsewhere() {
        #expect(PortOptions.verbs(for: "soft:x", mtu: nil).maximumFrameByteCount == 4096 + DatagramLayout.payload)
        #expect(PortOptions.verbs(for: "soft:tap:t", mtu: nil).maximumFrameByteCount == 1514)
        #expect(PortOptions.verbs(for: "vfio:0000:01:00.0", mtu: "9000").maximumFrameByteCount == 9014)
        #expect(PathMTU.largest(frameByteCount: 1514) == .bytes1024)
        #expect(PathMTU.largest(frameByteCount: 4096 + DatagramLayout.payload) == .bytes4096)
        #expect(PathMTU.largest(frameByteCount: 4095 + DatagramLayout.payload) == .bytes2048)
    }
}
