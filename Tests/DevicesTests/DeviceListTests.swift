import Testing

@testable import Devices

@Suite struct DeviceListTests {
    @Test func spacesAndSemicolonsSeparateAndCommasDoNot() throws {
        let list = try DeviceList(text: " soft:a;soft:udp:127.0.0.1:1,127.0.0.1:2\n vfio:0000:01:00.0 ")
        #expect(list.urls == ["soft:a", "soft:udp:127.0.0.1:1,127.0.0.1:2", "vfio:0000:01:00.0"])
        #expect(list.text == "soft:a;soft:udp:127.0.0.1:1,127.0.0.1:2;vfio:0000:01:00.0")
    }

    @Test(arguments: ["", " ; "]) func anEmptyListIsRefused(_ text: String) {
        #expect(throws: DeviceList.Failure.empty) { try DeviceList(text: text) }
    }

    @Test func aURLThatIsNotUnderstoodIsNamed() {
        #expect { try DeviceList(text: "soft:a floppy:0") } throws: { "\($0)".contains("floppy") }
    }

    @Test func launchersMarksStayInTheList() throws {
        #expect(try DeviceList(text: "vfio-user:/run/%j-%r.sock").urls == ["vfio-user:/run/%j-%r.sock"])
    }

    @Test func theNthRankHasTheNthDevice() throws {
        let list = try DeviceList(text: "soft:a soft:b")
        #expect(try list.url(ofLocalRank: 0) == "soft:a")
        #expect(try list.url(ofLocalRank: 1) == "soft:b")
        #expect(throws: DeviceList.Failure.tooFew(count: 2, localRank: 2)) { try list.url(ofLocalRank: 2) }
        #expect(throws: DeviceList.Failure.tooFew(count: 2, localRank: -1)) { try list.url(ofLocalRank: -1) }
    }

    @Test(arguments: ["soft:a", "vfio-user:/run/%r.sock"]) func oneModelOrOnePatternServesAll(_ text: String) throws {
        #expect(try DeviceList(text: text).url(ofLocalRank: 7) == text)
    }

    @Test func oneRealDeviceServesOneRank() throws {
        #expect(throws: DeviceList.Failure.tooFew(count: 1, localRank: 1)) { try DeviceList(text: "vfio:0000:01:00.0").url(ofLocalRank: 1) }
    }

    private func choose(_ text: String?, rank: String? = nil) -> Result<String, DeviceList.Failure> {
        Result { () throws(DeviceList.Failure) in
            try DeviceList.url(of: MPILaunch(localRank: rank, job: "17.0"), text: text, otherwise: "soft:mpi-%j")
        }
    }

    @Test func withoutAListItIsTheFallback() { #expect(choose(nil, rank: "3") == .success("soft:mpi-17.0")) }

    @Test func aProcessHasItsRanksDeviceAndALoneOneTheFirst() {
        let text = "vfio:0000:01:00.0 vfio:0000:01:00.1\n; soft:x"
        #expect(choose(text) == .success("vfio:0000:01:00.0"))
        #expect(choose(text, rank: "1") == .success("vfio:0000:01:00.1"))
        #expect(choose(text, rank: "2") == .success("soft:x"))
        #expect(choose(text, rank: "3") == .failure(.tooFew(count: 3, localRank: 3)))
        #expect(DeviceList.Failure.tooFew(count: 2, localRank: 2).description.contains("needs number 3"))
    }

    @Test func marksAreReplaced() {
        #expect(choose("vfio-user:/run/nic-%r-%j.sock", rank: "5") == .success("vfio-user:/run/nic-5-17.0.sock"))
        guard case .failure(.device) = choose("vfio-user:/run/%r.sock") else {
            Issue.record("a rank that nobody has told was made up")
            return
        }
    }

    @Test(arguments: ["-1", "x", ""]) func aRankThatIsNoneIsNamed(_ rank: String) {
        #expect(choose("soft:a soft:b", rank: rank) == .failure(.strangeRank(rank)))
    }
}
