import LinuxIO

/// The libraries that MPI programs load, which are installed with this program.
struct InstalledLibraries {
    static let providerName = "libunic-fi.so"
    static let reportName = "libunic-mpi.so"

    /// Where they are looked for: beside the program, and in ../lib/unic of it.
    let folders: [String]

    struct Missing: Error, CustomStringConvertible {
        let name: String
        let folders: [String]
        var description: String {
            "\(name) is in none of \(folders.joined(separator: ", ")). Install it with unic (`make release` builds both), in one of them."
        }
    }

    /// Those of the running program. Errors: /proc is not there.
    static func installed() throws(SystemCallError) -> InstalledLibraries {
        InstalledLibraries(program: try symbolicLinkTarget(of: "/proc/self/exe"))
    }

    init(program: String) {
        let folder = Self.parent(of: program)
        folders = [folder, Self.parent(of: folder) + "/lib/unic"]
    }

    private static func parent(of path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    /// The folder that has the library.
    func folder(of name: String) throws(Missing) -> String {
        for folder in folders {
            if (try? FileOwner.of("\(folder)/\(name)")) != nil { return folder }
        }
        throw Missing(name: name, folders: folders)
    }
}
