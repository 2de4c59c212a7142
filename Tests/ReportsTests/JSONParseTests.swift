import Reports
import Testing

@Suite struct JSONParseTests {
    private func parsed(_ text: String) -> JSONValue? { JSONValue(parsing: Array(text.utf8)) }

    @Test(arguments: [
        "null", "true", "false", "0", "-1", "18446744073709551615", "1.500", "\"\"", "[]", "{}", "[1,[2,{\"a\":null}],\"b\"]",
        "{\"a\":{\"b\":[true,false]},\"c\":\"d\"}", "\"\\\"\\\\\\n\\u0001é😀\"",
    ]) func whatWasWrittenIsReadBack(text: String) { #expect(parsed(text)?.text == text) }

    @Test func spaceAndEscapesAreUnderstood() {
        #expect(parsed(" { \"a\" :\t[ 1 ,\r\n2 ] } ")?.text == "{\"a\":[1,2]}")
        #expect(parsed("\"\\u0041\\/\\b\\f\\ud83d\\ude00\"") == .string("A/\u{8}\u{c}😀"))
        #expect(parsed("1e3") == .number(1000))
    }

    @Test(arguments: [
        "", " ", "nul", "tru e", "[1", "[1,]", "[,1]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "\"", "\"\\", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "1 2", "-", "+1", "1-", ".", "--1",
        "'a'", "[1]]",
        "\u{0}",
    ]) func whatIsNoTextOfJSONIsRefused(text: String) { #expect(parsed(text) == nil) }

    @Test func depthIsBounded() {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(parsed(nested(JSONValue.maximumDepth)) != nil)
        #expect(parsed(nested(JSONValue.maximumDepth + 1)) == nil)
        #expect(parsed(String(repeating: "[", count: 60_000)) == nil)
        #expect(parsed(String(repeating: "{\"a\":", count: 10_000)) == nil)
    }

    @Test func bytesThatAreNoTextAreNoTrap() {
        for seed in 0..<2000 {
            var generator = SystemRandomNumberGenerator()
            let alphabet = Array("{}[]\",:\\u0123456789abcdeftrn -+.".utf8) + [0xff, 0xc3, 0x80, 0]
            _ = JSONValue(parsing: (0..<(seed % 64)).map { _ in alphabet.randomElement(using: &generator) ?? 0 })
        }
    }

    @Test func theFirstOfTwoMembersCounts() {
        #expect(parsed("{\"a\":1,\"a\":2}")?["a"] == .integer(1))
        #expect(parsed("[1]")?["a"] == nil)
    }
}
