import CLibfabric
import Glibc
import MPIBridge

/// C functions of endpoints: opening, binding, enabling, closing.
enum EndpointEntry {
    private typealias Endpoint = FabricObject<OpenEndpoint>

    static func open(
        _ domain: UnsafeMutablePointer<fid_domain>?, _ info: UnsafeMutablePointer<fi_info>?,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<fid_ep>?>?, _ context: UnsafeMutableRawPointer?
    ) -> Int32 {
        // SAFETY: pointers are checked; the information is a whole structure (fi_endpoint(3)).
        guard let domain = unsafe FabricObject<OpenDomain>(fid: domain), let info = unsafe info, let result = unsafe result else {
            return FabricError.invalid
        }
        let wishes = unsafe InfoHints(info.pointee)
        guard let type = wishes.endpoint?.type, [FI_EP_RDM, FI_EP_UNSPEC, FI_EP_DGRAM].contains(type) else { return FabricError.invalid }
        // SAFETY: the tables live as long as the process.
        var view = unsafe fid_ep()
        unsafe view.fid.fclass = OpenEndpoint.objectClass
        unsafe view.fid.context = context
        unsafe view.fid.ops = fidOperations.pointer
        unsafe view.ops = EndpointOptionsEntry.operations.pointer
        unsafe view.cm = EndpointNameEntry.operations.pointer
        unsafe view.msg = MessageEntry.operations.pointer
        // SAFETY: as above.
        unsafe view.rma = RemoteMemoryEntry.operations.pointer
        unsafe view.tagged = TaggedEntry.operations.pointer
        unsafe view.atomic = AtomicEntry.operations.pointer
        unsafe view.collective = UnsupportedEndpointTables.collective.pointer
        let settings = EndpointSettings(
            transmitFlags: wishes.transmit?.opFlags ?? 0, receiveFlags: wishes.receive?.opFlags ?? 0)
        // SAFETY: as above; the result was checked.
        let endpoint = unsafe Endpoint(
            OpenEndpoint(
                view: view, domain: domain, lock: domain.state.lock, isDatagram: type == FI_EP_DGRAM,
                directsReceives: wishes.caps & FI_DIRECTED_RECV != 0, reportsAccesses: wishes.caps & FI_RMA_EVENT != 0, settings: settings))
        domain.state.lock.around { domain.state.children += 1 }
        unsafe result.pointee = endpoint.view(as: fid_ep.self)
        return 0
    }

    // SAFETY: function pointers; each function checks what it is given.
    static let fidOperations = unsafe FidOperations.table(
        close: { fid in
            // SAFETY: checked by class.
            guard let endpoint = unsafe Endpoint(fid: fid) else { return FabricError.invalid }
            endpoint.state.lock.around {
                // A child of the process that opened the port shares its descriptors, and leaves them alone.
                if !endpoint.state.isEnabled || endpoint.state.owner == getpid() { endpoint.letSleepersGo() }
                endpoint.shutDown()
                endpoint.unbind()
                endpoint.state.domain.state.children -= 1
            }
            endpoint.destroy()
            return 0
        },
        bind: { fid, other, flags in
            // SAFETY: checked by class, both.
            guard let endpoint = unsafe Endpoint(fid: fid) else { return FabricError.invalid }
            // Others of the domain may read the queue or the counter meanwhile.
            return endpoint.state.lock.around {
                guard !endpoint.state.isEnabled else { return FabricError.badState }
                // SAFETY: as above.
                if let queue = unsafe FabricObject<CompletionQueue>(fid: other) { return endpoint.bind(queue, flags: flags) }
                if let vector = unsafe FabricObject<AddressVector>(fid: other) { return endpoint.bind(vector) }
                if let counter = unsafe FabricObject<EventCounter>(fid: other) { return endpoint.bind(counter, flags: flags) }
                return unsafe FabricObject<EventQueue>(fid: other) != nil ? 0 : FabricError.invalid
            }
        },
        control: { fid, command, argument in
            // SAFETY: checked by class.
            guard let endpoint = unsafe Endpoint(fid: fid) else { return FabricError.invalid }
            switch Int(command) {
            case Int(FI_ENABLE): return endpoint.state.lock.around { endpoint.enable() }
            case Int(FI_GETOPSFLAG), Int(FI_SETOPSFLAG):
                // SAFETY: a number of 64 bits (fi_control(3)).
                guard let flags = unsafe argument?.assumingMemoryBound(to: UInt64.self) else { return FabricError.invalid }
                let sets = command == Int32(FI_SETOPSFLAG)
                return unsafe endpoint.exchangeFlags(&flags.pointee, sets: sets)
            default: return FabricError.notImplemented
            }
        })
}
