import CLibfabric
import Glibc
import MPIBridge

/// C functions of memory regions.
enum MemoryRegionEntry {
    private typealias Region = FabricObject<MemoryRegion>

    static let operations: CFunctionTable<fi_ops_mr> = {
        // SAFETY: a C structure of function pointers; every one of them is set. What is behind arguments is checked.
        var operations = fi_ops_mr()
        operations.size = MemoryLayout<fi_ops_mr>.size
        unsafe operations.reg = { domain, address, byteCount, access, offset, key, flags, result, context in
            guard let domain = unsafe FabricObject<OpenDomain>(fid: domain), offset == 0 else { return FabricError.invalid }
            // SAFETY: as above.
            return unsafe register(
                UInt(bitPattern: address), byteCount, access: access, key: key, flags: flags, in: domain, result: result, context: context)
        }
        // SAFETY: one piece of memory, as the limit mr_iov_limit says.
        unsafe operations.regv = { domain, pieces, count, access, offset, key, flags, result, context in
            guard let domain = unsafe FabricObject<OpenDomain>(fid: domain), offset == 0, count == 1, let piece = unsafe pieces?.pointee
            else { return FabricError.invalid }
            // SAFETY: as above.
            return unsafe register(
                UInt(bitPattern: piece.iov_base), piece.iov_len, access: access, key: key, flags: flags, in: domain, result: result,
                context: context)
        }
        // SAFETY: a whole structure (fi_mr_regattr(3)). `iface` means nothing without FI_HMEM, which is not offered.
        unsafe operations.regattr = { domain, attributes, flags, result in
            guard let domain = unsafe FabricObject<OpenDomain>(fid: domain), let attributes = unsafe attributes?.pointee,
                unsafe attributes.offset == 0, unsafe attributes.iov_count == 1, let piece = unsafe attributes.mr_iov?.pointee
            else { return FabricError.invalid }
            // SAFETY: as above.
            return unsafe register(
                UInt(bitPattern: piece.iov_base), piece.iov_len, access: attributes.access, key: attributes.requested_key, flags: flags,
                in: domain, result: result, context: attributes.context)
        }
        return CFunctionTable(operations)
    }()

    private static func register(
        _ address: UInt, _ byteCount: Int, access: UInt64, key: UInt64, flags: UInt64, in domain: FabricObject<OpenDomain>,
        result: UnsafeMutablePointer<UnsafeMutablePointer<fid_mr>?>?, context: UnsafeMutableRawPointer?
    ) -> Int32 {
        // SAFETY: checked.
        guard let result = unsafe result, byteCount >= 0, !address.addingReportingOverflow(UInt(byteCount)).overflow else {
            return FabricError.invalid
        }
        var remote: RegionAccess = []
        if access & FI_REMOTE_READ != 0 { remote.insert(.remoteRead) }
        if access & FI_REMOTE_WRITE != 0 { remote.insert(.remoteWrite) }
        // SAFETY: the table lives as long as the process.
        var view = unsafe fid_mr()
        unsafe view.fid.fclass = MemoryRegion.objectClass
        unsafe view.fid.context = context
        unsafe view.fid.ops = fidOperations.pointer
        unsafe view.key = key
        return domain.state.lock.around {
            if !remote.isEmpty {
                guard domain.state.regions[key] == nil else { return FabricError.noKey }
                guard domain.state.regions.count < OpenDomain.regionLimit else { return FabricError.noMemory }
            }
            // SAFETY: memory that the application lends until it closes the region.
            let region = unsafe Region(
                MemoryRegion(view: view, domain: domain, address: address, byteCount: byteCount, key: key, access: remote))
            if !remote.isEmpty, !domain.announce(region) {
                region.destroy()
                return FabricError.noMemory
            }
            domain.state.children += 1
            // SAFETY: checked above. The descriptor of local memory is not needed: nothing is looked at there.
            unsafe result.pointee = region.view(as: fid_mr.self)
            return 0
        }
    }

    static let fidOperations = unsafe FidOperations.table(
        close: { fid in
            // SAFETY: checked by class.
            guard let region = unsafe Region(fid: fid) else { return FabricError.invalid }
            let domain = region.state.domain
            domain.state.lock.around {
                if !region.state.access.isEmpty { domain.withdraw(region) }
                domain.state.children -= 1
                region.state.writeCounter?.state.bindings -= 1
            }
            region.destroy()
            return 0
        },
        // fi_mr_bind: a counter of peers' writes; an endpoint need not be bound.
        bind: { region, other, flags in
            // SAFETY: checked by class.
            guard let region = unsafe Region(fid: region) else { return FabricError.invalid }
            if unsafe FabricObject<OpenEndpoint>(fid: other) != nil { return 0 }
            // SAFETY: as above.
            guard let counter = unsafe FabricObject<EventCounter>(fid: other) else { return FabricError.notImplemented }
            return region.bind(counter, flags: flags)
        },
        control: { region, command, _ in
            // SAFETY: checked by class. fi_mr_enable: a region is always enabled.
            guard unsafe Region(fid: region) != nil else { return FabricError.invalid }
            return command == Int32(FI_ENABLE) ? 0 : FabricError.notImplemented
        })
}

extension FabricObject where State == MemoryRegion {
    fileprivate func bind(_ counter: FabricObject<EventCounter>, flags: UInt64) -> Int32 {
        guard counter.state.domain == state.domain else { return FabricError.otherDomain }
        guard flags == FI_REMOTE_WRITE else { return FabricError.badFlags }
        return state.domain.state.lock.around {
            guard state.writeCounter == nil else { return FabricError.invalid }
            state.writeCounter = counter
            counter.state.countsRegions = true
            counter.state.bindings += 1
            return 0
        }
    }
}

extension FabricObject where State == OpenDomain {
    /// Makes a region known to every endpoint. False: one of them has no room for it.
    fileprivate func announce(_ region: FabricObject<MemoryRegion>) -> Bool {
        for (index, endpoint) in state.endpoints.enumerated() where !endpoint.state.register(region) {
            for earlier in state.endpoints[..<index] { earlier.state.unregister(region) }
            return false
        }
        state.regions[region.state.key] = region
        return true
    }

    fileprivate func withdraw(_ region: FabricObject<MemoryRegion>) {
        state.regions[region.state.key] = nil
        for endpoint in state.endpoints { endpoint.state.unregister(region) }
    }
}
