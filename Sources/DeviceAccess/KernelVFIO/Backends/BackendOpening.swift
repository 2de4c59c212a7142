import DeviceMemory
import LinuxIO

/// Finds the backend that serves a function.
struct BackendOpening {
    let subject: VFIOSubject
    let request: BackendRequest
    let spaces: SharedAddressSpaces

    /// Everything that a backend gave.
    struct Opened: ~Copyable {
        let function: OpenFunction
        let choice: BackendChoice
        let subject: VFIOSubject
    }

    /// Tries the candidates in their order.
    func open() throws(DeviceError) -> Opened {
        guard subject.sysfs.exists else { throw subject.noFunction() }
        var refusals: [BackendRefusal] = []
        for backend in request.candidates {
            do { return try open(backend, passedOver: refusals) } catch {
                // A device that is gone, or open here, is so for each of them.
                if case .gone = error { throw error }
                if spaces.contains(subject) { throw subject.isOpenHere() }
                refusals.append(BackendRefusal(backend: backend, error: error))
            }
        }
        throw BackendOpening.failure(refusals, subject)
    }

    private func open(_ backend: IOMMUBackend, passedOver: [BackendRefusal]) throws(DeviceError) -> Opened {
        let group = backend == .noiommu ? try subject.checkNoIOMMUSetup() : try subject.checkSetup()
        var subject = subject
        subject.group = group
        if backend == .iommufd { try subject.checkIOMMUFD() }
        let known = subject
        let key = SharedAddressSpaces.Key(backend: backend, group: group, dev: subject.paths.dev)
        let members = subject.sysfs.siblings.filter { $0.driver.map(SysfsDevice.isVFIO) == true }.count + 1
        let function = try spaces.open(key, subject, memberCount: members) { () throws(DeviceError) -> any IOMMUAddressSpace in
            switch backend {
            case .iommufd: try IOMMUFDAddressSpace(known)
            case .type1: try Type1AddressSpace(group: group, known)
            case .noiommu: try NoIOMMUAddressSpace(group: group, known)
            }
        }
        let choice = BackendChoice(
            device: subject.url, backend: backend, nodes: function.space.nodes(subject), group: group, limits: function.limits,
            passedOver: passedOver)
        return Opened(function: function, choice: choice, subject: subject)
    }

    /// One error that tells all refusals, the one that is nearest to working first.
    static func failure(_ refusals: [BackendRefusal], _ subject: VFIOSubject) -> DeviceError {
        let texts = Set(refusals.map(\.error.description))
        if texts.count == 1, let only = refusals.first { return only.error }
        return .noBackend(device: subject.url, refusals: refusals.sorted { $0.error.isAbsence ? false : $1.error.isAbsence })
    }
}

extension DeviceError {
    /// The interface is not there at all: another one is more worth mending.
    var isAbsence: Bool {
        switch self {
        case .notFound: true
        case .systemCall(_, _, let cause, _):
            [.noSuchFileOrDirectory, .operationNotSupportedByDevice, .noSuchAddressOrDevice].contains(cause.errno)
        default: false
        }
    }
}
