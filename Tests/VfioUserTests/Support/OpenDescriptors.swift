import Glibc
import LinuxIO

/// Descriptors and mappings of this process that belong to one file: other tests open and close theirs meanwhile.
enum OpenDescriptors {
    /// How many of /proc/self/fd point at a target with this text.
    static func count(pointingAt text: String) -> Int {
        (0..<4096).filter { target(of: Int32($0))?.contains(text) ?? false }.count
    }

    /// How many descriptors are the eventfd with this number (proc(5), eventfd-id).
    static func count(ofEventFD number: Int32) -> Int {
        guard let identity = eventIdentity(of: number) else { return 0 }
        return (0..<4096).filter { eventIdentity(of: Int32($0)) == identity }.count
    }

    /// How many lines of /proc/self/maps name it.
    static func mappings(of text: String) -> Int {
        ((try? readSmallFile("/proc/self/maps")) ?? "").split(separator: "\n").filter { $0.contains(text) }.count
    }

    private static func target(of number: Int32) -> String? {
        var name = [CChar](repeating: 0, count: 256)
        // SAFETY: the array is ours and its length is given.
        let length = unsafe readlink("/proc/self/fd/\(number)", &name, name.count)
        guard length > 0 else { return nil }
        return String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func eventIdentity(of number: Int32) -> Substring? {
        guard let text = try? readSmallFile("/proc/self/fdinfo/\(number)") else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix("eventfd-id") }
    }
}
