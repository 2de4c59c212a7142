import ArgumentParser
import LinuxIO

/// The MPIs whose launchers and settings are known.
enum MPIKind: String, CaseIterable, ExpressibleByArgument {
    case openmpi4, openmpi5, mpich

    var name: String {
        switch self {
        case .openmpi4: "Open MPI 4.1"
        case .openmpi5: "Open MPI 5"
        case .mpich: "MPICH"
        }
    }

    struct Unknown: Error, CustomStringConvertible {
        let description: String
    }

    /// Asks a launcher what it is.
    /// - Parameter launcher: a path, or a name to look for in PATH.
    static func detect(launcher: String) throws(Unknown) -> MPIKind {
        let child: ChildProcess
        do { child = try ChildProcess(launcher, arguments: ["--version"]) } catch {
            throw Unknown(
                description:
                    "'\(launcher)' could not be started to ask which MPI it is: \(error) Install an MPI (Debian: openmpi-bin), or name it with --mpi."
            )
        }
        guard child.wait(timeoutMilliseconds: 20_000) != nil else {
            throw Unknown(description: "'\(launcher) --version' did not end within 20 s. Name the MPI with --mpi.")
        }
        return try MPIKind(versionText: child.outputText + child.errorText, launcher: launcher)
    }

    /// From what a launcher prints: Open MPI's `mpirun (Open MPI) 4.1.4`, Hydra's `HYDRA build details:` with MPICH's version and
    /// configuration.
    init(versionText text: String, launcher: String) throws(Unknown) {
        if let mark = text.firstRange(of: "(Open MPI) ") {
            let version = text[mark.upperBound...].prefix { $0.isNumber || $0 == "." }
            switch version.split(separator: ".").first {
            case "4": self = .openmpi4
            case "5": self = .openmpi5
            default: throw Unknown(description: "'\(launcher)' is Open MPI \(version); 4.1 and 5 are known. Try --mpi openmpi5.")
            }
        } else if text.contains("HYDRA") {
            // Configured like --with-device=ch4:ucx,ofi; without the option it is ch4:ofi.
            if let mark = text.firstRange(of: "--with-device=") {
                let device = text[mark.upperBound...].prefix { !$0.isWhitespace && $0 != "'" }
                guard device.contains("ofi") else {
                    throw Unknown(
                        description:
                            "'\(launcher)' belongs to an MPICH that was built for \(device) alone and knows no libfabric: it cannot use unic. Use one that was built with --with-device=ch4:ofi."
                    )
                }
            }
            self = .mpich
        } else {
            let first = text.split(separator: "\n").first ?? "nothing"
            throw Unknown(
                description:
                    "'\(launcher) --version' says '\(first)', which is no MPI that is known. Name one with --mpi: \(MPIKind.names).")
        }
    }

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
