import DeviceAccess
import LinuxIO

/// What an MPI launcher says about this process, for `%r` and `%j` in device URLs.
public struct MPILaunch: Equatable, Sendable {
    /// Rank of this process on this machine.
    public let localRank: String?
    /// The job's id, of characters that file names may have. Processes that a job starts (`MPI_Comm_spawn`) have the job's own.
    public let job: String?

    public init(localRank: String?, job: String?) {
        self.localRank = localRank
        self.job = job.map { String($0.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" }) }
    }

    /// From the environment: Open MPI's and PRRTE's, MPICH's Hydra's, and Slurm's variables, in this order. Hydra names no job; the
    /// process that serves its ranks on this machine stands for it.
    public static var current: MPILaunch {
        MPILaunch(
            localRank: first(["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"]),
            job: first(["PMIX_NAMESPACE"]).map(family) ?? first(["PMI_JOBID", "SLURM_JOB_ID"])
                ?? servedJob(by: environmentVariable("PMI_FD")))
    }

    /// PMI version 1: PMI_FD is a socket to the process manager, the same one for all ranks of a job on a machine.
    static func servedJob(by descriptor: String?) -> String? {
        descriptor.flatMap { Int32($0) }.flatMap { socketPeerProcess($0) }.map { "pmi-\($0)" }
    }

    /// What all that one mpirun starts has in common in its namespaces. Open MPI 4's are numbers with the launcher's in the upper 16 bits
    /// (orte/util/name_fns.h, ORTE_JOB_FAMILY), PRRTE's end in `@` and a number (`prterun-HOST-PID@1`). Others stay as they are.
    static func family(of namespace: String) -> String {
        if let number = UInt32(namespace), number > 0xffff { return String(number >> 16) }
        guard let mark = namespace.lastIndex(of: "@"), mark != namespace.startIndex else { return namespace }
        let number = namespace[namespace.index(after: mark)...]
        return !number.isEmpty && number.allSatisfy { $0.isASCII && $0.isNumber } ? String(namespace[..<mark]) : namespace
    }

    private static func first(_ names: [String]) -> String? {
        names.lazy.compactMap { environmentVariable($0) }.first
    }

    /// Replaces `%r` and `%j`. Errors: one is asked for and no launcher has set it.
    func substitute(in text: String) throws(DeviceError) -> String {
        var result = text
        for (mark, value, what) in [("%r", localRank, "local rank"), ("%j", job, "job id")] where text.contains(mark) {
            guard let value else {
                throw .notFound(
                    device: text, reason: "\(mark) stands for the \(what), and no MPI launcher has set one",
                    fix: "Start it with mpirun or srun, or write a name.")
            }
            result = result.split(separator: mark, omittingEmptySubsequences: false).joined(separator: value)
        }
        return result
    }
}
