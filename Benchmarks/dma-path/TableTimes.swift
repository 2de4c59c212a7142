import DeviceMemory
import LinuxIO

/// Nanoseconds of one map, translate and unmap at random places while `count` mappings live, and bytes of memory a mapping.
func timeTable(count: Int) throws {
    let memory = try DMAMemory.ordinary(byteCount: 4096)
    let window = memory.window
    var order = Array(0..<count)
    order.shuffle()
    let before = try residentByteCount()
    let space = DMASpace(maximumEntries: count)
    for index in order { try space.map(page(index), to: window, access: .readWrite) }
    let resident = try residentByteCount() - before

    var maps: [Double] = [], translations: [Double] = [], unmaps: [Double] = []
    let batch = min(count / 2, 2000)
    for _ in 0..<101 {
        order.shuffle(upTo: batch)
        let some = order[..<batch]
        var found = 0
        translations.append(
            time(batch) {
                for index in some where space.translate(page(index).start, byteCount: 64, access: .read) != nil { found += 1 }
            })
        var removed = 0
        unmaps.append(time(batch) { for index in some { removed += space.unmap(page(index))?.count ?? 0 } })
        precondition(found == batch && removed == batch)
        maps.append(try time(batch) { for index in some { try space.map(page(index), to: window, access: .readWrite) } })
    }
    precondition(space.count == count)
    let bytes = space.tableByteCount
    guard let everything = IOVARange(first: 0, last: .max - 1) else { fatalError("the whole space") }
    let whole = time(count) { precondition(space.unmap(everything)?.count == count) }
    print(
        """
        {"map":\(median(maps)),"translate":\(median(translations)),"unmap":\(median(unmaps)),"unmap_whole":\(whole),\
        "bytes":\(Double(bytes) / Double(count)),"resident":\(Double(resident) / Double(count))}
        """)
}

/// Nanoseconds of each of `count`.
private func time(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
    let start = MonotonicClock.nanoseconds()
    try body()
    return Double(MonotonicClock.nanoseconds() - start) / Double(count)
}

/// proc(5), statm: pages of the process that are in memory.
private func residentByteCount() throws -> Int {
    let fields = try readSmallFile("/proc/self/statm").split(separator: " ")
    return (Int(fields[1]) ?? 0) * 4096
}

extension [Int] {
    /// Puts random elements first.
    fileprivate mutating func shuffle(upTo end: Int) { for index in 0..<end { swapAt(index, Int.random(in: index..<count)) } }
}
