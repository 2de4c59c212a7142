/// A JSON text of a peer (RFC 8259), as far as version data needs it: whole numbers keep their value, others are only noticed.
enum JSONValue: Equatable {
    case object([String: JSONValue])
    case array([JSONValue])
    case string(String)
    /// nil: negative, fractional or too large.
    case number(UInt64?)
    case boolean(Bool)
    case null

    /// Version data is some 200 bytes; 4096 leaves room for keys to come and bounds what a peer makes us keep.
    static let maximumByteCount = 4096
    /// Capabilities nest three deep; 16 keeps the parser's stack small.
    static let maximumDepth = 16

    static func parse(_ bytes: [UInt8]) throws(MessageError) -> JSONValue {
        guard bytes.count <= maximumByteCount else { throw .json("longer than \(maximumByteCount) bytes") }
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.peek == nil else { throw .json("bytes after the value") }
        return value
    }

    subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { return members[key] }
        return nil
    }

    var wholeNumber: UInt64? {
        if case .number(let value) = self { return value }
        return nil
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take() -> UInt8? {
        defer { position += 1 }
        return position < bytes.count ? bytes[position] : nil
    }

    mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
    }

    mutating func value(depth: Int) throws(MessageError) -> JSONValue {
        guard depth < JSONValue.maximumDepth else { throw .json("nested too deep") }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(MessageError) -> JSONValue {
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if peek == UInt8(ascii: "}") { position += 1; return .object(members) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw .json("a key is missing") }
            let key = try string()
            skipSpace()
            guard take() == UInt8(ascii: ":") else { throw .json("a colon is missing") }
            members[key] = try value(depth: depth + 1)
            skipSpace()
            switch take() {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "}"): return .object(members)
            default: throw .json("an object does not end")
            }
        }
    }

    private mutating func array(depth: Int) throws(MessageError) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if peek == UInt8(ascii: "]") { position += 1; return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            switch take() {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "]"): return .array(elements)
            default: throw .json("an array does not end")
            }
        }
    }

    /// Escapes stay as they are written: no key that matters has any.
    private mutating func string() throws(MessageError) -> String {
        position += 1
        let start = position
        while let byte = take() {
            if byte == UInt8(ascii: "\"") { return String(decoding: bytes[start..<(position - 1)], as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { _ = take() }
            if byte < 0x20 { throw .json("a control character in a string") }
        }
        throw .json("a string does not end")
    }

    private mutating func number() throws(MessageError) -> JSONValue {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) || [0x2b, 0x2d, 0x2e, 0x45, 0x65].contains(byte) { position += 1 }
        guard position > start else { throw .json("a value is missing") }
        return .number(UInt64(String(decoding: bytes[start..<position], as: UTF8.self)))
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(MessageError) -> JSONValue {
        for expected in text.utf8 where take() != expected { throw .json("an unknown word") }
        return value
    }
}
