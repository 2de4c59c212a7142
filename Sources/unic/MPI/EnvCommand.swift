import ArgumentParser
import Devices
import LinuxIO

struct EnvCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env",
        abstract: "Print the environment in which MPI programs run over unic, or run a program in it.",
        discussion: """
            For launchers without arguments of their own, as srun, and for device names that a shell would cut. With a program
            behind the options it becomes that program; a launcher's rank then takes its own device from the list. The wrapper
            unic-mpi is short for it.

            Examples:
              eval "$(unic env)"; srun -n 2 ./program
              mpirun -n 2 unic env --device 'vfio-user:/run/nic-%r.sock' ./program
            """)

    @Option(help: ArgumentHelp("For one MPI only: openmpi4, openmpi5 or mpich. Without, for all.", valueName: "name"))
    var mpi: MPIKind?
    @OptionGroup var options: MPIOptions
    @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("A program to run, and its arguments.", valueName: "program"))
    var command: [String] = []

    func run() throws {
        do {
            let devices = try options.job.devices()
            let kinds = mpi.map { [$0] } ?? MPIKind.allCases
            let mine = try program.isEmpty ? devices?.text : own(devices)
            let variables = try options.job.settings(for: kinds, devices: mine).environment
            guard program.isEmpty else { try becomeProgram(program, variables: variables) }
            StandardStream.output.write(variables.map { "export \($0.name)=\(Self.quoted($0.value))\n" }.joined())
        } catch { throw Ending.failed("\(error)") }
    }

    private var program: [String] { command.first == "--" ? Array(command.dropFirst()) : command }

    /// The device of this process, if a launcher has said which rank it has here; else the list.
    private func own(_ devices: DeviceList?) throws -> String? {
        guard let devices, let text = MPILaunch.current.localRank else { return devices?.text }
        guard let rank = Int(text), rank >= 0 else {
            throw MPIJob.Impossible(description: "the launcher's local rank '\(text)' is no number.")
        }
        return try devices.url(ofLocalRank: rank)
    }

    /// For a POSIX shell: in single quotes nothing means anything but the quote.
    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
