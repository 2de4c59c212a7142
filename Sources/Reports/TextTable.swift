/// Columns of text, numbers to the right, for a terminal.
public struct TextTable: Sendable {
    private let header: [String]
    private var rows: [[String]] = []

    public init(header: [String]) { self.header = header }

    /// A row has as many cells as the header; missing ones are empty.
    public mutating func append(_ row: [String]) { rows.append(row) }

    /// Lines without trailing spaces, each ending in a newline.
    public var text: String {
        let widths = header.indices.map { column in
            ([header] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return ([header] + rows).map { row in
            var line = ""
            for column in header.indices {
                let cell = column < row.count ? row[column] : ""
                if column > 0 { line += "  " }
                line += String(repeating: " ", count: widths[column] - cell.count) + cell
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
