import DeviceAccess
import DeviceMemory
import DeviceModel
import LinuxIO
import NicDriver
import NicModels

/// Whoever takes a NIC model in: a device in this process, or a server.
protocol ModelHost {
    associatedtype Hosted
    func host<Model: DeviceModel & ~Copyable>(
        _ model: consuming Model, in environment: DeviceEnvironment
    ) throws(SystemCallError) -> Hosted
    /// What the model sees of memory.
    func makeDMASpace() -> DMASpace
}

extension ModelHost {
    func makeDMASpace() -> DMASpace { DMASpace() }
}

/// The NIC models that `soft:` URLs name.
enum NamedModel: String, CaseIterable {
    case e1000e
    case igbvf
    case virtioNet = "virtio-net"

    /// For messages.
    var explanation: String {
        switch self {
        case .e1000e: "e1000e (Intel 82574L)"
        case .igbvf: "igbvf (a virtual function of the Intel 82576)"
        case .virtioNet: "virtio-net (virtio 1.x, with queues=N, packed=on and mtu=N)"
        }
    }

    /// Parameters of its own.
    var parameterNames: [String] { self == .virtioNet ? ["queues", "packed", "mtu"] : [] }
}

extension DeviceURL {
    /// The model that a `soft:` URL asks for; the URL was judged before.
    private var model: NamedModel { parameters["nic"].flatMap(NamedModel.init(rawValue:)) ?? .e1000e }

    private var virtioNetOptions: VirtioNetOptions {
        VirtioNetOptions(
            pairs: parameters["queues"].flatMap { Int($0) } ?? 1, offersPackedRings: parameters["packed"] == "on",
            mtu: parameters["mtu"].flatMap { Int($0) } ?? VirtioNetOptions.maximumMTU)
    }

    /// The function as this URL wants it.
    private func described(_ function: FunctionDescription) -> FunctionDescription {
        parameters["msix"] == "off" ? function.withoutMSIX : function
    }

    /// Joins the wire, makes the model with its address, and gives it to its host. The one place that makes wires: the kind
    /// is chosen here, and models are compiled for each.
    /// - Parameter device: whose name errors carry.
    func makeModel<Host: ModelHost>(for host: Host, device: String) throws(DeviceError) -> (hosted: Host.Hosted, address: MACAddress) {
        let address: WireAddress
        do { address = try WireAddress(location) } catch { throw .notFound(device: device, reason: error.reason, fix: error.fix) }
        func join<W: Wire>(_ make: () throws(WireError) -> W) throws(DeviceError) -> W {
            do throws(WireError) { return try make() } catch {
                throw .notUsable(device: device, group: nil, reason: "its wire \(location) could not be joined", fix: error.description)
            }
        }
        switch address {
        case .sharedMemory(let name):
            let wire = try join { () throws(WireError) in try SharedMemoryWire(name: name) }
            if let faulty = try faultyModel(on: wire, for: host, device: device) { return faulty }
            return try makeModel(on: wire, for: host, device: device)
        case .tap(let interface):
            let wire = try join { () throws(WireError) in try DescriptorWire(tap: interface) }
            if let faulty = try faultyModel(on: wire, for: host, device: device) { return faulty }
            return try makeModel(on: wire, for: host, device: device)
        case .udp(let local, let peer):
            let wire = try join { () throws(WireError) in try DescriptorWire(udp: local, peer: peer) }
            if let faulty = try faultyModel(on: wire, for: host, device: device) { return faulty }
            return try makeModel(on: wire, for: host, device: device)
        }
    }

    /// The model with the faults that the URL asks for in front of its wire; nil: it asks for none.
    private func faultyModel<Host: ModelHost>(
        on wire: any Wire, for host: Host, device: String
    ) throws(DeviceError) -> (hosted: Host.Hosted, address: MACAddress)? {
        guard let faults = WireFaults(parameters: parameters) else { return nil }
        let faulty: FaultyWire
        do { faulty = try FaultyWire(wire, faults: faults) } catch {
            throw .systemCall(device: device, group: nil, cause: error, fix: "Free some memory.")
        }
        return try makeModel(on: faulty, for: host, device: device)
    }

    /// Inlined, so that hosts get models of one wire's kind, compiled as such.
    @inline(__always)
    private func makeModel<W: Wire, Host: ModelHost>(
        on wire: W, for host: Host, device: String
    ) throws(DeviceError) -> (hosted: Host.Hosted, address: MACAddress) {
        let address = parameters["mac"].flatMap(DeviceURL.stationAddress) ?? GeneratedAddress.make()
        do throws(SystemCallError) {
            switch model {
            case .e1000e:
                let environment = try DeviceEnvironment(for: described(E1000EModel<W>.functionDescription), dma: host.makeDMASpace())
                let model = try E1000EModel(wire: wire, macAddress: address.bits, environment: environment)
                return (try host.host(model, in: environment), address)
            case .igbvf:
                let environment = try DeviceEnvironment(for: described(IgbvfModel<W>.functionDescription), dma: host.makeDMASpace())
                let model = try IgbvfModel(wire: wire, macAddress: address.bits, environment: environment)
                return (try host.host(model, in: environment), address)
            case .virtioNet:
                let options = virtioNetOptions
                let environment = try DeviceEnvironment(
                    for: described(VirtioNetModel<W>.functionDescription(options)), dma: host.makeDMASpace())
                let model = try VirtioNetModel(wire: wire, macAddress: address.bits, options: options, environment: environment)
                return (try host.host(model, in: environment), address)
            }
        } catch {
            throw .systemCall(
                device: device, group: nil, cause: error, fix: "Free some memory, or raise the limit of open files (ulimit -n).")
        }
    }

    /// What is wrong with the parameters of a model; nil: nothing.
    static func judgeModel(_ parameters: [String: String]) -> (reason: String, fix: String)? {
        let name = parameters["nic"] ?? NamedModel.e1000e.rawValue
        guard let model = NamedModel(rawValue: name) else {
            let known = NamedModel.allCases.map(\.explanation).joined(separator: ", ")
            return ("there is no NIC model '\(name)'", "Known are: \(known).")
        }
        for foreign in NamedModel.virtioNet.parameterNames where parameters[foreign] != nil && !model.parameterNames.contains(foreign) {
            return ("the model \(name) has no parameter '\(foreign)'", "Leave it out, or say nic=virtio-net.")
        }
        if let text = parameters["queues"], !(1...VirtioNetOptions.maximumPairs).contains(Int(text) ?? 0) {
            return ("'\(text)' is no number of queue pairs", "Give 1 to \(VirtioNetOptions.maximumPairs), for example queues=4.")
        }
        if let text = parameters["packed"], text != "on", text != "off" {
            return ("packed is neither on nor off but '\(text)'", "Say packed=on for packed rings.")
        }
        if let text = parameters["msix"], text != "on", text != "off" {
            return ("msix is neither on nor off but '\(text)'", "Say msix=off for a function without MSI-X.")
        }
        let mtus = VirtioNetOptions.minimumMTU...VirtioNetOptions.maximumMTU
        if let text = parameters["mtu"], !mtus.contains(Int(text) ?? 0) {
            return ("'\(text)' is no MTU of this model", "Give \(mtus.lowerBound) to \(mtus.upperBound), for example mtu=1500.")
        }
        return nil
    }
}
