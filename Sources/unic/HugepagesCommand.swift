import ArgumentParser
import DeviceMemory
import LinuxIO
import Reports

struct HugepagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hugepages",
        abstract: "Show the hugepages of this machine, or give back what unic has reserved.",
        discussion: "Example: unic hugepages --restore")

    @Flag(help: "Lower the pools that unic raised and did not lower again, for example because it was killed.")
    var restore = false
    @Flag(help: "Write one JSON object to standard output.")
    var json = false
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        _ = logging.start()
        var given: HugepageReport.Leftover?
        if restore {
            do { given = try HugepagePool.restore() } catch {
                throw Ending.failed("the pool could not be lowered: \(error) Run it as the user who raised it, or as root.")
            }
        }
        let report = HugepagePool.report()
        StandardStream.output.write(json ? jsonText(report, given) : text(report, given))
    }

    private func text(_ report: HugepageReport, _ given: HugepageReport.Leftover?) -> String {
        guard restore else { return "\(report)\n" }
        let done = given.map { "Gave back \($0.pageCount) pages of \($0.pageByteCount >> 10) KiB." } ?? "There was nothing to give back."
        return "\(done)\n\(report)\n"
    }

    private func jsonText(_ report: HugepageReport, _ given: HugepageReport.Leftover?) -> String {
        func leftover(_ leftover: HugepageReport.Leftover?) -> JSONValue {
            leftover.map { .object([("page_bytes", .integer($0.pageByteCount)), ("pages", .integer($0.pageCount))]) } ?? .null
        }
        let sizes = report.sizes.map { size in
            JSONValue.object([
                ("page_bytes", .integer(size.pool.pageByteCount)), ("total", .integer(size.pool.total)), ("free", .integer(size.pool.free)),
                ("reserved", .integer(size.pool.reserved)), ("surplus", .integer(size.pool.surplus)),
                ("mount", size.mount.map(JSONValue.string) ?? .null),
            ])
        }
        return JSONValue.object([("sizes", .array(sizes)), ("leftover", leftover(report.leftover)), ("restored", leftover(given))]).text
            + "\n"
    }
}
