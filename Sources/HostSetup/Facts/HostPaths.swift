package import DeviceAccess
import LinuxIO

/// Where this machine is read from. Tests put a tree of their own there.
public struct HostPaths: Equatable, Sendable {
    package var kernel: KernelPaths
    /// Kernel modules, a directory for each release.
    package var modules: String
    /// /etc, for the boot loader's settings.
    package var etc: String
    /// Where unic remembers drivers: it goes with the boot, as driver bindings do.
    package var records: String

    /// - Parameter root: what stands before /sys, /proc and the others.
    public init(root: String = "") {
        kernel = KernelPaths(sys: "\(root)/sys", dev: "\(root)/dev", proc: "\(root)/proc")
        modules = "\(root)/lib/modules"
        etc = "\(root)/etc"
        records = "\(root)/run/unic"
    }

    func exists(_ path: String) -> Bool { (try? FileOwner.of(path)) != nil }

    /// The first line of a small file, without spaces around it; nil if there is none. What a terminal would obey is taken out.
    func line(_ path: String) -> String? {
        guard let text = try? readSmallFile(path) else { return nil }
        return HostPaths.printable(text.prefix { $0 != "\n" })
    }

    /// Text from /sys for a terminal: at most 4096 characters, control characters replaced, spaces at the ends cut.
    static func printable(_ text: some StringProtocol) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(4096) {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            result.unicodeScalars.append(isControl ? "?" : scalar)
        }
        while result.last == " " { result.removeLast() }
        return String(result.drop { $0 == " " })
    }

    func integer(_ path: String) -> Int? { line(path).flatMap { Int($0) } }

    /// `0x8086`.
    func hexadecimal(_ path: String) -> UInt32? {
        guard let text = line(path), text.hasPrefix("0x") else { return nil }
        return UInt32(text.dropFirst(2), radix: 16)
    }

    /// A module parameter of type bool: `Y` or `N`.
    func flag(_ path: String) -> Bool? { line(path).map { $0 == "Y" || $0 == "1" } }

    /// The last part of what a link points to.
    func linkedName(_ path: String) -> String? {
        guard let target = try? symbolicLinkTarget(of: path), let name = target.split(separator: "/").last else { return nil }
        return HostPaths.printable(name)
    }

    func names(_ directory: String) -> [String] { (try? directoryEntryNames(directory)) ?? [] }
}
