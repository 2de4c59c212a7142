/// Why bytes are not the message that they claim to be.
public enum MessageError: Error, Equatable, CustomStringConvertible {
    /// Shorter or longer than the message's own fields say.
    case length(message: String, expected: Int, actual: Int)
    /// A field with a value that the text does not allow.
    case field(message: String, name: String, value: UInt64)
    /// The wrong number of descriptors beside it.
    case descriptors(message: String, expected: Int, actual: Int)
    /// Version data that is not JSON, or too large or deep.
    case json(String)

    public var description: String {
        switch self {
        case .length(let message, let expected, let actual): "\(message) has \(actual) bytes where \(expected) belong"
        case .field(let message, let name, let value): "\(message) has \(name) 0x\(String(value, radix: 16))"
        case .descriptors(let message, let expected, let actual): "\(message) came with \(actual) descriptors where \(expected) belong"
        case .json(let reason): "the version data is no good JSON: \(reason)"
        }
    }
}
