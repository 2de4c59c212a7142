import DeviceMemory
import Foundation
import LinuxIO
import SystemPackage
import Testing

@testable import DeviceAccess

/// Which backends are tried, and what is told when none serves. Real ones are in the lab.
@Suite("Choosing a backend") struct BackendOpeningTests {
    private let address = PCIAddress(bus: 1, device: 0, function: 0)!

    private func refusal(_ tree: FakeTree, _ request: BackendRequest = BackendRequest()) throws -> DeviceError {
        let paths = tree.paths
        let error = #expect(throws: DeviceError.self) {
            try KernelVFIODevice(url: "vfio:0000:01:00.0", address: address, request: request, paths: paths)
        }
        return try #require(error)
    }

    private func bound(cdev: Bool) throws -> FakeTree {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        try tree.makeDirectory("sys/bus/pci/devices/0000:01:00.0/vfio-dev/vfio3")
        if cdev { try tree.write("sys/bus/pci/devices/0000:01:00.0/vfio-dev/vfio3/dev", "249:3\n") }
        return tree
    }

    @Test("iommufd, then type1; no IOMMU only if allowed or named")
    func order() {
        #expect(BackendRequest().candidates == [.iommufd, .type1])
        #expect(BackendRequest(allowsNoIOMMU: true).candidates == [.iommufd, .type1, .noiommu])
        for backend in IOMMUBackend.allCases { #expect(BackendRequest(named: backend, allowsNoIOMMU: true).candidates == [backend]) }
    }

    @Test("what is wrong for all is told once")
    func once() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "e1000e", group: "7")
        let text = try refusal(tree).description
        #expect(text.components(separatedBy: "driver_override").count == 2, "\(text)")
        #expect(!text.contains("Nor by"))
    }

    @Test("a kernel without device files: type1's refusal comes first, then why not iommufd")
    func noCdev() throws {
        let tree = try bound(cdev: false)
        try tree.write("dev/vfio/vfio", "")
        let text = try refusal(tree).description
        #expect(text.contains("VFIO_GET_API_VERSION") && text.contains("(VFIO by type1.) Nor by iommufd: "), "\(text)")
        #expect(text.contains("CONFIG_VFIO_DEVICE_CDEV"), "\(text)")
    }

    @Test("a named backend is the only one that is tried", arguments: [IOMMUBackend.iommufd, .type1])
    func named(backend: IOMMUBackend) throws {
        let text = try refusal(bound(cdev: true), BackendRequest(named: backend)).description
        #expect(!text.contains("Nor by"))
        #expect(text.contains(backend == .iommufd ? "dev/iommu" : "dev/vfio/vfio"), "\(text)")
    }

    @Test("files that are not the kernel's: the call and its errno, for both backends")
    func notTheKernels() throws {
        let tree = try bound(cdev: true)
        try tree.makeDirectory("dev/vfio/devices")
        for path in ["dev/iommu", "dev/vfio/vfio", "dev/vfio/devices/vfio3"] { try tree.write(path, "") }
        let text = try refusal(tree).description
        #expect(text.contains("IOMMU_IOAS_ALLOC") && text.contains("VFIO_GET_API_VERSION") && text.contains("errno 25"), "\(text)")
    }

    @Test("without an IOMMU: a device that has one is refused, one that has none is told how to get the mode")
    func noIOMMU() throws {
        let request = BackendRequest(named: .noiommu)
        #expect(try refusal(bound(cdev: true), request).description.contains("has an IOMMU (group 7)"))
        let groupless = try FakeTree()
        try groupless.add("0000:01:00.0", driver: "vfio-pci")
        #expect(try refusal(groupless, request).description.contains("enable_unsafe_noiommu_mode"))
        let unbound = try FakeTree()
        try unbound.add("0000:01:00.0", driver: "e1000e")
        #expect(try refusal(unbound, request).description.contains("driver_override"))
    }

    @Test("a group that vfio made up: how to say that it is meant, and its own file when it is")
    func madeUpGroup() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "0")
        try tree.write("sys/kernel/iommu_groups/0/name", "vfio-noiommu\n")
        #expect(try refusal(tree).description.contains("iommu=noiommu or --allow-noiommu"))
        let text = try refusal(tree, BackendRequest(allowsNoIOMMU: true)).description
        #expect(text.contains("dev/vfio/vfio failed") && text.contains("Nor by"), "\(text)")
    }

    @Test("a device that is used without an IOMMU is warned of, others are not")
    func warnings() throws {
        for backend in IOMMUBackend.allCases {
            let choice = BackendChoice(
                device: "vfio:a", backend: backend, nodes: ["/dev/x"], group: "7",
                limits: DMALimits(windows: [], pageSizes: 4096, maximumMappings: 3), passedOver: [])
            #expect(choice.warnings.isEmpty == (backend != .noiommu))
            #expect(choice.warnings.allSatisfy { $0.contains("WITHOUT AN IOMMU") && $0.contains("all of this machine's memory") })
        }
    }

    @Test("the choice tells files, group, windows and what was passed over")
    func description() throws {
        let subject = VFIOSubject(url: "vfio:a", address: address, group: "7", paths: KernelPaths())
        let error = subject.cannotOpenIOMMU(SystemCallError(call: "open", subject: "/dev/iommu", errno: .noSuchFileOrDirectory))
        let window = try #require(IOVARange(first: 0, last: 0x7f_ffff_ffff))
        let choice = BackendChoice(
            device: "vfio:a", backend: .type1, nodes: ["/dev/vfio/7", "/dev/vfio/vfio"], group: "7",
            limits: DMALimits(windows: [window], pageSizes: 0x20_1000, maximumMappings: 65535),
            passedOver: [BackendRefusal(backend: .iommufd, error: error)])
        for part in [
            "VFIO by type1 (/dev/vfio/7, /dev/vfio/vfio, IOMMU group 7)", "0x0…0x7fffffffff", "65535 mappings", "not iommufd",
            "modprobe iommufd",
        ] { #expect(choice.description.contains(part), "\(choice)") }
    }
}
