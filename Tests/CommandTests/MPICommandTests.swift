import Foundation
import LinuxIO
import Testing

/// `unic mpirun-args`, `unic env` and their wrapper: with launchers that print what real ones do, with this machine's Open MPI, and
/// with a program that shows its environment. Scripts/test-mpi-tools runs jobs with them.
@Suite(.serialized) struct MPICommandTests {
    /// A folder with unic and files of its libraries' names, as an installation has.
    private struct Installation {
        let folder: String
        let program: String

        init(provider: String? = "bin/libunic-fi.so", report: String? = "bin/libunic-mpi.so") throws {
            folder = UnicProgram.temporaryPath("installed")
            program = folder + "/bin/unic"
            for part in ["bin", "lib/unic"] {
                try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
            }
            try UnicProgram.install(copyOf: UnicProgram.path(), at: program)
            try UnicProgram.install(copyOf: PackageFiles.root + "/Scripts/unic-mpi", at: folder + "/bin/unic-mpi")
            for library in [provider, report].compactMap(\.self) { try writeFile("\(folder)/\(library)", []) }
        }

        /// A launcher that prints this when it is asked for its version.
        func launcher(_ name: String, printing text: String) throws -> String {
            let path = "\(folder)/bin/\(name)"
            try UnicProgram.install(script: "#!/bin/sh\ncat <<'END'\n\(text)\nEND\n", at: path)
            return path
        }

        func run(_ arguments: [String], environment: [String] = []) throws -> UnicProgram.Output {
            try UnicProgram.run(program: "env", ["-u", "UNIC_DEVICES", "-u", "LD_PRELOAD"] + environment + [program] + arguments)
        }

        func remove() { _ = try? FileManager.default.removeItem(atPath: folder) }
    }

    private func words(_ output: UnicProgram.Output) -> [String] {
        #expect(output.exit == .exited(0), "\(output.errors)")
        return output.output.split { $0 == " " || $0 == "\n" }.map(String.init)
    }

    @Test func openMPI4IsRecognizedAndToldTheWayAndTheProvidersFolder() throws {
        let there = try Installation()
        defer { there.remove() }
        // This machine's own.
        #expect(
            try words(there.run(["mpirun-args"])) == [
                "--mca", "pml", "cm", "--mca", "mtl", "ofi", "--mca", "mtl_ofi_provider_include", "unic", "-x",
                "FI_PROVIDER_PATH=\(there.folder)/bin",
            ])
    }

    @Test(arguments: [
        ("mpirun (Open MPI) 5.0.8", ["--mca opal_common_ofi_provider_include unic", "-x FI_PROVIDER_PATH="]),
        ("mpirun (Open MPI) 4.1.6", ["--mca mtl_ofi_provider_include unic"]),
        (
            "HYDRA build details:\n    Configure options: --with-device=ch4:ucx,ofi --with-pm=hydra",
            ["-genv MPIR_CVAR_CH4_NETMOD ofi", "-genv FI_PROVIDER unic", "-genv MPIR_CVAR_NOLOCAL 1", "-genv FI_PROVIDER_PATH /"]
        ),
        ("HYDRA build details:\n    Version: 4.1", ["-genv FI_PROVIDER unic"]),
    ]) func eachMPIGetsItsOwnArguments(version: String, parts: [String]) throws {
        let there = try Installation()
        defer { there.remove() }
        let run = try there.run(["mpirun-args", "--launcher", there.launcher("some-mpirun", printing: version)])
        #expect(run.exit == .exited(0), "\(run.errors)")
        for part in parts { #expect(run.output.contains(part), "\(run.output)") }
        #expect(run.output.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        ("HYDRA build details:\n    Configure options: '--with-device=ch4:ucx' '--x'", "ch4:ucx"), ("mpirun (Open MPI) 3.1.2", "3.1.2"),
        ("Intel(R) MPI Library for Linux", "Name one with --mpi"), ("", "says 'nothing'"),
    ]) func anMPIThatCannotUseItIsNamedWithTheReason(version: String, reason: String) throws {
        let there = try Installation()
        defer { there.remove() }
        let run = try there.run(["mpirun-args", "--launcher", there.launcher("some-mpirun", printing: version)])
        #expect(run.exit == .exited(1) && run.output.isEmpty)
        #expect(run.errors.contains(reason), "\(run.errors)")
    }

    @Test func aMissingLauncherOrLibraryIsNamedWithWhereItWasLookedFor() throws {
        let bare = try Installation(provider: nil, report: nil)
        defer { bare.remove() }
        let nothing = try bare.run(["mpirun-args", "--mpi", "openmpi4"])
        #expect(nothing.exit == .exited(1) && nothing.output.isEmpty)
        #expect(nothing.errors.contains("libunic-fi.so is in none of \(bare.folder)/bin, \(bare.folder)/lib/unic"), "\(nothing.errors)")
        let launcher = try bare.run(["mpirun-args", "--launcher", "/nonexistent/mpirun"])
        #expect(launcher.exit == .exited(1) && launcher.errors.contains("/nonexistent/mpirun"), "\(launcher.errors)")
        let elsewhere = try Installation(provider: "lib/unic/libunic-fi.so", report: nil)
        defer { elsewhere.remove() }
        #expect(try words(elsewhere.run(["mpirun-args", "--mpi", "openmpi5"])).last == "FI_PROVIDER_PATH=\(elsewhere.folder)/lib/unic")
        let report = try elsewhere.run(["mpirun-args", "--mpi", "openmpi5", "--report", "text"])
        #expect(report.exit == .exited(1) && report.errors.contains("libunic-mpi.so"), "\(report.errors)")
    }

    @Test func devicesGoToTheRanksInOneWord() throws {
        let there = try Installation()
        defer { there.remove() }
        let named = ["--device", "vfio:0000:01:00.0", "--device", "soft:udp:127.0.0.1:1,127.0.0.1:2?nic=virtio-net"]
        let list = "UNIC_DEVICES=vfio:0000:01:00.0;soft:udp:127.0.0.1:1,127.0.0.1:2?nic=virtio-net"
        #expect(try words(there.run(["mpirun-args", "--mpi", "openmpi4"] + named)).last == list)
        // As a user has set it, in the form that a shell leaves alone.
        let inherited = try there.run(["mpirun-args", "--mpi", "openmpi4"], environment: ["UNIC_DEVICES=soft:a  soft:b"])
        #expect(words(inherited).last == "UNIC_DEVICES=soft:a;soft:b")
        #expect(
            try words(there.run(["mpirun-args", "--mpi", "mpich", "--device", "soft:w%r"])).suffix(3) == [
                "-genv", "UNIC_DEVICES", "soft:w%r",
            ])
    }

    @Test(arguments: [
        (["--device", "nope"], "nope: there is no scheme"), (["--device", "soft:a b"], "soft:a b"),
        (["--mpi", "mpich", "--trace", "t"], "for Open MPI"), (["--device", "vfio-user:/tmp/*"], "would not leave"),
    ]) func whatCannotWorkIsRefused(arguments: [String], reason: String) throws {
        let there = try Installation()
        defer { there.remove() }
        let run = try there.run(["mpirun-args"] + (arguments.contains("--mpi") ? [] : ["--mpi", "openmpi4"]) + arguments)
        #expect(run.exit == .exited(1) && run.output.isEmpty && run.errors.contains(reason), "\(run.errors)")
    }

    @Test func countingIsPreloadedInFrontOfWhatIsThere() throws {
        let there = try Installation()
        defer { there.remove() }
        let run = try there.run(
            ["mpirun-args", "--mpi", "openmpi5", "--report", "/tmp/r.json", "--trace", "/tmp/t"], environment: ["LD_PRELOAD=libm.so.6"])
        let words = words(run)
        #expect(words.contains("LD_PRELOAD=\(there.folder)/bin/libunic-mpi.so:libm.so.6"), "\(words)")
        #expect(words.contains("UNIC_MPI_REPORT=/tmp/r.json") && words.contains("UNIC_MPI_TRACE=/tmp/t"))
        // MPICH's comes from the provider.
        #expect(
            try self.words(there.run(["mpirun-args", "--mpi", "mpich", "--report", "text"])).suffix(3) == ["-genv", "UNIC_REPORT", "1"])
    }

    @Test func aShellTakesTheEnvironmentAsItIsPrinted() throws {
        let there = try Installation()
        defer { there.remove() }
        let script =
            "eval \"$(\"$0\" env --device \"vfio-user:/tmp/it's \\$HOME\")\" && printenv UNIC_DEVICES OMPI_MCA_pml MPIR_CVAR_CH4_NETMOD FI_PROVIDER_PATH"
        let run = try UnicProgram.run(program: "sh", ["-c", script, there.program])
        #expect(run.output == "vfio-user:/tmp/it's $HOME\ncm\nofi\n\(there.folder)/bin\n", "\(run.errors)")
        let one = try there.run(["env", "--mpi", "mpich"])
        #expect(!one.output.contains("OMPI_MCA") && one.output.contains("export FI_PROVIDER='unic'\n"))
    }

    @Test func theWrapperGivesEachRankItsDevice() throws {
        let there = try Installation()
        defer { there.remove() }
        func rank(_ number: String?, _ devices: [String]) throws -> UnicProgram.Output {
            let set = number.map { ["OMPI_COMM_WORLD_LOCAL_RANK=\($0)"] } ?? ["-u", "OMPI_COMM_WORLD_LOCAL_RANK"]
            return try UnicProgram.run(
                program: "env",
                ["-u", "UNIC_DEVICES", "-u", "MPI_LOCALRANKID", "-u", "SLURM_LOCALID"] + set + [there.folder + "/bin/unic-mpi"]
                    + devices.flatMap { ["--device", $0] } + ["sh", "-c", "echo $UNIC_DEVICES \"$@\"; exit 7", "sh", "--json", "-n", "2"])
        }
        let two = ["vfio:0000:01:00.0", "vfio:0000:02:00.0"]
        let second = try rank("1", two)
        // The program's own arguments and exit code are its own.
        #expect(second.exit == .exited(7) && second.output == "vfio:0000:02:00.0 --json -n 2\n", "\(second.errors)")
        #expect(try rank("0", two).output == "vfio:0000:01:00.0 --json -n 2\n")
        #expect(try rank("5", ["soft:lab"]).output == "soft:lab --json -n 2\n")
        #expect(try rank(nil, two).output == "vfio:0000:01:00.0;vfio:0000:02:00.0 --json -n 2\n")
        let third = try rank("2", two)
        #expect(third.exit == .exited(1) && third.errors.contains("needs number 3"), "\(third.errors)")
        let missing = try there.run(["env", "/nonexistent/program"])
        #expect(missing.exit == .exited(1) && missing.errors.contains("/nonexistent/program"), "\(missing.errors)")
    }

    @Test func pingPongWithMPISaysWhatIsMissingBeforeItMeasures() throws {
        let there = try Installation()
        defer { there.remove() }
        let program = try there.run(["pingpong", "--mpi"])
        #expect(
            program.exit == .exited(1) && program.output.isEmpty && program.errors.contains("mpi-pingpong is in none of"),
            "\(program.errors)")
        let mpich = try there.run([
            "pingpong", "--mpi", "--launcher", there.launcher("hydra", printing: "HYDRA build details:"),
        ])
        #expect(mpich.exit == .exited(1) && mpich.errors.contains("--mpi-program"), "\(mpich.errors)")
        let roles = try there.run(["pingpong", "--mpi", "--server", "--device", "soft:x"])
        #expect(roles.exit == .exited(64), "\(roles.errors)")
    }

    @Test func pingPongPutsBothLayersBesideEachOther() throws {
        let there = try Installation()
        defer { there.remove() }
        // Stands for mpirun with a program, whose jobs Scripts/test-mpi-tools runs for real.
        let answer =
            #"{"results":[{"size":8,"count":9,"half_rtt_us":{"min":1.5,"median":100000,"p99":3}},{"size":20000,"count":9,"half_rtt_us":{"min":4,"median":5,"p99":6}}]}"#
        let launcher = there.folder + "/bin/some-mpirun"
        let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'mpirun (Open MPI) 4.1.4' && exit\necho '\(answer)'\n"
        try writeFile(launcher, Array(script.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: launcher)
        let arguments = [
            "pingpong", "--mpi", "--launcher", launcher, "--mpi-program", "x", "--sizes", "8,20000", "--count", "20", "--warmup", "0",
        ]
        let run = try there.run(arguments)
        let lines = run.output.split(separator: "\n").suffix(2).map { $0.split(separator: " ").map(String.init) }
        try #require(lines.count == 2 && lines.allSatisfy { $0.count == 8 }, "\(run.output) \(run.errors)")
        #expect(lines[0][0...1] == ["8", "64"] && lines[0][4] == "1.50" && Double(lines[0][7]) ?? 0 > 1000)
        #expect(lines[1] == ["20000", "-", "-", "-", "4.00", "5.00", "6.00", "-"])
        let json = try there.run(arguments + ["--json"])
        let all = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let results = try #require(all["results"] as? [[String: Any]])
        #expect(results[0]["frame"] as? Int == 64 && results[1]["raw_half_rtt_us"] is NSNull)
        #expect((results[0]["raw_half_rtt_us"] as? [String: Double])?["median"] ?? 0 > 0)
    }
}

/// Files of this package.
enum PackageFiles {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path
}
