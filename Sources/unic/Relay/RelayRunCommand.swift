import ArgumentParser
import Glibc
import LinuxIO
import RelayPlan

struct RelayRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Start the relay and a QEMU on it, in the right order, and end both together.",
        discussion: """
            The plan's arguments go in front of those that are given. When QEMU ends, the relay does, and this command ends as
            QEMU did. When the relay ends first, also killed, QEMU is ended too, with the reason: its guest would wait for an
            IOMMU without an end. Functions of the host are quiet before that.

            Example: unic relay run --device soft:lab --device soft:lab -- qemu-system-x86_64 -accel kvm disk.img
            """)

    @OptionGroup var options: RelayOptions
    @Argument(parsing: .postTerminator, help: ArgumentHelp("QEMU and its further arguments, behind --.", valueName: "command"))
    var command: [String] = []

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("Name QEMU behind --, for example: -- qemu-system-x86_64 -accel kvm") }
    }

    func run() throws {
        let stop = StopFlag()
        try ShutdownSignals.raise(stop)
        let plan = try options.plan()
        let relay = try startRelay(stop)
        defer { end(relay) }
        let emulator: ChildProcess
        do { emulator = try ChildProcess(sharingStreams: command[0], arguments: plan.emulatorArguments + command.dropFirst()) } catch {
            throw Ending.failed("\(error) Is it there, and QEMU 10.1 or later?")
        }
        var toldByteCount = 0
        while emulator.exit == nil {
            emulator.wait(timeoutMilliseconds: 50)
            relay.wait(timeoutMilliseconds: 0)
            passOn(relay.errorText, &toldByteCount)
            if let exit = relay.exit {
                // A guardian that quiets the host's functions has the relay's standard error until it is done.
                relay.readRemainingOutput(timeoutMilliseconds: 5000)
                end(emulator)
                throw Ending.failed(
                    "the relay \(Self.text(exit)), so that QEMU was ended: its guest would wait for its IOMMU for ever. \(relay.errorText)")
            }
            if stop.isRaised { end(emulator) }
        }
        end(relay)
        StandardStream.output.write(relay.outputText)
        switch emulator.exit {
        case .exited(let code) where code != 0: throw ExitCode(code)
        case .signalled(let signal): throw ExitCode(128 + signal)
        default: break
        }
    }

    private static func text(_ exit: ChildProcess.Exit) -> String {
        switch exit {
        case .exited(let code): "has ended with code \(code)"
        case .signalled(let signal): "was killed by signal \(signal)"
        }
    }

    /// What the relay says of the guest, as it says it.
    private func passOn(_ text: String, _ toldByteCount: inout Int) {
        let bytes = text.utf8.dropFirst(toldByteCount)
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return }
        let lines = bytes[...end]
        toldByteCount += lines.count
        StandardStream.error.write(String(decoding: lines, as: UTF8.self))
    }

    /// The relay is a process of its own, so that whatever ends it is seen here.
    private func startRelay(_ stop: StopFlag) throws -> ChildProcess {
        var words = ["relay", "serve", "--directory", options.directory, "--memory", "\(options.memory)"]
        words +=
            ["--first-place", "\(options.firstPlace)", "--iommus", "\(options.iommus)"] + options.devices.flatMap { ["--device", $0] }
        if options.bootBypass { words.append("--boot-bypass") }
        if options.busyPoll { words.append("--busy-poll") }
        words += options.modeWords
        let relay: ChildProcess
        do { relay = try ChildProcess("/proc/self/exe", arguments: words) } catch { throw Ending.failed("\(error)") }
        guard relay.readOutput(timeoutMilliseconds: 10_000, until: { $0.errorText.contains("are served in") || stop.isRaised }) else {
            end(relay)
            throw Ending.failed("the relay did not start. \(relay.errorText)")
        }
        return relay
    }

    private func end(_ child: ChildProcess) {
        guard child.exit == nil else { return }
        child.send(signal: SIGTERM)
        if child.wait(timeoutMilliseconds: 5000) == nil {
            child.send(signal: SIGKILL)
            child.wait(timeoutMilliseconds: 5000)
        }
    }
}
