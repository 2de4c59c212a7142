import DeviceMemory
import LinuxIO
import SystemPackage
import Testing

@testable import DeviceAccess

/// Each refusal of a call, as the kernel words it by errno, becomes a message with a fix.
@Suite("What refusals of VFIO's calls say") struct VFIOSubjectTests {
    private func subject(_ paths: KernelPaths = KernelPaths(sys: "/nowhere", dev: "/nowhere", proc: "/nowhere")) -> VFIOSubject {
        VFIOSubject(url: "vfio:0000:01:00.0", address: PCIAddress(bus: 1, device: 0, function: 0)!, group: "7", paths: paths)
    }

    private func cause(_ call: String, _ errno: Errno) -> SystemCallError {
        SystemCallError(call: call, subject: "something", errno: errno)
    }

    private func expect(_ error: DeviceError, has parts: [String], _ location: SourceLocation = #_sourceLocation) {
        let text = error.description
        for part in ["vfio:0000:01:00.0"] + parts { #expect(text.contains(part), "\(part) is not in: \(text)", sourceLocation: location) }
    }

    @Test("a group that is open elsewhere: by whom")
    func busy() throws {
        let tree = try FakeTree()
        try tree.makeDirectory("proc/4242/fd")
        try tree.makeDirectory("proc/self-made/fd")
        try tree.write("proc/4242/comm", "qemu\n")
        try tree.link("proc/4242/fd/9", to: tree.paths.group("7"))
        try tree.link("proc/self-made/fd/9", to: tree.paths.group("7"))
        let error = subject(tree.paths).cannotOpenGroup(cause("open", .resourceBusy), path: tree.paths.group("7"))
        expect(error, has: ["IOMMU group 7", "open of", "errno 16", "by qemu (pid 4242). End that process"])
        #expect(!error.description.contains("self-made"))
    }

    @Test("a group that is open elsewhere, unseen: how root sees it")
    func busyUnseen() throws {
        let tree = try FakeTree()
        expect(subject(tree.paths).cannotOpenGroup(cause("open", .resourceBusy), path: tree.paths.group("7")), has: ["fuser -v"])
    }

    @Test("no permission for the group's file: whose it is and what to change")
    func permission() throws {
        let tree = try FakeTree()
        try tree.write("dev/vfio/7", "")
        let path = tree.paths.group("7")
        let owner = try FileOwner.of(path)
        let error = subject(tree.paths).cannotOpenGroup(cause("open", .permissionDenied), path: path)
        expect(error, has: ["errno 13", "user \(owner.user), group \(owner.group), mode 600", "chown USER \(path)", "udev rule"])
    }

    @Test("no file for the group: where it comes from")
    func noGroupFile() {
        expect(
            subject().cannotOpenGroup(cause("open", .noSuchFileOrDirectory), path: "/dev/vfio/7"), has: ["errno 2", "CONFIG_VFIO_GROUP"])
    }

    @Test("not viable: each sibling that holds it back, with its driver and its commands, and no other")
    func notViable() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        try tree.add("0000:01:00.1", driver: "e1000e", group: "7")
        try tree.add("0000:01:01.0", driver: "snd_hda_intel", group: "7")
        try tree.add("0000:00:1c.0", driver: "pcieport", group: "7")
        try tree.add("0000:01:02.0", group: "7")
        let error = subject(tree.paths).notViable()
        expect(
            error,
            has: [
                "IOMMU group 7", "not viable", "0000:01:00.1 (driver e1000e), 0000:01:01.0 (driver snd_hda_intel)",
                "echo 0000:01:00.1 > /sys/bus/pci/devices/0000:01:00.1/driver/unbind", "echo 0000:01:01.0 > /sys/bus/pci/drivers_probe",
            ])
        #expect(!error.description.contains("1c.0") && !error.description.contains("01:02.0"))
    }

    @Test("not viable without such a sibling: somebody else has the group")
    func claimed() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        expect(subject(tree.paths).notViable(), has: ["not viable", "iommufd", "fuser"])
    }

    @Test("SET_CONTAINER refused as the kernels word it: not viable, with the call", arguments: [Errno.notPermitted, .resourceBusy])
    func setContainer(errno: Errno) throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        try tree.add("0000:01:00.1", driver: "e1000e", group: "7")
        let error = subject(tree.paths).cannotSetContainer(cause("VFIO_GROUP_SET_CONTAINER", errno))
        expect(error, has: ["VFIO_GROUP_SET_CONTAINER", "errno \(errno.rawValue)", "0000:01:00.1 (driver e1000e)"])
    }

    @Test("SET_IOMMU with EPERM: interrupt remapping, or allow_unsafe_interrupts")
    func unsafeInterrupts() {
        expect(
            subject().cannotSetIOMMU(cause("VFIO_SET_IOMMU", .notPermitted)),
            has: [
                "IOMMU group 7", "VFIO_SET_IOMMU", "errno 1)", "remap", "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
            ])
    }

    @Test(
        "no container file, or no right to it: what to do",
        arguments: [(Errno.noSuchFileOrDirectory, "modprobe"), (.permissionDenied, "chmod 666")])
    func container(errno: Errno, fix: String) {
        expect(subject().cannotOpenContainer(cause("open", errno)), has: ["IOMMU group 7", "errno \(errno.rawValue)", fix])
    }

    @Test("calls on the device name their errno and a fix")
    func device() {
        expect(
            subject().cannotGetDevice(cause("VFIO_GROUP_GET_DEVICE_FD", .operationNotSupportedByDevice)),
            has: ["errno 19", "driver_override"])
        expect(subject().cannotGetDevice(cause("VFIO_GROUP_GET_DEVICE_FD", .resourceBusy)), has: ["errno 16", "same slot"])
        expect(subject().cannotReset(cause("VFIO_DEVICE_RESET", .resourceTemporarilyUnavailable)), has: ["errno 11", "Another function"])
        expect(subject().cannotSetInterrupts(cause("VFIO_DEVICE_SET_IRQS", .noSpace)), has: ["errno 28", "use fewer"])
    }

    // MARK: DMA

    private let limits = DMALimits(windows: [IOVARange(first: 0x10_0000, last: 0xfed_ffff)!], pageSizes: 0x20_1000, maximumMappings: 5)

    private func mapping(_ errno: Errno, at first: UInt64 = 0x20_0000, byteCount: UInt64 = 0x2000, limit: UInt64? = 65536) throws
        -> DeviceError
    {
        let range = try #require(IOVARange(start: IOVA(first), byteCount: byteCount))
        return subject().cannotMap(range, limits: limits, lockedMemoryLimit: limit, cause("VFIO_IOMMU_MAP_DMA", errno))
    }

    @Test("ENOMEM: the limit now and what is wanted")
    func locked() throws {
        expect(
            try mapping(.noMemory),
            has: [
                "8192 bytes at IOVA 0x200000", "VFIO_IOMMU_MAP_DMA in IOMMU group 7", "errno 12", "RLIMIT_MEMLOCK, which is 64 KiB",
                "8 KiB more", "ulimit -l unlimited",
            ])
        expect(try mapping(.noMemory, limit: nil), has: ["which is unlimited", "out of memory"])
    }

    @Test("ENOSPC: dma_entry_limit")
    func entries() throws { expect(try mapping(.noSpace), has: ["errno 28", "dma_entry_limit", "5 were free"]) }

    @Test("EEXIST: overlap")
    func overlap() throws { expect(try mapping(.fileExists), has: ["errno 17", "overlaps"]) }

    @Test("EFAULT: memory that cannot be pinned")
    func unpinnable() throws { expect(try mapping(.badAddress), has: ["errno 14", "cannot be pinned"]) }

    @Test("EINVAL: alignment of IOVA and size, then the window, then the memory")
    func invalid() throws {
        expect(try mapping(.invalidArgument, at: 0x20_0800), has: ["errno 22", "page of 4096 bytes", "Align both"])
        expect(try mapping(.invalidArgument, byteCount: 0x2001), has: ["Align both"])
        expect(try mapping(.invalidArgument, at: 0x1000_0000), has: ["outside of what the IOMMU maps: 0x100000…0xfedffff"])
        expect(try mapping(.invalidArgument, at: 0xfed_f000), has: ["outside"])
        expect(try mapping(.invalidArgument), has: ["memory's address"])
    }

    @Test("unmapping nothing, a part, or across a mapping's edge says which")
    func unmap() throws {
        let range = try #require(IOVARange(start: IOVA(0x20_0000), byteCount: 0x2000))
        expect(
            subject().unmappedOther(range, byteCount: 0, call: "VFIO_IOMMU_UNMAP_DMA"),
            has: ["8192 bytes at IOVA 0x200000", "IOMMU group 7", "nothing is mapped"])
        expect(subject().unmappedOther(range, byteCount: 4096, call: "IOMMU_IOAS_UNMAP"), has: ["only 4096 bytes"])
        expect(subject().cannotUnmap(range, cause("VFIO_IOMMU_UNMAP_DMA", .invalidArgument)), has: ["errno 22", "split a mapping"])
    }

    // MARK: iommufd

    @Test("BIND_IOMMUFD with EPERM and nobody else in the group: interrupt remapping, by iommufd's own parameter")
    func bindUnsafe() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        let error = subject(tree.paths).cannotBind(cause("VFIO_DEVICE_BIND_IOMMUFD", .notPermitted), path: "/dev/vfio/devices/vfio0")
        expect(error, has: ["errno 1)", "remap", "\(tree.paths.sys)/module/iommufd/parameters/allow_unsafe_interrupts"])
    }

    @Test(
        "a function of the group that is open elsewhere is told by its process, whatever errno the kernel chose",
        arguments: [Errno.notPermitted, .resourceBusy, .invalidArgument])
    func bindBusy(errno: Errno) throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        try tree.add("0000:01:00.1", driver: "vfio-pci", group: "7")
        try tree.makeDirectory("sys/bus/pci/devices/0000:01:00.1/vfio-dev/vfio5")
        try tree.makeDirectory("proc/4242/fd")
        try tree.write("proc/4242/comm", "qemu\n")
        try tree.link("proc/4242/fd/9", to: tree.paths.deviceNode("vfio5"))
        let error = subject(tree.paths).cannotBind(cause("VFIO_DEVICE_BIND_IOMMUFD", errno), path: tree.paths.deviceNode("vfio0"))
        expect(error, has: ["errno \(errno.rawValue))", "in use: by qemu (pid 4242)"])
        expect(subject(tree.paths).cannotOpenGroup(cause("open", .resourceBusy), path: tree.paths.group("7")), has: ["by qemu (pid 4242)"])
    }

    @Test("EPERM where unsafe interrupts are allowed already, with a kernel's driver in the group: not viable")
    func bindNotViable() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        try tree.add("0000:01:00.1", driver: "e1000e", group: "7")
        try tree.makeDirectory("sys/module/iommufd/parameters")
        try tree.write("sys/module/iommufd/parameters/allow_unsafe_interrupts", "Y\n")
        let error = subject(tree.paths).cannotBind(cause("VFIO_DEVICE_BIND_IOMMUFD", .notPermitted), path: "/dev/vfio/devices/vfio0")
        expect(error, has: ["not viable", "0000:01:00.1 (driver e1000e)"])
    }

    @Test("/dev/iommu and the device's own file: which is missing or may not be opened")
    func nodes() {
        expect(subject().cannotOpenIOMMU(cause("open", .noSuchFileOrDirectory)), has: ["modprobe iommufd", "/nowhere/iommu"])
        expect(subject().cannotOpenIOMMU(cause("open", .permissionDenied)), has: ["chown USER /nowhere/iommu"])
        let path = "/dev/vfio/devices/vfio0"
        expect(subject().cannotOpenDeviceNode(cause("open", .permissionDenied), path: path), has: ["chown USER \(path)"])
        expect(subject().cannotOpenDeviceNode(cause("open", .operationNotSupportedByDevice), path: path), has: ["is gone"])
        expect(subject().cannotAttach(cause("VFIO_DEVICE_ATTACH_IOMMUFD_PT", .addressInUse)), has: ["open this one first"])
    }

    @Test("IOMMU_IOAS_UNMAP of nothing")
    func unmapNothing() throws {
        let range = try #require(IOVARange(start: IOVA(0x20_0000), byteCount: 0x2000))
        expect(subject().cannotUnmap(range, cause("IOMMU_IOAS_UNMAP", .noSuchFileOrDirectory)), has: ["errno 2", "nothing is mapped"])
    }
}
