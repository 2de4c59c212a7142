import DeviceMemory

// What it costs a device model to reach guest memory, and a client to reach a model.
//
//     dma-path translate REGIONS ROUNDS    looks addresses up in so many regions in turn, for callgrind
//     dma-path table COUNT                 times of the table with COUNT mappings, and the memory that it takes
//     dma-path socket busy|blocking PATH   round trips over a vfio-user socket at PATH, each end a thread of this program
//     dma-path floor busy|blocking         round trips of the same system calls alone, as a C program makes them

let words = CommandLine.arguments.dropFirst()
switch (words.first, words.count) {
case ("translate", 3): try countTranslations(regions: number(words, 1), rounds: number(words, 2))
case ("table", 2): try timeTable(count: number(words, 1))
case ("socket", 3): try timeSocket(isBusy: words.dropFirst().first == "busy", path: words.last ?? "")
case ("floor", 2): try timeFloor(isBusy: words.last == "busy")
default: fatalError("dma-path translate REGIONS ROUNDS | table COUNT | socket busy|blocking PATH | floor busy|blocking")
}

func number(_ words: ArraySlice<String>, _ index: Int) -> Int {
    guard let value = Int(words[words.startIndex + index]), value > 0 else { fatalError("\(words) holds no number at \(index)") }
    return value
}

/// A page of each two.
func page(_ index: Int) -> IOVARange {
    guard let range = IOVARange(start: IOVA(UInt64(index) << 13), byteCount: 4096) else { fatalError("page \(index)") }
    return range
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
