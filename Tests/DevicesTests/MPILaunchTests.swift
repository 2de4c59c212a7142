import LinuxIO
import Testing

@testable import Devices

@Suite struct MPILaunchTests {
    @Test func theProcessBehindThePMISocketStandsForTheJob() throws {
        let pair = try UnixSocketPair()
        // Both ends are this process's own.
        let number = pair.first.number
        #expect(MPILaunch.servedJob(by: "\(number)") == "pmi-\(processIdentifier)")
    }

    @Test func whatIsNoSocketStandsForNone() throws {
        let event = try EventFD()
        for text in [nil, "", "x", "-1", "99999999999", "\(event.number)"] { #expect(MPILaunch.servedJob(by: text) == nil) }
    }

    @Test(arguments: [
        // Open MPI 4: a job, and what it started.
        ("1428029441", "21790"), ("1428029442", "21790"), ("65536", "1"),
        // PRRTE.
        ("prterun-host-17@1", "prterun-host-17"), ("prterun-host-17@12", "prterun-host-17"),
    ]) func startedProcessesHaveTheirStartersJob(_ namespace: String, _ family: String) {
        #expect(MPILaunch.family(of: namespace) == family)
    }

    @Test(arguments: ["", "@1", "job@", "user@host", "job@1b", "slurm.pmix.17.0", "17", "65535", "4294967296", "-65537"])
    func otherNamespacesStayAsTheyAre(_ namespace: String) { #expect(MPILaunch.family(of: namespace) == namespace) }
}
