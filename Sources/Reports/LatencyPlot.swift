import Glibc

/// Latency over percentiles as a picture (SVG 1.1): one line a curve, latency on a logarithmic axis, percentiles on one
/// where each step is ten times rarer.
public struct LatencyPlot: Sendable {
    public struct Curve: Sendable {
        public let name: String
        /// Share of all values that are at most this, 0…1, and the latency in µs; both ascending.
        public let points: [(share: Double, microseconds: Double)]
        public init(name: String, points: [(share: Double, microseconds: Double)]) {
            self.name = name
            self.points = points
        }
    }

    public let title: String
    public let subtitle: String
    public let curves: [Curve]

    public init(title: String, subtitle: String, curves: [Curve]) {
        self.title = title
        self.subtitle = subtitle
        self.curves = curves
    }

    // Pixels.
    private static let width = 960.0, height = 540.0
    private static let left = 84.0, right = 800.0, top = 84.0, bottom = 470.0
    /// Dark enough on white, and told apart with the common colour-vision deficiencies; the dashes help too.
    private static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
    private static let dashes = ["", "8 4", "2 3", "10 3 2 3"]

    public var svg: String {
        let scale = Scale(curves)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.pixel(Self.width))" height="\(Self.pixel(Self.height))" \
            viewBox="0 0 \(Self.pixel(Self.width)) \(Self.pixel(Self.height))" font-family="sans-serif" font-size="13" fill="#333">
            <title>\(Self.escaped(title))</title>
            <rect width="100%" height="100%" fill="#fff"/>
            <text x="\(Self.pixel(Self.left))" y="36" font-size="20" fill="#111">\(Self.escaped(title))</text>
            <text x="\(Self.pixel(Self.left))" y="58" fill="#666">\(Self.escaped(subtitle))</text>

            """ + grid(scale) + lines(scale) + legend() + "</svg>\n"
    }

    private func grid(_ scale: Scale) -> String {
        var svg = ""
        for tick in scale.latencyTicks {
            let y = Self.pixel(scale.y(tick.value))
            svg +=
                "<line x1=\"\(Self.pixel(Self.left))\" x2=\"\(Self.pixel(Self.right))\" y1=\"\(y)\" y2=\"\(y)\" stroke=\"\(tick.isMain ? "#ccc" : "#eee")\"/>\n"
            if tick.isLabelled {
                svg +=
                    "<text x=\"\(Self.pixel(Self.left - 10))\" y=\"\(y)\" dy=\"4\" text-anchor=\"end\">\(Self.label(tick.value))</text>\n"
            }
        }
        for tick in scale.shareTicks {
            let x = Self.pixel(scale.x(tick.share))
            svg += "<line x1=\"\(x)\" x2=\"\(x)\" y1=\"\(Self.pixel(Self.top))\" y2=\"\(Self.pixel(Self.bottom))\" stroke=\"#ddd\"/>\n"
            svg += "<text x=\"\(x)\" y=\"\(Self.pixel(Self.bottom + 20))\" text-anchor=\"middle\">\(tick.name)</text>\n"
        }
        let middle = Self.pixel((Self.top + Self.bottom) / 2)
        svg += "<rect x=\"\(Self.pixel(Self.left))\" y=\"\(Self.pixel(Self.top))\" width=\"\(Self.pixel(Self.right - Self.left))\" "
        svg += "height=\"\(Self.pixel(Self.bottom - Self.top))\" fill=\"none\" stroke=\"#888\"/>\n"
        svg +=
            "<text x=\"24\" y=\"\(middle)\" text-anchor=\"middle\" transform=\"rotate(-90 24 \(middle))\">half round trip, µs (log scale)</text>\n"
        svg +=
            "<text x=\"\(Self.pixel((Self.left + Self.right) / 2))\" y=\"\(Self.pixel(Self.bottom + 46))\" text-anchor=\"middle\">percentile of round trips</text>\n"
        return svg
    }

    private func lines(_ scale: Scale) -> String {
        curves.enumerated().map { index, curve in
            let points = curve.points.filter { $0.microseconds > 0 }
                .map { "\(Self.pixel(scale.x($0.share))),\(Self.pixel(scale.y($0.microseconds)))" }.joined(separator: " ")
            return "<polyline fill=\"none\" stroke-width=\"2\" stroke-linejoin=\"round\" \(Self.stroke(index)) points=\"\(points)\"/>\n"
        }.joined()
    }

    private func legend() -> String {
        curves.enumerated().map { index, curve in
            let y = Self.top + 12 + Double(index) * 22
            return
                "<line x1=\"\(Self.pixel(Self.right + 16))\" x2=\"\(Self.pixel(Self.right + 46))\" y1=\"\(Self.pixel(y))\" y2=\"\(Self.pixel(y))\" stroke-width=\"2\" \(Self.stroke(index))/>\n"
                + "<text x=\"\(Self.pixel(Self.right + 54))\" y=\"\(Self.pixel(y + 4))\">\(Self.escaped(curve.name))</text>\n"
        }.joined()
    }

    private static func stroke(_ index: Int) -> String {
        let dash = dashes[index % dashes.count]
        return "stroke=\"\(colours[index % colours.count])\"" + (dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\"")
    }

    private static func pixel(_ value: Double) -> String { decimal(value, places: 1) }

    private static func label(_ microseconds: Double) -> String {
        decimal(microseconds, places: microseconds >= 1 ? 0 : microseconds >= 0.1 ? 1 : microseconds >= 0.01 ? 2 : 3)
    }

    static func escaped(_ text: String) -> String {
        text.map { ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"][$0] ?? String($0) }.joined()
    }

    /// From values to pixels.
    struct Scale {
        let lowest, highest: Double
        /// log10 of the rarest share that the data can tell.
        let nines: Double

        init(_ curves: [Curve]) {
            let latencies = curves.flatMap(\.points).map(\.microseconds).filter { $0 > 0 }
            let smallest = max(latencies.min() ?? 0.1, 1e-3)
            lowest = smallest * 0.8
            highest = max((latencies.max() ?? 10) * 1.25, lowest * 4)
            let rarest = curves.flatMap(\.points).map(\.share).filter { $0 < 1 }.map { -log10(1 - $0) }.max() ?? 2
            nines = min(6, max(2, rarest.rounded(.up)))
        }

        func y(_ microseconds: Double) -> Double {
            let part = log(max(microseconds, lowest) / lowest) / log(highest / lowest)
            return LatencyPlot.bottom - (LatencyPlot.bottom - LatencyPlot.top) * min(1, part)
        }

        /// 0 is at the left, and each nine takes as much room as the one before.
        func x(_ share: Double) -> Double {
            let part = share >= 1 ? 1 : min(1, -log10(1 - max(0, share)) / nines)
            return LatencyPlot.left + (LatencyPlot.right - LatencyPlot.left) * part
        }

        var latencyTicks: [(value: Double, isMain: Bool, isLabelled: Bool)] {
            let fewDecades = log10(highest / lowest) < 2.5
            var ticks: [(value: Double, isMain: Bool, isLabelled: Bool)] = []
            for decade in Int(floor(log10(lowest)))...Int(ceil(log10(highest))) {
                for step in 1...9 {
                    let value: Double = pow(10, Double(decade)) * Double(step)
                    guard value >= lowest, value <= highest else { continue }
                    let isLabelled = step == 1 || fewDecades && (step == 2 || step == 5)
                    ticks.append((value, step == 1, isLabelled))
                }
            }
            return ticks
        }

        var shareTicks: [(share: Double, name: String)] {
            [
                (0, "0 %"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %"), (0.99999, "99.999 %"),
                (0.999999, "99.9999 %"),
            ]
            .filter { -log10(1 - $0.0) <= nines + 0.001 }
        }
    }
}
