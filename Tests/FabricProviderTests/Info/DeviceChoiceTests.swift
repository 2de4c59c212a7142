import Devices
import Testing

@testable import FabricProvider

@Suite struct DeviceChoiceTests {
    private func choose(_ list: String?, rank: String? = nil, job: String? = nil) -> Result<String, DeviceChoice.Failure> {
        Result { () throws(DeviceChoice.Failure) in
            try DeviceChoice(list: list, launch: MPILaunch(localRank: rank, job: job)).url
        }
    }

    @Test func withoutAListItIsAWireOfTheJob() {
        #expect(choose(nil, rank: "3", job: "17.0") == .success("soft:mpi-17.0"))
        #expect(choose(nil) == .success("soft:mpi"))
    }

    @Test(arguments: ["0", "1", "2"]) func eachRankTakesItsOwn(rank: String) {
        let list = "vfio:0000:01:00.0 vfio:0000:01:00.1\n; vfio:0000:01:00.2"
        #expect(choose(list, rank: rank) == .success("vfio:0000:01:00.\(rank)"))
    }

    @Test func oneTooManyIsToldWhichIsMissing() throws {
        let failure = choose("vfio:0000:01:00.0 vfio:0000:01:00.1", rank: "2")
        #expect(failure == .failure(.noDevice(rank: 2, count: 2)))
        #expect(DeviceChoice.Failure.noDevice(rank: 2, count: 2).description.contains("needs number 3"))
        #expect(choose("vfio:0000:01:00.0", rank: "1") == .failure(.noDevice(rank: 1, count: 1)))
    }

    @Test func oneWireOrOnePatternServesAll() {
        #expect(choose("soft:lab?nic=virtio-net", rank: "5") == .success("soft:lab?nic=virtio-net"))
        #expect(choose("vfio-user:/run/nic-%r.sock", rank: "5") == .success("vfio-user:/run/nic-5.sock"))
        #expect(choose("soft:a soft:b", rank: "1") == .success("soft:b"))
    }

    @Test func aLoneProcessTakesTheFirst() { #expect(choose("vfio:0000:01:00.0 vfio:0000:01:00.1") == .success("vfio:0000:01:00.0")) }

    @Test func commasBelongToWires() {
        let url = "soft:udp:127.0.0.1:1,127.0.0.1:2"
        #expect(choose(url, rank: "0") == .success(url))
    }

    @Test func whatIsWrongIsSaid() {
        #expect(choose(" ; ") == .failure(.empty))
        #expect(choose("vfio:0000:01:00.0 vfio:0000:01:00.1", rank: "-1") == .failure(.strangeRank("-1")))
        #expect(choose("vfio:0000:01:00.0 vfio:0000:01:00.1", rank: "x") == .failure(.strangeRank("x")))
        for wrong in ["carrier-pigeon:coop", "vfio:nowhere", "vfio-user:/run/%r.sock"] {
            guard case .failure(.device(let text)) = choose(wrong) else {
                Issue.record("\(wrong) was taken")
                continue
            }
            #expect(!text.isEmpty)
        }
    }
}
