/// Receives that wait for datagrams, in the order in which they were posted.
struct ReceiveQueue: ~Copyable {
    private var places: [ReceiveRequest?]
    private var first = 0
    /// Places in use, of which some may have been canceled.
    private var length = 0
    private(set) var count = 0

    init(capacity: Int) { places = [ReceiveRequest?](repeating: nil, count: max(1, capacity)) }

    /// False: there is no room.
    mutating func append(_ request: ReceiveRequest) -> Bool {
        guard length < places.count else { return false }
        places[(first + length) % places.count] = request
        length += 1
        count += 1
        return true
    }

    mutating func removeFirst() -> ReceiveRequest? {
        while length > 0 {
            let request = places[first]
            places[first] = nil
            first = (first + 1) % places.count
            length -= 1
            if let request {
                count -= 1
                return request
            }
        }
        return nil
    }

    /// The oldest with this context.
    mutating func remove(context: UInt) -> ReceiveRequest? {
        for offset in 0..<length {
            let index = (first + offset) % places.count
            guard let request = places[index], request.context == context else { continue }
            places[index] = nil
            count -= 1
            return request
        }
        return nil
    }
}
