public import LinuxIO
import NicModels

/// Which endpoints of this user on this machine have a process that lives: each holds a lock on one byte of a common file,
/// the one that its key names, and the kernel drops the lock with the process, kill -9 included. For peers on `soft:` wires,
/// whose death is then known at once; nothing is to be cleaned up.
public struct EndpointLiveness: ~Copyable, Sendable {
    private let file: OwnedDescriptor

    /// Says that the endpoint of this key lives, until the value or the process ends.
    /// - Parameter directory: nil: where `soft:` wires are.
    public init(key: UInt64, directory: String? = nil) throws(SystemCallError) {
        let directory = try PrivateDirectory(path: directory ?? SharedMemoryWire.defaultDirectory)
        let file = try directory.openFile("endpoints")
        // A key that is taken is another's, of 2⁶²: nobody is hurt.
        _ = try file.tryLock(byte: Self.byte(of: key))
        self.file = file
    }

    /// Whether an endpoint with this key lives on this machine; true also when that cannot be told.
    public borrowing func isAlive(key: UInt64) -> Bool {
        let byte = Self.byte(of: key)
        return (try? file.isLockedElsewhere(bytes: byte..<byte + 1)) ?? true
    }

    /// Offsets of files are positive.
    private static func byte(of key: UInt64) -> Int { Int(key >> 2) }
}
