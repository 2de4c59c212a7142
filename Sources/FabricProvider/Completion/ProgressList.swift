/// Endpoints that a completion queue or counter hears of: they are driven when it is read.
@safe struct ProgressList: ~Copyable {
    private var endpoints: UnsafeMutablePointer<FabricObject<OpenEndpoint>>
    private var capacity = 4
    private(set) var count = 0

    init() {
        // SAFETY: the deinit gives it back; places are initialized as they are used (the type is bits).
        unsafe endpoints = .allocate(capacity: capacity)
    }

    deinit {
        // SAFETY: allocated here.
        unsafe endpoints.deallocate()
    }

    @inline(__always) subscript(index: Int) -> FabricObject<OpenEndpoint> {
        precondition(index >= 0 && index < count)
        // SAFETY: the index was checked.
        return unsafe endpoints[index]
    }

    func contains(_ endpoint: FabricObject<OpenEndpoint>) -> Bool { (0..<count).contains { self[$0] == endpoint } }

    mutating func add(_ endpoint: FabricObject<OpenEndpoint>) {
        guard !contains(endpoint) else { return }
        if count == capacity {
            // SAFETY: the larger piece takes over what the smaller one held, which is given back.
            let larger = UnsafeMutablePointer<FabricObject<OpenEndpoint>>.allocate(capacity: 2 * capacity)
            unsafe larger.moveInitialize(from: endpoints, count: count)
            unsafe endpoints.deallocate()
            unsafe endpoints = larger
            capacity *= 2
        }
        // SAFETY: there is room.
        unsafe (endpoints + count).initialize(to: endpoint)
        count += 1
    }

    mutating func remove(_ endpoint: FabricObject<OpenEndpoint>) {
        guard let index = (0..<count).first(where: { self[$0] == endpoint }) else { return }
        count -= 1
        // SAFETY: both indexes are inside.
        unsafe endpoints[index] = endpoints[count]
    }
}
