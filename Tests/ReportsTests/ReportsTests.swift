import Reports
import Testing

struct JSONValueTests {
    @Test func objectKeepsItsOrderAndNests() {
        let value = JSONValue.object([("b", .integer(-1)), ("a", .array([.bool(true), .null, .unsigned(.max)]))])
        #expect(value.text == #"{"b":-1,"a":[true,null,18446744073709551615]}"#)
    }

    @Test func everyControlCharacterQuoteAndBackslashIsEscaped() {
        #expect(JSONValue.string("a\"\\\n\r\t\u{1}\u{1f}é\u{7f}").text == "\"a\\\"\\\\\\n\\r\\t\\u0001\\u001fé\u{7f}\"")
    }

    @Test func numbersThatJSONCannotSayBecomeNull() {
        #expect(JSONValue.array([.number(.nan), .number(.infinity), .number(1.0005), .number(-0.25)]).text == "[null,null,1.001,-0.250]")
        // More digits than a double has: never a text that is no JSON.
        #expect(JSONValue.array([.number(1e300), .number(-1e17), .number(1e13)]).text == "[1e+300,-1e+17,10000000000000.0]")
        #expect(JSONValue.number(8_999_999_999_999.125).text == "8999999999999.125")
    }
}

struct DecimalTests {
    @Test(arguments: [
        (0.0, 2, "0.00"), (0.005, 2, "0.01"), (12.999, 2, "13.00"), (-1.25, 1, "-1.3"), (7.5, 0, "8"), (1e30, 2, "-"), (0.04, 1, "0.0"),
    ])
    func roundsToNearest(_ value: Double, _ places: Int, _ text: String) { #expect(decimal(value, places: places) == text) }
}

struct TextTableTests {
    @Test func columnsAreAlignedToTheRightAndShortRowsPadded() {
        var table = TextTable(header: ["size", "µs"])
        table.append(["8", "0.25"])
        table.append(["1024"])
        #expect(table.text == "size    µs\n   8  0.25\n1024\n")
    }
}

struct PcapFileTests {
    @Test func headerSaysNanosecondsAndEthernet() {
        #expect(PcapFile().bytes == [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0])
    }

    @Test func recordHoldsTimeLengthsAndBytes() {
        var file = PcapFile()
        file.append(frame: [7, 8, 9], nanoseconds: 2_000_000_003)
        #expect(Array(file.bytes[24...]) == [2, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 7, 8, 9])
    }
}

struct LatencyPlotTests {
    private func plot(_ curves: [LatencyPlot.Curve]) -> String { LatencyPlot(title: "a < b & \"c\"", subtitle: "s", curves: curves).svg }

    @Test func textIsEscaped() {
        let svg = plot([])
        #expect(svg.contains("a &lt; b &amp; &quot;c&quot;"))
        #expect(!svg.contains("a < b"))
    }

    @Test func eachCurveHasALineAndALegend() {
        let svg = plot([.init(name: "64 B", points: [(0, 1), (0.5, 2), (1, 3)]), .init(name: "1518 B", points: [(0, 4), (1, 40)])])
        #expect(svg.components(of: "<polyline") == 2)
        #expect(svg.contains(">64 B</text>") && svg.contains(">1518 B</text>"))
    }

    @Test(arguments: [[], [(0.0, 0.0)], [(1.0, 5.0)], [(0.0, 1e-9), (0.999999999, 1e12), (1.0, 1e12)]])
    func extremeDataStaysInsideThePicture(_ points: [(Double, Double)]) throws {
        let svg = plot([.init(name: "x", points: points.map { (share: $0.0, microseconds: $0.1) })])
        #expect(!svg.contains("nan") && !svg.contains("inf"))
        let line = try #require(svg.split(separator: "points=\"").last?.split(separator: "\"", omittingEmptySubsequences: false).first)
        for pair in line.split(separator: " ") {
            let numbers = pair.split(separator: ",").compactMap { Double($0) }
            #expect(numbers.count == 2 && (84...800).contains(numbers[0]) && (84...470).contains(numbers[1]), "\(pair)")
        }
    }
}

extension String {
    fileprivate func components(of needle: String) -> Int { split(separator: needle, omittingEmptySubsequences: false).count - 1 }
}
