import ArgumentParser

/// What `unic mpirun-args` and `unic env` have in common.
struct MPIOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Devices of a machine, one for each of its ranks; one soft: device, or one with %r, serves all. Without: UNIC_DEVICES, else a wire of the job in memory.",
            valueName: "url"))
    var device: [String] = []
    @Option(
        help: ArgumentHelp(
            "Count what the program sends, and tell at its end: 'text' for a table on standard error, or a file for JSON. Of MPICH the provider's counters, a line a process, or a file a process.",
            valueName: "text|file"))
    var report: String?
    @Option(help: ArgumentHelp("Keep the first calls of each rank in FILE.RANK.csv. Open MPI only.", valueName: "file"))
    var trace: String?

    var job: MPIJob { MPIJob(deviceURLs: device, tracking: MPITracking(report: report, trace: trace)) }
}
