public import LinuxIO

/// Why a wire could not be joined. Each message says what to do next.
public enum WireError: Error, CustomStringConvertible {
    /// A name that no wire can have.
    case badName(String, reason: String)
    /// All ends are taken.
    case full(wire: String, endCount: Int)
    /// Somebody joins or leaves without coming to an end: stopped, or in a debugger.
    case busy(wire: String, milliseconds: UInt64)
    /// The file was made by another version of this package and is in use.
    case otherVersion(wire: String, path: String)
    /// There is no memory left for the rings.
    case noRoom(wire: String, cause: SystemCallError)
    /// A tap interface could not be made or attached to.
    case tap(interface: String, cause: SystemCallError)
    /// A UDP socket could not be bound, or its peer not be reached.
    case udp(local: IPEndpoint, peer: IPEndpoint, cause: SystemCallError)
    /// A system call on the wire's behalf failed.
    case systemCall(wire: String, cause: SystemCallError)

    public var description: String {
        switch self {
        case .badName(let name, let reason):
            "The wire name \"\(name)\" cannot be used: \(reason). Use 1 to 64 letters, digits, '.', '_' and '-', not beginning with '.'."
        case .full(let wire, let count):
            "Wire \(wire) is full: all of its \(count) ends are joined. Let one leave, or use another name."
        case .busy(let wire, let milliseconds):
            "Wire \(wire): another process has been joining or leaving for \(milliseconds) ms. Is it stopped? Continue it or end it."
        case .otherVersion(let wire, let path):
            "Wire \(wire): \(path) was made by another version of this program and is in use. End its users, or use another name."
        case .noRoom(let wire, let cause):
            "Wire \(wire): \(cause) Free some shared memory, or make the file system larger (docker run --shm-size)."
        case .tap(let interface, let cause): "\(cause) \(TapAdvice.text(interface, cause))"
        case .udp(let local, let peer, let cause): "\(cause) \(UDPAdvice.text(local, peer, cause))"
        case .systemCall(let wire, let cause):
            "Wire \(wire): \(cause) Wires are files of one user in a directory that nobody else may enter (mode 0700): remove or mend what stands in the way."
        }
    }
}
