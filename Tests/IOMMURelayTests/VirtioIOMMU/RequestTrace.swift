import Foundation

/// Requests as a guest's driver sent them, in batches: those that were in the ring at once.
struct RequestTrace {
    private(set) var batches: [[[UInt8]]] = [[]]

    /// - Parameter name: a file of Tests/IOMMURelayTests/Traces.
    init(_ name: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Traces")
        for line in try String(contentsOf: folder.appending(path: name), encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            let numbers = words.dropFirst().map { $0.hasPrefix("0x") ? UInt64($0.dropFirst(2), radix: 16) ?? 0 : UInt64($0) ?? 0 }
            switch words[0] {
            case "attach":
                add(
                    GuestIOMMURequest.attach(
                        endpoint: UInt32(numbers[0]), domain: UInt32(numbers[1]), flags: numbers.count > 2 ? UInt32(numbers[2]) : 0))
            case "detach": add(GuestIOMMURequest.detach(endpoint: UInt32(numbers[0]), domain: UInt32(numbers[1])))
            case "map":
                add(GuestIOMMURequest.map(domain: UInt32(numbers[0]), numbers[1], numbers[2], to: numbers[3], flags: UInt32(numbers[4])))
            case "unmap": add(GuestIOMMURequest.unmap(domain: UInt32(numbers[0]), numbers[1], numbers[2]))
            case "sync": batches.append([])
            default: break
            }
        }
    }

    private mutating func add(_ request: [UInt8]) { batches[batches.count - 1].append(request) }
}
