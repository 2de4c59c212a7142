import Foundation
import LinuxIO
import Testing
import VfioUser

/// What a running relay tells of itself at its status socket.
struct RelayReading: CustomStringConvertible {
    struct Endpoint {
        let group: String
        let state: String
        let messages: Int
        let interrupts: Int
    }

    let description: String
    let domains: Int
    let mappings: Int
    let mappedByteCount: Int
    let resets: Int
    let unmappedFaults: Int
    let unattachedFaults: Int
    /// Requests by kind and answer.
    private let requests: [String: [String: Int]]
    let refusals: [String]
    /// By name.
    let endpoints: [String: Endpoint]

    /// - Parameter directory: the relay's.
    init(_ directory: String) throws {
        let bytes = try StatusReading.read(beside: "\(directory)/unic-iommu.sock")
        description = String(decoding: bytes, as: UTF8.self)
        let all = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        func number(_ name: String) throws -> Int { try #require(all[name] as? Int, "\(name)") }
        domains = try number("domains")
        mappings = try number("mappings")
        mappedByteCount = try number("mapped_bytes")
        resets = try number("resets")
        let faults = try #require(all["faults"] as? [String: Int])
        unmappedFaults = faults["unmapped"] ?? -1
        unattachedFaults = faults["unattached"] ?? -1
        requests = try #require(all["requests"] as? [String: [String: Int]])
        refusals = all["refusals"] as? [String] ?? []
        var endpoints: [String: Endpoint] = [:]
        for entry in try #require(all["endpoints"] as? [[String: Any]]) {
            guard let name = entry["name"] as? String else { continue }
            endpoints[name] = Endpoint(
                group: entry["group"] as? String ?? "", state: entry["state"] as? String ?? "", messages: entry["messages"] as? Int ?? -1,
                interrupts: entry["interrupts"] as? Int ?? -1)
        }
        self.endpoints = endpoints
    }

    /// Asks again for at most 5 s while it does not tell what is wished: it publishes when it has nothing to do.
    init(_ directory: String, until isWished: (RelayReading) -> Bool) throws {
        let deadline = Deadline(afterMilliseconds: 5000)
        var reading = try RelayReading(directory)
        while !isWished(reading), !deadline.hasPassed {
            sleepMicroseconds(20_000)
            reading = try RelayReading(directory)
        }
        self = reading
    }

    /// Requests of a kind that succeeded.
    func done(_ kind: String) -> Int { requests[kind]?["ok"] ?? 0 }
    /// Requests of all kinds that did not.
    var failed: [String: [String: Int]] {
        requests.mapValues { $0.filter { $0.key != "ok" } }.filter { !$0.value.isEmpty }
    }
    /// Messages of the NICs' connections.
    var nicMessages: [String: Int] { endpoints.mapValues(\.messages) }
}
