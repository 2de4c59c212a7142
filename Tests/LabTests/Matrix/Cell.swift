import Foundation
import LabKit
import Testing

/// A family of NICs, an IOMMU and a VFIO interface: what one cell of the lab's matrix is made of.
struct Cell: Sendable, CustomTestStringConvertible {
    let nic: NIC
    /// The device URL's `iommu` parameter.
    let backend: String
    /// Largest frame that is sent, FCS included.
    var largest = 8000

    var name: String { "\(nic.rawValue)-\(backend)" }
    var testDescription: String { name }

    /// Round trips of each size.
    static let count = 2000

    /// Both ends' device URLs.
    var urls: [String] {
        (0..<2).map { port in
            let address = nic == .igb ? NIC.address(ofVirtualFunction: port) : nic.address(ofPort: port)
            return "vfio:\(address)?iommu=\(backend)"
        }
    }

    /// Runs in the guest: ping-pong by polling and by interrupts, then the driver suite. Results are left as files, so that a
    /// failure of one cell does not end the others.
    var script: String {
        let devices = urls.map { "--device '\($0)'" }.joined(separator: " ")
        let sizes = [64, 1024, largest].map(String.init).joined(separator: ",")
        let run = "unic pingpong \(devices) --sizes \(sizes) --count \(Cell.count) --warmup 50 --json"
        return """
            echo "cell \(name)"
            \(run) >/lab/results/\(name)-poll.json 2>/lab/results/\(name)-poll.err || true
            \(run) --interrupts >/lab/results/\(name)-interrupt.json 2>/lab/results/\(name)-interrupt.err || true
            driver-suite \(expectation)\(urls.map { "'\($0)'" }.joined(separator: " ")) >/lab/results/\(name)-suite 2>&1 || true

            """
    }

    /// QEMU's 82576 ignores the mode by which a virtual function receives all multicast (docs/families/igbvf.md).
    private var expectation: String { nic == .igb ? "--fails 'all multicast receives every group' " : "" }

    /// Every round trip came back with the payload that was sent, and every case passed.
    func check(_ run: GuestRun, in place: String) throws {
        for waiting in ["poll", "interrupt"] {
            let text = (try? run.file("\(name)-\(waiting).json")) ?? ""
            let errors = (try? run.file("\(name)-\(waiting).err")) ?? "no file came back"
            guard let all = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] else {
                Issue.record("\(place) \(name) \(waiting): \(errors)")
                continue
            }
            #expect(all["lost"] as? Int == 0 && all["corrupt"] as? Int == 0, "\(place) \(name) \(waiting): \(text) \(errors)")
            let results = all["results"] as? [[String: Any]] ?? []
            #expect(results.count == 3, "\(place) \(name) \(waiting): \(errors)")
            for result in results {
                #expect(result["count"] as? Int == Cell.count, "\(place) \(name) \(waiting): \(result)")
                let half = result["half_rtt_us"] as? [String: Any]
                print("\(place) \(name) \(waiting): \(result["size"] ?? 0) B, half a round trip \(half?["median"] ?? 0) µs")
            }
        }
        let suite = (try? run.file("\(name)-suite")) ?? "no file came back"
        let bad = suite.split(separator: "\n").filter { !$0.hasPrefix("ok") }
        #expect(suite.contains(" passed, 0 failed"), "\(place) \(name): \(bad.joined(separator: "\n"))")
        print("\(place) \(name): \(bad.last ?? "")")
    }
}
