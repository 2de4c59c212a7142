import Foundation
import LinuxIO

/// What the package says of itself (`swift package dump-package`), as far as arrows need it.
struct PackageDescription: Decodable, Sendable {
    struct Target: Decodable, Sendable {
        let name: String
        let type: String
        let path: String?
        let dependencies: [Dependency]
        /// Targets and products alike, by name.
        var dependencyNames: [String] { dependencies.compactMap(\.name) }
        var folder: String { path ?? "Sources/\(name)" }
    }

    /// One of `{"byName": ["X", null]}`, `{"target": ["X", null]}`, `{"product": ["X", "package", null, null]}`.
    struct Dependency: Decodable, Sendable {
        let name: String?

        init(from decoder: any Decoder) throws {
            let kinds = try decoder.singleValueContainer().decode([String: [Part]].self)
            name = kinds.values.first?.first?.text
        }

        private struct Part: Decodable {
            let text: String?
            init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
        }
    }

    let targets: [Target]

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    struct Failed: Error { let message: String }

    /// Read once for all tests.
    static func load() throws -> PackageDescription { try loaded.get() }
    private static let loaded = Result { try describe() }

    private static func describe() throws -> PackageDescription {
        // A scratch path of its own: the build that runs this test holds the lock of the usual one.
        let scratch = "/tmp/unic-architecture-\(MonotonicClock.nanoseconds())"
        defer { _ = try? ChildProcess("rm", arguments: ["-rf", scratch]).wait(timeoutMilliseconds: 10_000) }
        let child = try ChildProcess("swift", arguments: ["package", "--package-path", root, "--scratch-path", scratch, "dump-package"])
        guard child.wait(timeoutMilliseconds: 300_000) == .exited(0) else { throw Failed(message: child.errorText) }
        return try JSONDecoder().decode(PackageDescription.self, from: Data(child.standardOutput))
    }

    /// Module names in the `import` lines of a target's Swift files, with one file that has each.
    static func imports(in folder: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)") where name.hasSuffix(".swift") {
            let text = try String(contentsOfFile: "\(root)/\(folder)/\(name)", encoding: .utf8)
            for line in text.split(separator: "\n") {
                if let module = importedModule(String(line)) { found[module] = "\(folder)/\(name)" }
            }
        }
        return found
    }

    /// `@testable import A`, `public import A`, `import struct A.B`: A.
    static func importedModule(_ line: String) -> String? {
        var words = line.split(separator: " ").drop {
            $0.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains($0)
        }
        guard words.first == "import" else { return nil }
        words = words.dropFirst()
        if let kind = words.first, ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"].contains(kind) {
            words = words.dropFirst()
        }
        return words.first.map { String($0.prefix { $0 != "." && $0 != "/" }) }
    }
}
