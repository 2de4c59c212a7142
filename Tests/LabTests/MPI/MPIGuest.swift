import Foundation
import LabKit
import LinuxIO
import Testing

/// A guest with Open MPI 5, the provider, and the checking programs of Tests/MPI, built on this machine. Open MPI's libraries
/// have kept one ABI since 4.0, so that programs built for 4.1 run on 5.
struct MPIGuest {
    var guest: Guest
    private let programs: ProgramFolder

    init(_ guest: Guest) throws {
        let folder = try #require(Binaries.folder, "UNIC_BIN names no folder; run `make test`")
        programs = try ProgramFolder(["messages", "collectives"])
        self.guest = guest
        self.guest.hasMPI = true
        self.guest.memoryMebibytes = 2048
        self.guest.hugepageCount = 192
        self.guest.sharedDirectories += [folder, programs.path]
    }

    /// The beginning of every script: what `mpirun` has to know.
    var tools: String {
        """
        export FI_PROVIDER_PATH=\(Binaries.folder ?? "") OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
        job() { # how many ranks, program, more of mpirun's arguments
            local ranks=$1 program=$2
            shift 2
            mpirun -n "$ranks" --mca pml cm --mca mtl ofi --mca opal_common_ofi_provider_include unic \\
                -x UNIC_DEVICES -x FI_PROVIDER_PATH -x UNIC_REPORT=1 "$@" \(programs.path)/$program 2>&1
        }

        """
    }

    func run(_ script: String, seconds: Int) throws -> GuestRun { try guest.run(tools + script, timeLimitSeconds: seconds) }
    func start(_ script: String, seconds: Int) throws -> RunningGuest { try guest.start(tools + script, timeLimitSeconds: seconds) }
}

/// The programs, for as long as a guest shows them.
final class ProgramFolder {
    let path: String

    init(_ names: [String]) throws {
        path = NSTemporaryDirectory() + "unic-mpi-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for name in names {
            let compiler = Process()
            compiler.executableURL = URL(fileURLWithPath: "/usr/bin/mpicc")
            compiler.arguments = ["-O2", "-o", "\(path)/\(name)", "Tests/MPI/\(name).c"]
            try compiler.run()
            compiler.waitUntilExit()
            try #require(compiler.terminationStatus == 0, "mpicc did not build Tests/MPI/\(name).c")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A job's output: the program found nothing wrong, and each rank's messages went through a port of unic's.
func expectJob(_ output: String, program: String, ranks: Int) {
    #expect(output.contains("\(program): ok"), "\(output)")
    let reports = output.split(separator: "\n").filter { $0.hasPrefix("unic: process") }
    #expect(reports.count == ranks, "\(output)")
    for report in reports {
        var counters: [Substring: Int] = [:]
        for word in report.split(separator: " ") where word.contains("=") {
            let parts = word.split(separator: "=")
            counters[parts[0]] = Int(parts[1])
        }
        #expect(report.contains("vfio:"), "\(report)")
        #expect((counters["messages-sent"] ?? 0) > 50 && (counters["messages-received"] ?? 0) > 50, "\(report)")
        #expect((counters["frames-sent"] ?? 0) >= (counters["messages-sent"] ?? .max) / 2, "\(report)")
        #expect(counters["failed-peers"] == 0 && counters["malformed"] == 0, "\(report)")
    }
}
