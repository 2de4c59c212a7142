import DeviceMemory

/// Regions that are met in turn, as a ring and its buffers are.
func countTranslations(regions: Int, rounds: Int) throws {
    let memory = try DMAMemory.ordinary(byteCount: 4096)
    let space = DMASpace()
    // Others around them: what is not remembered has to be searched.
    for index in 0..<1000 { try space.map(page(index), to: memory.window, access: .readWrite) }
    var found = 0
    for round in 0..<rounds {
        let start = page(round % regions * 97).start
        if space.translate(IOVA(start.rawValue + UInt64(round & 1023)), byteCount: 64, access: .read) != nil { found += 1 }
    }
    precondition(found == rounds)
    print("translate \(regions) \(found)")
}
