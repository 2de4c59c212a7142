import DeviceMemory
import DeviceModel
import IOMMURelay
import NicRegisters
import VirtioModel

/// The function with its queue in memory, the core, and one endpoint's model space. The driver's side of the queue is as small as can
/// be: slot N is descriptors 2N and 2N + 1, and a request of its own.
struct RelayUnderTest: ~Copyable {
    private static let start: UInt64 = 0x4000_0000
    private static let size = 1024
    private static let endpoint: UInt32 = 8
    private static let domain: UInt32 = 1
    // Places in memory.
    private static let descriptors = 0
    private static let available = 16 << 10
    private static let used = 20 << 10
    private static let requests = 64 << 10
    private static let requestByteCount = 64
    private static let memoryByteCount = 128 << 10

    private let memory: DMAMemory
    private let space = DMASpace(maximumEntries: RelayLimits().mappings)
    private let guest = DMASpace()
    private let core = IOMMUCore()
    private let back: ModelBack
    private var function: VirtioIOMMUFunction
    private var index: UInt16 = 0

    init() throws {
        let memory = try DMAMemory.ordinary(byteCount: Self.memoryByteCount)
        let environment = try DeviceEnvironment(for: VirtioIOMMUFunction.functionDescription())
        guard let range = IOVARange(start: IOVA(Self.start), byteCount: UInt64(Self.memoryByteCount)) else {
            fatalError("a constant range")
        }
        try environment.dma.map(range, to: memory.window, access: .readWrite)
        try guest.map(range, to: memory.window, access: .readWrite)
        let back = ModelBack(endpoint: Self.endpoint, space: space, guest: guest, source: core)
        try core.add(endpoint: Self.endpoint, group: "one", back: back)
        let function = try VirtioIOMMUFunction(handler: core, environment: environment, offersIndirect: false)
        self.memory = memory
        self.back = back
        self.function = function
        environment.writeConfig(at: 4, bytes: [6, 0])
        self.function.configWritten(at: 4, byteCount: 2)
        initialise()
        guard core.begin(.attach(endpoint: Self.endpoint, domain: Self.domain, flags: 0)) == .done(.ok) else { fatalError("no attach") }
    }

    private mutating func initialise() {
        typealias Common = Virtio.Common
        write(1, at: Common.deviceStatus.offset, 1)
        write(3, at: Common.deviceStatus.offset, 1)
        let wanted: VirtioFeatures = [.version1, .eventIndex, .iommuMapUnmap, .iommuProbe]
        for half in UInt64(0)..<2 {
            write(half, at: Common.driverFeatureSelect.offset, 4)
            write(wanted.rawValue >> (32 * half) & 0xffff_ffff, at: Common.driverFeature.offset, 4)
        }
        write(11, at: Common.deviceStatus.offset, 1)
        write(0, at: Common.queueSelect.offset, 2)
        write(UInt64(Self.size), at: Common.queueSize.offset, 2)
        let parts = [
            (Common.queueDescriptors.offset, Self.descriptors), (Common.queueDriver.offset, Self.available),
            (Common.queueDevice.offset, Self.used),
        ]
        for (offset, place) in parts {
            write((Self.start + UInt64(place)) & 0xffff_ffff, at: offset, 4)
            write(0, at: offset + 4, 4)
        }
        write(1, at: Common.queueEnable.offset, 2)
        write(15, at: Common.deviceStatus.offset, 1)
    }

    private mutating func write(_ value: UInt64, at offset: Int, _ byteCount: Int) {
        function.writeRegion(VirtioPlace.bar, at: UInt64(VirtioPlace.common + offset), value, byteCount: byteCount)
    }

    private func put(_ descriptor: Virtio.SplitDescriptor, at place: Int) {
        memory.window.store64(descriptor.word0, at: place)
        memory.window.store64(descriptor.word1, at: place + 8)
    }

    // MARK: Requests

    mutating func map(_ pages: ArraySlice<Int>) {
        typealias Layout = VirtioIOMMULayout.Map
        send(pages, VirtioIOMMULayout.RequestType.map.rawValue, Layout.byteCount) { window, at in
            window.store64(Self.start, at: at + Layout.physical)
            window.store32(Layout.readFlag | Layout.writeFlag, at: at + Layout.flags)
        }
    }

    mutating func unmap(_ pages: ArraySlice<Int>) {
        typealias Layout = VirtioIOMMULayout.Unmap
        send(pages, VirtioIOMMULayout.RequestType.unmap.rawValue, Layout.byteCount) { window, at in
            window.store32(0, at: at + Layout.reserved)
        }
    }

    /// The two kinds have domain, first and last at the same places.
    private mutating func send(_ pages: ArraySlice<Int>, _ type: UInt8, _ byteCount: Int, _ rest: (MemoryWindow, Int) -> Void) {
        typealias Layout = VirtioIOMMULayout.Map
        let window = memory.window
        for page in pages {
            let slot = Int(index) & 255
            let at = Self.requests + Self.requestByteCount * slot
            window.store32(UInt32(type), at: at)
            window.store32(Self.domain, at: at + Layout.domain)
            window.store64(UInt64(page) << 12, at: at + Layout.first)
            window.store64(UInt64(page) << 12 + 4095, at: at + Layout.last)
            rest(window, at)
            window.store8(0xff, at: at + byteCount)
            put(
                .init(address: Self.start + UInt64(at), byteCount: UInt32(byteCount), flags: .next, next: UInt16(2 * slot + 1)),
                at: Self.descriptors + 32 * slot)
            put(.init(address: Self.start + UInt64(at + byteCount), byteCount: 4, flags: .write), at: Self.descriptors + 32 * slot + 16)
            window.store16(UInt16(2 * slot), at: Self.available + Virtio.SplitRing.availableEntries + 2 * (Int(index) & (Self.size - 1)))
            index &+= 1
        }
        DeviceBarrier.publishToDevice()
        window.store16(index, at: Self.available + Virtio.SplitRing.availableIndex)
        while window.load16(at: Self.used + Virtio.SplitRing.usedIndex) != index {
            guard function.progress() else { fatalError("the queue was stopped: \(function.counters)") }
        }
        guard window.load8(at: Self.requests + Self.requestByteCount * (Int(index &- 1) & 255) + byteCount) == 0 else {
            fatalError("a request was refused")
        }
    }

    // MARK: Apart from the queue

    func mapDirectly(page: Int) {
        let first = UInt64(page) << 12
        let request = IOMMURequest.map(
            domain: Self.domain, first: first, last: first + 4095, physical: GuestPhysicalAddress(Self.start), flags: 3)
        guard core.begin(request) == .done(.ok) else { fatalError("not mapped") }
    }

    func translate(page: Int) {
        guard space.translate(IOVA(UInt64(page) << 12), byteCount: 64, access: .read) != nil else { fatalError("not there") }
    }
}
