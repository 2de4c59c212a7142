import Glibc
import SystemPackage

/// The process's standard output and error, written without buffering.
public enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// Writes all of a text. A reader that has gone is no error: there is nobody to tell.
    public func write(_ text: String) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let from = done
            let put = try? systemCall("write", on: "a standard stream") { () -> Int in
                // SAFETY: the array is ours for the call; `from` is below its length.
                unsafe bytes.withUnsafeBytes { unsafe Glibc.write(rawValue, $0.baseAddress.map { unsafe $0 + from }, $0.count - from) }
            }
            guard let put, put > 0 else { return }
            done += put
        }
    }

    /// Whether a person looks at it (isatty(3)).
    public var isTerminal: Bool { isatty(rawValue) == 1 }
}

/// Wall-clock time.
public enum RealtimeClock {
    /// Nanoseconds since 1970, UTC (CLOCK_REALTIME).
    public static func nanoseconds() -> UInt64 {
        var time = timespec()
        // SAFETY: a local is written for the time of the call.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }
}

/// Sleeps; may end early after a signal.
public func sleep(milliseconds: UInt32) { _ = usleep(milliseconds &* 1000) }

/// The number of this process.
public var processIdentifier: Int32 { getpid() }

/// Writes a whole file, replacing what was there.
public func writeFile(_ path: String, _ bytes: [UInt8]) throws(SystemCallError) {
    let file = try OwnedDescriptor.open(path, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
    var done = 0
    while done < bytes.count {
        let from = done
        done += try systemCall("write", on: path) { () -> Int in
            // SAFETY: the array is ours for the call; `from` is below its length.
            unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file.number, $0.baseAddress.map { unsafe $0 + from }, $0.count - from) }
        }
    }
}
