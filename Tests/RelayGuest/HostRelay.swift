import DeviceAccess
import DeviceMemory
import DeviceModel
import Glibc
import HostBack
import IOMMURelay
import LinuxIO
import VfioUser

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func require(_ isTrue: Bool, _ what: @autoclosure () -> String) throws(Failure) { if !isTrue { throw Failure(what()) } }

/// An IOMMU function and two functions of this machine behind it, at sockets, on one thread.
final class HostRelay {
    private let loop: ServerLoop
    private var status: [StatusSocket] = []

    /// What one host device brings.
    private struct Endpoint {
        let device: KernelVFIODevice
        let back: any EndpointBack
    }

    init(_ backend: String, directory: String, addresses: [String]) throws {
        let environment = try DeviceEnvironment(for: VirtioIOMMUFunction.functionDescription())
        let between = Between()
        let (endpoints, memoryChanged) = try HostRelay.open(backend, addresses, guest: environment.dma) { between.loop?.serveOthers() }
        let limits = endpoints.map(\.device.dmaLimits)
        let configuration = IOMMUConfiguration(limits: limits)
        let core = IOMMUCore(configuration: configuration)
        for (index, endpoint) in endpoints.enumerated() {
            let reserved = ReservedWindow.windows(of: limits[index], in: configuration)
            try core.add(endpoint: UInt32(index), group: endpoint.device.group, reserved: reserved, back: endpoint.back)
        }
        let iommu = try VfioUserServer(
            model: try VirtioIOMMUFunction(handler: core, environment: environment), environment: environment,
            socketPath: "\(directory)/iommu")
        iommu.clientMemoryChanged = memoryChanged
        var functions: [any ServedFunction] = [iommu]
        for (index, endpoint) in endpoints.enumerated() {
            let function = try PassthroughFunction(endpoint.device)
            let functionEnvironment = function.environment
            // The IOMMU function's connection shows all of the guest's memory.
            functions.append(
                try VfioUserServer(
                    model: function, environment: functionEnvironment, clientMemory: DMASpace(), socketPath: "\(directory)/nic\(index)"))
        }
        for (name, function) in zip(["iommu", "nic0", "nic1"], functions) {
            let control = function.control
            status.append(try StatusSocket(beside: "\(directory)/\(name)") { Array("\(control.statistics.messages)".utf8) })
        }
        loop = try ServerLoop(functions, options: ServerOptions())
        between.loop = loop
        for endpoint in endpoints { print(endpoint.device.backendChoice) }
    }

    /// Whose other functions are served between pieces.
    private final class Between { weak var loop: ServerLoop? }

    private static func open(
        _ backend: String, _ addresses: [String], guest: DMASpace, betweenPieces: @escaping () -> Void
    ) throws -> ([Endpoint], () -> Void) {
        let names = try addresses.map { text in
            guard let address = PCIAddress(text) else { throw Failure("\(text) is no PCI address") }
            return (url: "vfio:\(text)", address: address)
        }
        guard backend == "iommufd" else {
            var groups: [String: (space: Type1AddressSpace, group: Type1Group<Type1AddressSpace>)] = [:]
            let endpoints = try names.map { name in
                let number = try Type1AddressSpace.groupNumber(url: name.url, address: name.address)
                let known =
                    try groups[number]
                    ?? {
                        let space = try Type1AddressSpace(url: name.url, address: name.address)
                        let group = Type1Group(space: space, guest: guest)
                        group.betweenPieces = betweenPieces
                        return (space, group)
                    }()
                groups[number] = known
                return Endpoint(
                    device: try KernelVFIODevice(url: name.url, address: name.address, space: known.space),
                    back: Type1Back(group: known.group))
            }
            return (endpoints, { [groups] in for one in groups.values { one.group.guestMemoryChanged() } })
        }
        let context = try IOMMUFDContext(url: names[0].url, address: names[0].address)
        let domains = IOMMUFDDomains<IOAS>(guest: guest) { () throws(DeviceError) in try context.makeAddressSpace() }
        domains.betweenPieces = betweenPieces
        let endpoints = try names.map { name in
            let device = try KernelVFIODevice(url: name.url, address: name.address, context: context)
            return Endpoint(device: device, back: IOMMUFDBack(device: device, domains: domains))
        }
        return (endpoints, { domains.guestMemoryChanged() })
    }

    func serve() throws {
        try loop.serve {
            print("ready")
            _ = fflush(nil)
        }
    }
}
