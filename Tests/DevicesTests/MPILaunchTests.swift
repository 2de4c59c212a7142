import Testing

@testable import Devices

struct MPILaunchTests {
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
