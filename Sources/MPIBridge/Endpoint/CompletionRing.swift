/// Completions that nobody has taken, first in, first out. One that was emptied starts again at its beginning, so that
/// a few lines of memory serve an endpoint that is looked at often.
@safe struct CompletionRing: ~Copyable {
    private let places: UnsafeMutablePointer<Completion>
    let capacity: Int
    private var first = 0
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        // SAFETY: a place is initialized before it is read.
        unsafe places = .allocate(capacity: capacity)
    }

    deinit {
        // SAFETY: allocated by init.
        unsafe places.deallocate()
    }

    /// Who posts operations sees to it that there is room (``MessageEndpoint/hasCompletionRoom``).
    mutating func append(_ completion: Completion) {
        precondition(count < capacity, "a completion without a place")
        var place = first &+ count
        if place >= capacity { place &-= capacity }
        // SAFETY: place is below the capacity.
        unsafe (places + place).initialize(to: completion)
        count &+= 1
    }

    mutating func removeFirst() -> Completion? {
        guard count > 0 else { return nil }
        // SAFETY: first is below the capacity and was initialized.
        let completion = unsafe places[first]
        count &-= 1
        first &+= 1
        if count == 0 || first == capacity { first = 0 }
        return completion
    }
}
