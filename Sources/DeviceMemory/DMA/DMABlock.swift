/// What a block keeps in the order of its keys.
protocol DMAKeyed: BitwiseCopyable {
    var key: UInt64 { get }
}

/// A node of ``DMATable``: up to `capacity` elements, ascending by key, in one allocation of their own.
///
/// A handle: the table that made a block frees it, once, and uses it no more.
@safe struct DMABlock<Element: DMAKeyed>: BitwiseCopyable {
    static var capacity: Int { 64 }
    private static var headerByteCount: Int { 8 }
    static var byteCount: Int { headerByteCount + capacity * MemoryLayout<Element>.stride }

    /// The count, and the elements after it.
    private let base: UnsafeMutableRawPointer

    /// An empty one.
    init() {
        // SAFETY: the count is set here, and nothing reads an element beyond it.
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: DMABlock.byteCount, alignment: 8)
        unsafe base.storeBytes(of: 0, as: Int.self)
    }

    init(_ node: DMANode) {
        // SAFETY: the table knows by a node's height which elements it was made with.
        unsafe base = node.base
    }

    var node: DMANode { unsafe DMANode(base) }

    func free() { node.free() }

    var count: Int { node.count }

    private func setCount(_ count: Int) {
        // SAFETY: the first word of the block, see init.
        unsafe base.storeBytes(of: count, as: Int.self)
    }

    private var elements: UnsafeMutablePointer<Element> {
        // SAFETY: elements follow the header; the block is used for no other type.
        unsafe (base + DMABlock.headerByteCount).assumingMemoryBound(to: Element.self)
    }

    subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            // SAFETY: checked to be one of the elements.
            return unsafe elements[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count)
            // SAFETY: checked to be one of the elements.
            unsafe elements[index] = newValue
        }
    }

    /// How many elements have a key of at most `key`.
    func countUpTo(_ key: UInt64) -> Int {
        var low = 0
        var high = count
        // SAFETY: between 0 and the count all along.
        let elements = unsafe self.elements
        while low < high {
            let middle = (low &+ high) / 2
            if unsafe elements[middle].key <= key { low = middle &+ 1 } else { high = middle }
        }
        return low
    }

    /// There is room for it.
    func insert(_ element: Element, at index: Int) {
        let count = self.count
        precondition(count < DMABlock.capacity && index >= 0 && index <= count)
        // SAFETY: the elements behind move up by one, inside of the capacity.
        unsafe (elements + index + 1).update(from: elements + index, count: count - index)
        unsafe elements[index] = element
        setCount(count + 1)
    }

    func remove(_ range: Range<Int>) {
        let count = self.count
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        // SAFETY: the elements behind the range move down to its beginning.
        unsafe (elements + range.lowerBound).update(from: elements + range.upperBound, count: count - range.upperBound)
        setCount(count - range.count)
    }

    /// Appends the elements of `source` from `index` on and takes them from it.
    func append(from source: DMABlock, startingAt index: Int = 0) {
        let (count, moved) = (self.count, source.count - index)
        precondition(index >= 0 && moved >= 0 && count + moved <= DMABlock.capacity)
        // SAFETY: two blocks; both ranges were checked.
        unsafe (elements + count).update(from: source.elements + index, count: moved)
        source.setCount(index)
        setCount(count + moved)
    }
}

/// A block whose elements are told by its height in the table.
@safe struct DMANode: BitwiseCopyable {
    fileprivate let base: UnsafeMutableRawPointer

    fileprivate init(_ base: UnsafeMutableRawPointer) {
        // SAFETY: a block's memory, alive until the table frees it.
        unsafe self.base = base
    }

    var count: Int {
        // SAFETY: the first word of every block.
        unsafe base.load(as: Int.self)
    }

    func free() {
        // SAFETY: the table frees a block once.
        unsafe base.deallocate()
    }
}
