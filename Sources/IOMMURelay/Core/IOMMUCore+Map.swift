import DeviceMemory

// MAP and UNMAP. virtio 1.3 §5.13.6.3 and §5.13.6.4. The table is the journal of what mappers hold: a mapping stands in it before
// the first mapper is asked, and until the last one has let it go.

/// A mapping goes to one mapper of its domain after the other.
struct MapWork {
    let domain: GuestDomain
    /// One mapping, or neighbours.
    let addresses: ClosedRange<IOVA>
    var index: Int
    var walk: MapperWalk
}

/// Mappings go from the mapper at `index` and from all before it.
struct UnmapWork {
    let domain: GuestDomain
    let addresses: ClosedRange<IOVA>
    let cuts: AreaCuts
    var index: Int
    /// nil: the mapper at `index` was not asked yet.
    var walk: MapperWalk?
    /// What is answered when all is gone.
    let status: IOMMUStatus
}

extension IOMMUCore {
    func map(
        _ id: UInt32, first: UInt64, last: UInt64, _ physical: GuestPhysicalAddress, _ flags: UInt32, _ request: IOMMURequest
    ) -> IOMMUProgress {
        let status = admit(id, first: first, last: last, physical, flags)
        guard status == .ok, let domain = domain(id) else { return .done(status) }
        if let range = IOVARange(first: first, last: last), let mapper = domain.plainMapper(for: range) {
            let mapping = IOVAMapping(range: range, physical: physical, access: DMAAccess(rawValue: flags))
            return map(mapping, in: domain, at: mapper, request)
        }
        return carryOut(domain, IOVA(first)...IOVA(last), request)
    }

    /// One piece for the only mapper, as most requests of models are: no walk.
    private func map(
        _ mapping: IOVAMapping, in domain: GuestDomain, at mapper: any HostMapper, _ request: IOMMURequest
    ) -> IOMMUProgress {
        hostCalls.maps &+= 1
        do throws(HostMapperError) {
            try mapper.map(mapping)
            return .done(.ok)
        } catch {
            let status = error.mapStatus
            note(request, status, "\(error)")
            return removed(domain, mapping.range.addresses, status)
        }
    }

    /// What is in the table goes to all mappers.
    func carryOut(_ domain: GuestDomain, _ addresses: ClosedRange<IOVA>, _ request: IOMMURequest) -> IOMMUProgress {
        guard let mapper = domain.mappers.first?.mapper else { return .done(.ok) }
        return go(on: MapWork(domain: domain, addresses: addresses, index: 0, walk: MapperWalk(mapper, addresses)), request)
    }

    /// Judges a MAP. When it is OK the mapping is in the table.
    func admit(_ id: UInt32, first: UInt64, last: UInt64, _ physical: GuestPhysicalAddress, _ flags: UInt32) -> IOMMUStatus {
        // VIRTIO_IOMMU_MAP_F_READ and _WRITE are the bits of DMAAccess. _MMIO is not offered. A mapping that permits nothing is
        // refused: the kernel's VFIO has none either (VFIO_IOMMU_MAP_DMA wants a flag), and not mapped means the same.
        let access = DMAAccess(rawValue: flags)
        guard DMAAccess.readWrite.isSuperset(of: access), !access.isEmpty else { return .invalid }
        guard let domain = domain(id) else { return .noEntry }
        guard !domain.isBypass else { return .invalid }
        // One page granule less than 2^64 is the most that one mapping can be: its length is a number of 64 bits.
        guard let range = IOVARange(first: first, last: last), isAligned(range, physical),
            physical.advanced(by: range.byteCount - 1) != nil,
            configuration.inputRange.contains(first), configuration.inputRange.contains(last)
        else { return .range }
        guard !domain.reserved.contains(where: { $0.overlaps(range) }) else { return .invalid }
        guard !domain.table.overlaps(range) else { return .invalid }
        guard mappingCount < limits.mappings, range.byteCount <= limits.mappedBytes, mappedByteCount <= limits.mappedBytes - range.byteCount
        else { return .noMemory }

        guard domain.table.insert(IOVAMapping(range: range, physical: physical, access: access)) else {
            preconditionFailure("nothing overlapped it")
        }
        mappingCount += 1
        mappedByteCount += range.byteCount
        return .ok
    }

    private func isAligned(_ range: IOVARange, _ physical: GuestPhysicalAddress) -> Bool {
        let granule = configuration.pageSizeMask & (0 &- configuration.pageSizeMask)
        return (range.start.rawValue | (range.last &+ 1) | physical.rawValue) & (granule - 1) == 0
    }

    func go(on previous: MapWork, _ request: IOMMURequest) -> IOMMUProgress {
        var work = previous
        var budget = StepBudget(calls: limits.callsInAStep)
        while true {
            do throws(HostMapperError) {
                try work.walk.map(work.domain.table, joined: work.domain.areas, &budget, &hostCalls)
            } catch {
                let status = error.mapStatus
                if run == nil { note(request, status, "\(error)") }
                return undo(work, status, request)
            }
            guard work.walk.isDone else { return working(.map(work), request) }
            work.index += 1
            guard work.index < work.domain.mappers.count else { return .done(.ok) }
            work.walk = MapperWalk(work.domain.mappers[work.index].mapper, work.addresses)
        }
    }

    /// Gives up a MAP that is under way, if one is: nobody waits for it any more. What of it was carried out goes again, at once
    /// or in the steps to come.
    func abandon() {
        guard let job, case .map(let work) = job.work else { return }
        self.job = nil
        _ = counted(undo(work, .ioError, job.request), job.request)
    }

    /// The mapping goes from where it already is.
    private func undo(_ work: MapWork, _ status: IOMMUStatus, _ request: IOMMURequest) -> IOMMUProgress {
        let addresses = work.addresses
        var index = work.index
        var walk = MapperWalk(work.walk.mapper, addresses)
        if let next = work.walk.next, next > addresses.lowerBound {
            walk = MapperWalk(work.walk.mapper, addresses.lowerBound...IOVA(next.rawValue - 1))
        } else {
            index -= 1
            guard index >= 0 else { return removed(work.domain, addresses, status) }
            walk = MapperWalk(work.domain.mappers[index].mapper, addresses)
        }
        return go(
            on: UnmapWork(domain: work.domain, addresses: addresses, cuts: AreaCuts(), index: index, walk: walk, status: status), request)
    }
}

extension IOMMUCore {
    func unmap(_ id: UInt32, first: UInt64, last: UInt64, _ request: IOMMURequest) -> IOMMUProgress {
        guard let domain = domain(id) else { return .done(.noEntry) }
        guard !domain.isBypass else { return .done(.invalid) }
        guard first <= last else { return .done(.range) }
        let addresses = IOVA(first)...IOVA(last)
        if lazyUnmap == nil, let one = domain.table.mapping(holding: addresses.lowerBound), one.range.addresses == addresses,
            let mapper = domain.plainMapper(for: one.range)
        {
            hostCalls.unmaps &+= 1
            mapper.unmap(one.range)
            return removed(domain, addresses, .ok)
        }
        guard domain.table.mapping(cutBy: addresses) == nil else { return .done(.range) }
        return remove(domain, addresses, request)
    }

    /// What is inside of the addresses goes. Nothing in the table is cut by them.
    func remove(_ domain: GuestDomain, _ addresses: ClosedRange<IOVA>, _ request: IOMMURequest) -> IOMMUProgress {
        guard !domain.mappers.isEmpty, domain.table.first(overlapping: addresses) != nil else { return removed(domain, addresses, .ok) }
        if putOff(domain, addresses) { return .done(.ok) }
        let cuts = domain.cutAreas(addresses)
        return go(
            on: UnmapWork(domain: domain, addresses: addresses, cuts: cuts, index: domain.mappers.count - 1, walk: nil, status: .ok),
            request)
    }

    func go(on previous: UnmapWork, _ request: IOMMURequest) -> IOMMUProgress {
        var work = previous
        var budget = StepBudget(calls: limits.callsInAStep)
        guard carryOn(&work, &budget, work.domain.table, request) else { return working(.unmap(work), request) }
        return removed(work.domain, work.addresses, work.status)
    }

    /// False: there is more to do than the budget permits.
    func carryOn(
        _ work: inout UnmapWork, _ budget: inout StepBudget, _ table: borrowing MappingTable, _ request: IOMMURequest?
    ) -> Bool {
        while work.index >= 0 {
            // Whatever was split leaves the rest to an ordinary walk. A mapper that failed is none of the domain's any more.
            let mapper = work.domain.mappers[work.index].mapper
            if var walk = work.walk ?? split(work, mapper, request).map({ MapperWalk(mapper, $0) }) {
                walk.unmap(table, &budget, &hostCalls)
                work.walk = walk
                guard walk.isDone else { return false }
            }
            work.walk = nil
            work.index -= 1
        }
        return true
    }

    /// No mapper holds what is there any more.
    func removed(_ domain: GuestDomain, _ addresses: ClosedRange<IOVA>, _ status: IOMMUStatus) -> IOMMUProgress {
        _ = domain.cutAreas(addresses)
        var (count, byteCount) = (0, UInt64(0))
        domain.table.removeMappings(startingIn: addresses) {
            count += 1
            byteCount += $0.range.byteCount
        }
        mappingCount -= count
        mappedByteCount -= byteCount
        return .done(status)
    }
}

extension HostMapperError {
    /// What the driver is told of a MAP that the host did not carry out.
    var mapStatus: IOMMUStatus {
        switch self {
        case .noMemory: .noMemory
        // Guest addresses outside of what the host can map are numbers out of range (§5.13.6.3 calls them so).
        case .notMappable: .range
        case .failed: .deviceError
        }
    }

    /// Of an ATTACH. Numbers of it are in range; INVAL is what Linux takes for "not this device in this domain" and tries another one.
    var attachStatus: IOMMUStatus {
        switch self {
        case .noMemory: .noMemory
        case .notMappable: .invalid
        case .failed: .deviceError
        }
    }
}
