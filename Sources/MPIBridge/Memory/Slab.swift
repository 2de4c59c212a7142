/// So many places for elements, taken and given back by index. Memory is touched as places are used for the first time.
///
/// Indices are ours: one outside traps, as our own bugs do. A peer's number is judged first (``isInUse(_:)``).
@safe struct Slab<Element: BitwiseCopyable>: ~Copyable {
    /// No place.
    static var none: UInt32 { .max }

    private let elements: UnsafeMutablePointer<Element>
    /// Of a free place: the next free one. Of one in use: ``inUse``.
    private let links: UnsafeMutablePointer<UInt32>
    let capacity: Int
    private(set) var count = 0
    /// Places below were used at least once.
    private(set) var touched = 0
    private var firstFree: UInt32 = .max

    private static var inUse: UInt32 { .max - 1 }

    init(capacity: Int) {
        precondition(capacity > 0 && capacity < 1 << 31)
        self.capacity = capacity
        // SAFETY: a place is initialized when it is taken, and read only while it is in use.
        unsafe elements = .allocate(capacity: capacity)
        unsafe links = .allocate(capacity: capacity)
    }

    deinit {
        // SAFETY: allocated by init; elements need no destruction.
        unsafe elements.deallocate()
        unsafe links.deallocate()
    }

    var freeCount: Int { capacity &- count }

    /// A place with this element; nil when all are in use.
    mutating func take(_ element: Element) -> UInt32? {
        let index: UInt32
        if firstFree != Self.none {
            index = firstFree
            // SAFETY: a free place below `touched`, whose link was stored when it was given back.
            firstFree = unsafe links[Int(index)]
        } else {
            guard touched < capacity else { return nil }
            index = UInt32(truncatingIfNeeded: touched)
            touched &+= 1
        }
        // SAFETY: index is below capacity.
        unsafe (elements + Int(index)).initialize(to: element)
        unsafe (links + Int(index)).initialize(to: Self.inUse)
        count &+= 1
        return index
    }

    mutating func give(_ index: UInt32) {
        precondition(isInUse(index), "a place given back twice")
        // SAFETY: checked just above.
        unsafe links[Int(index)] = firstFree
        firstFree = index
        count &-= 1
    }

    /// Safe for any number.
    func isInUse(_ index: UInt32) -> Bool {
        // SAFETY: links below `touched` are initialized.
        unsafe Int(index) < touched && links[Int(index)] == Self.inUse
    }

    subscript(index: UInt32) -> Element {
        @inline(__always) unsafeAddress {
            precondition(Int(index) < touched)
            // SAFETY: places below `touched` are initialized.
            return unsafe UnsafePointer(elements + Int(index))
        }
        @inline(__always) nonmutating unsafeMutableAddress {
            precondition(Int(index) < touched)
            // SAFETY: as above; one thread uses the slab.
            return unsafe elements + Int(index)
        }
    }
}
