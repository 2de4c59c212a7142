/// What a table holds: ranges, by their first addresses.
protocol DMARanged: DMAKeyed {
    var range: IOVARange { get }
}

extension DMARanged {
    var key: UInt64 { range.start.rawValue }
}

/// Disjoint ranges in the order of their addresses: a B+-tree, entries in its leaves.
///
/// Two neighbours below one parent that fit into three quarters of a block are made one whenever something is removed:
/// blocks stay a third full or more, however the entries come and go. Entries are disjoint; whoever inserts has looked.
struct DMATable<Entry: DMARanged>: ~Copyable {
    /// A block of the level below.
    struct Child: DMAKeyed {
        /// Of the first entry in it.
        var key: UInt64
        let node: DMANode
    }

    /// Keys that something is done to, both ends inside.
    private typealias Keys = ClosedRange<UInt64>

    private var root: DMANode
    /// Levels of children above the leaves.
    private var height = 0
    private(set) var count = 0
    /// What the blocks take.
    private(set) var memoryByteCount = 0

    init() {
        root = DMABlock<Entry>().node
        memoryByteCount = DMABlock<Entry>.byteCount
    }

    deinit { DMATable.free(root, height) }

    /// The last entry that starts at `address` or below.
    func last(startingUpTo address: UInt64) -> Entry? {
        var node = root
        for _ in 0..<height {
            let children = DMABlock<Child>(node)
            let index = children.countUpTo(address)
            guard index > 0 else { return nil }
            node = children[index - 1].node
        }
        let leaf = DMABlock<Entry>(node)
        let index = leaf.countUpTo(address)
        return index > 0 ? leaf[index - 1] : nil
    }

    /// The lowest entry that overlaps `first...last`.
    func first(overlapping first: UInt64, through last: UInt64) -> Entry? {
        if let below = self.last(startingUpTo: first), below.range.last >= first { return below }
        var found: Entry?
        visit(from: first) {
            found = $0
            return false
        }
        guard let found, found.key <= last else { return nil }
        return found
    }

    /// Shows the entries that start at `address` or above, ascending, until `body` says that it has seen enough.
    func visit(from address: UInt64, _ body: (Entry) -> Bool) { visit(from: address, root, height, body) }

    /// An entry that `first...last` overlaps and does not hold entirely.
    func entry(cutBy first: UInt64, through last: UInt64) -> Entry? {
        if let below = self.last(startingUpTo: first), below.key < first, below.range.last >= first { return below }
        if let highest = self.last(startingUpTo: last), highest.range.last > last { return highest }
        return nil
    }

    mutating func insert(_ entry: Entry) {
        count += 1
        guard let sibling = insert(entry, into: root, height) else { return }
        let top = makeBlock(of: Child.self)
        top.insert(Child(key: DMATable.firstKey(of: root, height), node: root), at: 0)
        top.insert(sibling, at: 1)
        root = top.node
        height += 1
    }

    /// Removes the entries that start inside of `first...last`, and shows them, ascending.
    mutating func remove(_ first: UInt64, through last: UInt64, _ removed: (Entry) -> Void) {
        remove(first...last, from: root, height, removed)
        while height > 0, root.count <= 1 { dropLevel() }
    }

    mutating func removeAll() { self = DMATable() }
}

// MARK: Order

extension DMATable {
    /// Whether to go on.
    @discardableResult
    private func visit(from address: UInt64, _ node: DMANode, _ height: Int, _ body: (Entry) -> Bool) -> Bool {
        guard height > 0 else {
            let leaf = DMABlock<Entry>(node)
            for index in (address == 0 ? 0 : leaf.countUpTo(address - 1))..<leaf.count where !body(leaf[index]) { return false }
            return true
        }
        let children = DMABlock<Child>(node)
        for index in max(children.countUpTo(address), 1) - 1..<children.count
        where !visit(from: address, children[index].node, height - 1, body) { return false }
        return true
    }
}

// MARK: Insertion

extension DMATable {
    /// A block that was full gives half of itself to a new neighbour, which is returned.
    private mutating func insert(_ entry: Entry, into node: DMANode, _ height: Int) -> Child? {
        guard height > 0 else {
            let leaf = DMABlock<Entry>(node)
            return place(entry, at: leaf.countUpTo(entry.key), in: leaf)
        }
        let children = DMABlock<Child>(node)
        let index = max(children.countUpTo(entry.key), 1) - 1
        let sibling = insert(entry, into: children[index].node, height - 1)
        children[index].key = min(children[index].key, entry.key)
        guard let sibling else { return nil }
        return place(sibling, at: index + 1, in: children)
    }

    private mutating func place<Element>(_ element: Element, at index: Int, in block: DMABlock<Element>) -> Child? {
        guard block.count == DMABlock<Element>.capacity else {
            block.insert(element, at: index)
            return nil
        }
        let half = DMABlock<Element>.capacity / 2
        let sibling = makeBlock(of: Element.self)
        sibling.append(from: block, startingAt: half)
        if index <= half { block.insert(element, at: index) } else { sibling.insert(element, at: index - half) }
        return Child(key: sibling[0].key, node: sibling.node)
    }

    private mutating func makeBlock<Element>(of: Element.Type) -> DMABlock<Element> {
        memoryByteCount += DMABlock<Element>.byteCount
        return DMABlock()
    }

    private static func firstKey(of node: DMANode, _ height: Int) -> UInt64 {
        height > 0 ? DMABlock<Child>(node)[0].key : DMABlock<Entry>(node)[0].key
    }
}

// MARK: Removal

extension DMATable {
    private mutating func remove(_ keys: Keys, from node: DMANode, _ height: Int, _ removed: (Entry) -> Void) {
        guard height > 0 else { return remove(keys, from: DMABlock<Entry>(node), removed) }
        let children = DMABlock<Child>(node)
        let start = max(children.countUpTo(keys.lowerBound), 1) - 1
        let end = max(children.countUpTo(keys.upperBound), start)
        var kept = start
        for index in start..<end {
            let child = children[index].node
            remove(keys, from: child, height - 1, removed)
            if child.count == 0 {
                free(child, height - 1)
            } else {
                children[kept] = Child(key: DMATable.firstKey(of: child, height - 1), node: child)
                kept += 1
            }
        }
        children.remove(kept..<end)
        // All between the first and the last of them is gone: at most two are left that have lost something.
        for index in stride(from: start + 1, through: start - 1, by: -1) { joinNeighbours(at: index, in: children, height) }
    }

    private mutating func remove(_ keys: Keys, from leaf: DMABlock<Entry>, _ removed: (Entry) -> Void) {
        let start = keys.lowerBound == 0 ? 0 : leaf.countUpTo(keys.lowerBound - 1)
        let end = leaf.countUpTo(keys.upperBound)
        for index in start..<end { removed(leaf[index]) }
        leaf.remove(start..<end)
        count -= max(0, end - start)
    }

    /// Makes one of the children at `index` and behind it, if they are small; so too with those that become neighbours then.
    private mutating func joinNeighbours(at index: Int, in children: DMABlock<Child>, _ height: Int) {
        guard index >= 0, index + 1 < children.count else { return }
        let (left, right) = (children[index].node, children[index + 1].node)
        let seam = left.count - 1
        // The same number for entries and children: a block's capacity counts elements.
        guard left.count + right.count <= DMABlock<Entry>.capacity * 3 / 4 else { return }
        if height > 1 {
            DMABlock<Child>(left).append(from: DMABlock<Child>(right))
            joinNeighbours(at: seam, in: DMABlock<Child>(left), height - 1)
        } else {
            DMABlock<Entry>(left).append(from: DMABlock<Entry>(right))
        }
        children.remove(index + 1..<index + 2)
        free(right, height - 1)
    }

    /// A root with one child gives way to it, one without any to an empty leaf.
    private mutating func dropLevel() {
        let old = root
        if old.count == 1 {
            root = DMABlock<Child>(old)[0].node
            free(old, height)
            height -= 1
        } else {
            free(old, height)
            root = makeBlock(of: Entry.self).node
            height = 0
        }
    }

    /// One block, whatever it still names.
    private mutating func free(_ node: DMANode, _ height: Int) {
        memoryByteCount -= height > 0 ? DMABlock<Child>.byteCount : DMABlock<Entry>.byteCount
        node.free()
    }

    /// A block and all below it.
    private static func free(_ node: DMANode, _ height: Int) {
        if height > 0 {
            let children = DMABlock<Child>(node)
            for index in 0..<children.count { free(children[index].node, height - 1) }
        }
        node.free()
    }
}
