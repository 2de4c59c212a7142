import ArgumentParser
import LinuxIO
import MPIExamples
import Reports

/// A sum over all ranks by a ring of neighbours and by MPI_Allreduce, compared in result and in time.
@main
struct MPIAllreduceProgram: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mpi-allreduce", abstract: "Sum arrays over all MPI ranks, around a ring and by MPI_Allreduce.",
        discussion: "Example: mpirun $(unic mpirun-args) -n 4 mpi-allreduce --numbers 100000")

    @Option(help: "Numbers of each rank.")
    var numbers = 100_000
    @Option(help: "How often.")
    var repetitions = 100

    func validate() throws {
        guard (1...1 << 26).contains(numbers), (1...1_000_000).contains(repetitions) else {
            throw ValidationError("--numbers takes 1 to 67108864, --repetitions 1 to 1000000.")
        }
    }

    func run() {
        Communicator.run { ranks in
            var ring = RingAllreduce(count: numbers, on: ranks)
            var byRing = 0.0
            var byMPI = 0.0
            for round in 0..<repetitions {
                var values = (0..<numbers).map { Double($0 % 1000 * (ranks.rank + 1) + round) }
                ranks.barrier()
                var start = Communicator.now
                let sums = ranks.sum(values)
                byMPI += Communicator.now - start
                check(sums, "MPI_Allreduce", round, ranks)
                ranks.barrier()
                start = Communicator.now
                ring.sum(&values)
                byRing += Communicator.now - start
                check(values, "the ring", round, ranks)
            }
            guard ranks.rank == 0 else { return }
            let (ringTime, mpiTime) = (byRing / Double(repetitions) * 1e6, byMPI / Double(repetitions) * 1e6)
            StandardStream.output.write(
                "\(ranks.count) ranks, \(numbers) numbers, \(repetitions) times, each sum right. A ring: \(decimal(ringTime, places: 1)) µs, MPI_Allreduce: \(decimal(mpiTime, places: 1)) µs.\n"
            )
        }
    }

    /// Whole numbers below 2^53: sums are exact in any order.
    private func check(_ sums: [Double], _ whose: String, _ round: Int, _ ranks: Communicator) {
        let weights = ranks.count * (ranks.count + 1) / 2
        for (index, sum) in sums.enumerated() where sum != Double(index % 1000 * weights + round * ranks.count) {
            StandardStream.error.write("mpi-allreduce: \(whose): number \(index) is \(sum) on rank \(ranks.rank).\n")
            ranks.abort()
        }
    }
}
