import Glibc
import Synchronization

/// A user of this machine, as its name service knows them (getpwnam(3)).
public struct UserAccount: Equatable, Sendable {
    public let name: String
    public let identifier: UInt32

    public init(name: String, identifier: UInt32) {
        self.name = name
        self.identifier = identifier
    }

    /// Looks a user up by name, or by number, which needs no entry.
    /// - Returns: nil if nobody has that name.
    public static func find(_ text: String) -> UserAccount? {
        // One call at a time: the C library answers in memory that it uses again.
        lock.withLock { _ in look(text) }
    }

    private static func look(_ text: String) -> UserAccount? {
        if let number = UInt32(text), number != UInt32.max {
            // SAFETY: nobody else calls the function while the lock is held; the strings are copied at once.
            guard let entry = unsafe getpwuid(number) else { return UserAccount(name: text, identifier: number) }
            // SAFETY: as above.
            return unsafe UserAccount(name: String(cString: entry.pointee.pw_name), identifier: number)
        }
        // SAFETY: as above; the name lives for the call.
        guard let entry = unsafe getpwnam(text) else { return nil }
        // SAFETY: as above.
        return unsafe UserAccount(name: text, identifier: entry.pointee.pw_uid)
    }

    private static let lock = Mutex(())
}
