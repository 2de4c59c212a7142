import Glibc

/// The process's environment.
enum Environment {
    static func text(_ name: String) -> String? {
        // SAFETY: the name lives for the call; the value is copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}
