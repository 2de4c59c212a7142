extension JSONValue {
    /// Understands a JSON text that somebody else wrote (RFC 8259). Whole numbers keep their value, others become doubles.
    /// nil: it is none, or is nested deeper than ``maximumDepth``.
    public init?(parsing bytes: [UInt8]) {
        // Text is UTF-8 (§8.1); what is not becomes replacement characters.
        var parser = JSONParser(scalars: Array(String(decoding: bytes, as: UTF8.self).unicodeScalars))
        guard let value = parser.value(depth: 0), parser.isAtEnd else { return nil }
        self = value
    }

    /// Keeps the parser's stack small; reports nest four deep.
    public static let maximumDepth = 16

    /// A member of an object; the first one if a key comes twice.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
}

private struct JSONParser {
    let scalars: [Unicode.Scalar]
    private var position = 0

    init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return next == nil
        }
    }

    private mutating func skipSpace() { while let scalar = next, " \t\n\r".unicodeScalars.contains(scalar) { position += 1 } }

    /// Whether exactly this follows; it is behind us then.
    private mutating func takes(_ text: String) -> Bool {
        guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    mutating func value(depth: Int) -> JSONValue? {
        guard depth < JSONValue.maximumDepth else { return nil }
        skipSpace()
        if takes("{") { return object(depth: depth) }
        if takes("[") { return array(depth: depth) }
        if takes("\"") { return string().map(JSONValue.string) }
        if takes("true") { return .bool(true) }
        if takes("false") { return .bool(false) }
        if takes("null") { return .null }
        return number()
    }

    private mutating func object(depth: Int) -> JSONValue? {
        var members: [(key: String, value: JSONValue)] = []
        skipSpace()
        if takes("}") { return .object(members) }
        repeat {
            skipSpace()
            guard takes("\""), let key = string() else { return nil }
            skipSpace()
            guard takes(":"), let value = value(depth: depth + 1) else { return nil }
            members.append((key, value))
            skipSpace()
        } while takes(",")
        return takes("}") ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSONValue? {
        var values: [JSONValue] = []
        skipSpace()
        if takes("]") { return .array(values) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
            skipSpace()
        } while takes(",")
        return takes("]") ? .array(values) : nil
    }

    /// §7, from behind the opening quote.
    private mutating func string() -> String? {
        var text = String.UnicodeScalarView()
        while let scalar = next {
            position += 1
            switch scalar {
            case "\"": return String(text)
            case "\\":
                guard let escaped = escape() else { return nil }
                text.append(escaped)
            case _ where scalar.value < 0x20: return nil
            default: text.append(scalar)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let scalar = next else { return nil }
        position += 1
        switch scalar {
        case "\"", "\\", "/": return scalar
        case "b": return "\u{8}"
        case "f": return "\u{c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            guard let unit = hexadecimal() else { return nil }
            guard unit & 0xfc00 == 0xd800 else { return Unicode.Scalar(unit) }
            // Two escapes make one character beyond the 16-bit ones.
            guard takes("\\u"), let low = hexadecimal(), low & 0xfc00 == 0xdc00 else { return nil }
            return Unicode.Scalar(0x10000 + (unit & 0x3ff) << 10 + low & 0x3ff)
        default: return nil
        }
    }

    private mutating func hexadecimal() -> UInt32? {
        guard scalars.count - position >= 4 else { return nil }
        let digits = scalars[position..<position + 4]
        guard digits.allSatisfy("0123456789abcdefABCDEF".unicodeScalars.contains) else { return nil }
        position += 4
        return UInt32(String(String.UnicodeScalarView(digits)), radix: 16)
    }

    /// §6. What follows is judged by whoever wants more.
    private mutating func number() -> JSONValue? {
        let start = position
        while let scalar = next, "+-.0123456789eE".unicodeScalars.contains(scalar) { position += 1 }
        let text = String(String.UnicodeScalarView(scalars[start..<position]))
        guard let first = text.first, first == "-" || first.isNumber else { return nil }
        if let whole = Int(text) { return .integer(whole) }
        if let whole = UInt64(text) { return .unsigned(whole) }
        return Double(text).map(JSONValue.number)
    }
}
