/// A JSON text in the making (RFC 8259). Keys keep their order.
public indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case unsigned(UInt64)
    /// Rounded to three decimals; what JSON cannot say (infinity, NaN) becomes null.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    public static func == (a: JSONValue, b: JSONValue) -> Bool { a.text == b.text }

    /// On one line, without spaces that carry nothing.
    public var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .unsigned(let value): String(value)
        case .number(let value): Self.number(value)
        case .string(let value): Self.quoted(value)
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let members): "{" + members.map { "\(Self.quoted($0.key)):\($0.value.text)" }.joined(separator: ",") + "}"
        }
    }

    /// Three decimals while a double has them (thousandths below 2^53), else as Swift writes it; infinity and NaN are nothing in
    /// JSON (§6).
    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        return abs(value) < 9e12 ? decimal(value, places: 3) : "\(value)"
    }

    /// RFC 8259 §7: quotes, backslashes and control characters are escaped.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// A number with a fixed count of decimals, 0…9, rounded to nearest; "-" for what is not finite or too large to say so.
public func decimal(_ value: Double, places: Int) -> String {
    let digits = max(0, min(9, places))
    var scale: Int64 = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = (value * Double(scale)).rounded()
    guard scaled.isFinite, abs(scaled) < 9e18 else { return "-" }
    let whole = Int64(scaled)
    let magnitude = whole.magnitude
    let sign = whole < 0 ? "-" : ""
    guard digits > 0 else { return sign + String(magnitude) }
    let fraction = String(magnitude % scale.magnitude)
    return sign + String(magnitude / scale.magnitude) + "." + String(repeating: "0", count: digits - fraction.count) + fraction
}
