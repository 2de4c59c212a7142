import DeviceAccess
import LinuxIO

/// What an MPI launcher says about this process, for `%r` and `%j` in device URLs.
public struct MPILaunch: Equatable, Sendable {
    /// Rank of this process on this machine.
    public let localRank: String?
    /// The job's id, of characters that file names may have.
    public let job: String?

    public init(localRank: String?, job: String?) {
        self.localRank = localRank
        self.job = job.map { String($0.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" }) }
    }

    /// From the environment: Open MPI's and PRRTE's, MPICH's Hydra's, and Slurm's variables, in this order.
    public static var current: MPILaunch {
        MPILaunch(
            localRank: first(["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"]),
            job: first(["PMIX_NAMESPACE", "PMI_JOBID", "SLURM_JOB_ID"]))
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
