import Glibc

/// What this process is to the kernel when it asks for something.
public enum CallingProcess {
    /// The process that started this one: the shell, mostly.
    public static var parentIdentifier: Int32 { getppid() }

    /// The effective capabilities, a bit each (linux/capability.h), out of the text of /proc/self/status (proc(5), CapEff).
    /// - Returns: 0 if the text has no such line.
    public static func effectiveCapabilities(inStatus text: String) -> UInt64 {
        for line in text.split(separator: "\n") where line.hasPrefix("CapEff:") {
            return line.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) } ?? 0
        }
        return 0
    }
}
