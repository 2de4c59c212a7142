import Glibc

/// What verbs calls return when they fail: errno numbers, positive, or NULL with errno set.
enum VerbsError {
    static var invalid: Int32 { EINVAL }
    static var busy: Int32 { EBUSY }
    static var noMemory: Int32 { ENOMEM }
    static var unsupported: Int32 { EOPNOTSUPP }

    /// For calls that return a pointer.
    static func null<Pointee>(_ code: Int32) -> UnsafeMutablePointer<Pointee>? {
        errno = code
        return nil
    }
}
