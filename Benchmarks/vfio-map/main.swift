import DeviceAccess
import DeviceMemory
import LinuxIO

// What VFIO's MAP_DMA and UNMAP_DMA take for a PCI function that is bound to vfio-pci, through group and container (type 1).
//
//     vfio-map ADDRESS REPETITIONS      prints a line of JSON for each kind of memory: microseconds, median and minimum
//
// Scattered memory is in ordinary pages that were touched in random order: `runs` says in how many physical pieces.

let words = CommandLine.arguments.dropFirst()
guard words.count == 2, let address = words.first.flatMap({ PCIAddress($0) }), let repetitions = words.last.flatMap({ Int($0) }),
    repetitions > 0
else { fatalError("vfio-map ADDRESS REPETITIONS") }
let device = try KernelVFIODevice(url: "vfio:\(address)", address: address, request: BackendRequest(named: .type1))

try time("4 KiB", scattered(byteCount: 4096), repetitions, device)
try time("64 KiB scattered", scattered(byteCount: 64 << 10), repetitions, device)
let huge = try HugepageAllocator().allocate(byteCount: 2 << 20, preference: .pages(.huge2MiB)).takeMemory()
guard huge.pageSize == .huge2MiB else { fatalError("no hugepage is free") }
try time("2 MiB hugepage", huge, repetitions, device)
try time("2 MiB scattered", scattered(byteCount: 2 << 20), max(repetitions / 5, 1), device)

func time(_ name: String, _ memory: borrowing DMAMemory, _ repetitions: Int, _ device: KernelVFIODevice) throws {
    let first = IOVA(1 << 32)
    guard let range = IOVARange(start: first, byteCount: UInt64(memory.byteCount)) else { fatalError("a constant range") }
    let runs = try physicalRuns(of: memory)
    var maps: [UInt64] = []
    var unmaps: [UInt64] = []
    for round in -3..<repetitions {
        let start = MonotonicClock.nanoseconds()
        try device.map(memory, at: first, access: .readWrite)
        let middle = MonotonicClock.nanoseconds()
        try device.unmap(range)
        let end = MonotonicClock.nanoseconds()
        guard round >= 0 else { continue }
        maps.append(middle - start)
        unmaps.append(end - middle)
    }
    print(
        "{\"memory\":\"\(name)\",\"runs\":\(runs),\"map_median\":\(median(maps)),\"map_min\":\(least(maps)),"
            + "\"unmap_median\":\(median(unmaps)),\"unmap_min\":\(least(unmaps))}")
}

func median(_ values: [UInt64]) -> Double { Double(values.sorted()[values.count / 2]) / 1000 }
func least(_ values: [UInt64]) -> Double { Double(values.min() ?? 0) / 1000 }

func scattered(byteCount: Int) throws -> DMAMemory {
    let file = try MemoryFile.create(name: "vfio-map", byteCount: byteCount)
    let pages = try MappedPages(sharing: file, byteCount: byteCount, subject: "vfio-map")
    let memory = DMAMemory(file: file, fileOffset: 0, pages: pages, pageSize: .base)
    for page in Array(0..<byteCount / 4096).shuffled() { memory.window.store8(1, at: page * 4096) }
    return memory
}

/// /proc/self/pagemap: 8 bytes for each 4 KiB of addresses, bits 0 to 54 are the page's number
/// (Documentation/admin-guide/mm/pagemap.rst).
func physicalRuns(of memory: borrowing DMAMemory) throws -> Int {
    let count = memory.byteCount / 4096
    let at = Int64(clamping: memory.processAddress / 4096 * 8)
    let pagemap = try OwnedDescriptor.open("/proc/self/pagemap", flags: 0)
    let bytes = try pagemap.read(byteCount: count * 8, at: at, subject: "/proc/self/pagemap")
    guard bytes.count == count * 8 else { fatalError("pagemap is too short") }
    let numbers = stride(from: 0, to: bytes.count, by: 8).map { at -> UInt64 in
        let entry = bytes[at..<at + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        return entry & 0x7f_ffff_ffff_ffff
    }
    return 1 + zip(numbers, numbers.dropFirst()).count { $1 != $0 + 1 }
}
