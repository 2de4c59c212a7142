import CLibfabric
import Glibc
import MPIBridge

/// C functions of address vectors.
enum AddressVectorEntry {
    private typealias Vector = FabricObject<AddressVector>

    static func open(
        _ domain: UnsafeMutablePointer<fid_domain>?, _ attributes: UnsafeMutablePointer<fi_av_attr>?,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<fid_av>?>?, _ context: UnsafeMutableRawPointer?
    ) -> Int32 {
        // SAFETY: pointers are checked; attributes are a whole structure (fi_av_open(3)).
        guard let domain = unsafe FabricObject<OpenDomain>(fid: domain), let wishes = unsafe attributes,
            let result = unsafe result
        else { return FabricError.invalid }
        let attributes = unsafe wishes.pointee
        // SAFETY: a copy. Vectors that processes share, and insertion in the background, are not offered.
        guard unsafe attributes.name == nil, unsafe attributes.flags & (FI_EVENT | FI_READ) == 0 else { return FabricError.notImplemented }
        guard unsafe attributes.rx_ctx_bits == 0 else { return FabricError.invalid }
        // SAFETY: the tables live as long as the process.
        var view = unsafe fid_av()
        unsafe view.fid.fclass = AddressVector.objectClass
        unsafe view.fid.context = context
        unsafe view.fid.ops = fidOperations.pointer
        unsafe view.ops = operations.pointer
        // SAFETY: checked above. What was chosen: either kind is this one (fi_av(3), FI_AV_UNSPEC).
        if unsafe attributes.type == FI_AV_UNSPEC { unsafe wishes.pointee.type = FI_AV_TABLE }
        // SAFETY: a number of the application's; the result was checked.
        let vector = unsafe Vector(AddressVector(view: view, domain: domain, expectedCount: Int(clamping: attributes.count)))
        domain.state.lock.around { domain.state.children += 1 }
        unsafe result.pointee = vector.view(as: fid_av.self)
        return 0
    }

    static let fidOperations = unsafe FidOperations.table(
        close: { fid in
            // SAFETY: checked by class.
            guard let vector = unsafe Vector(fid: fid) else { return FabricError.invalid }
            let domain = vector.state.domain
            let isFree = domain.state.lock.around { () -> Bool in
                guard vector.state.bindings == 0 else { return false }
                domain.state.children -= 1
                return true
            }
            guard isFree else { return FabricError.busy }
            vector.destroy()
            return 0
        },
        bind: { vector, queue, _ in
            // SAFETY: checked by class. Insertions are done when their call returns: there is nothing to tell.
            unsafe Vector(fid: vector) == nil || FabricObject<EventQueue>(fid: queue) == nil ? FabricError.invalid : 0
        })

    static let operations: CFunctionTable<fi_ops_av> = {
        // SAFETY: a C structure of function pointers; every one of them is set. What is behind arguments is checked where they go.
        var operations = fi_ops_av()
        operations.size = MemoryLayout<fi_ops_av>.size
        unsafe operations.insert = { vector, addresses, count, numbers, flags, context in
            guard let vector = unsafe Vector(fid: vector), unsafe addresses != nil || count == 0 else { return FabricError.invalid }
            // SAFETY: as above.
            return unsafe insert(into: vector, addresses, count: count, numbers: numbers, flags: flags, context: context)
        }
        // SAFETY: these look at no argument.
        unsafe operations.insertsvc = { _, _, _, _, _, _ in FabricError.notImplemented }
        unsafe operations.insertsym = { _, _, _, _, _, _, _, _ in FabricError.notImplemented }
        unsafe operations.av_set = { _, _, _, _ in FabricError.notImplemented }
        // SAFETY: `count` numbers (fi_av_remove(3)).
        unsafe operations.remove = { vector, numbers, count, _ in
            guard let vector = unsafe Vector(fid: vector), let numbers = unsafe numbers else { return FabricError.invalid }
            return unsafe remove(UnsafeBufferPointer(start: numbers, count: count), from: vector)
        }
        // SAFETY: the length says how much room there is, and then how much there is to say (fi_av_lookup(3)).
        unsafe operations.lookup = { vector, number, buffer, length in
            guard let vector = unsafe Vector(fid: vector), let length = unsafe length else { return FabricError.invalid }
            guard let address = vector.state.domain.state.lock.around({ vector.state[number] }) else { return FabricError.noEntry }
            unsafe AddressBytes.copy(address.bytes, to: buffer, room: length.pointee)
            unsafe length.pointee = EndpointAddress.byteCount
            return 0
        }
        // SAFETY: the address has the 24 bytes of this format; the buffer as much room as the length says.
        unsafe operations.straddr = { _, address, buffer, length in
            guard let address = unsafe address, let length = unsafe length else { return unsafe UnsafePointer(buffer) }
            return unsafe describe(address, into: buffer, length: length)
        }
        return CFunctionTable(operations)
    }()

    /// fi_av_insert: returns how many could be inserted; the numbers of the others are FI_ADDR_NOTAVAIL, and with FI_SYNC_ERR the
    /// context is an array of errors.
    private static func insert(
        into vector: Vector, _ addresses: UnsafeRawPointer?, count: Int, numbers: UnsafeMutablePointer<UInt64>?, flags: UInt64,
        context: UnsafeMutableRawPointer?
    ) -> Int32 {
        // SAFETY: an array of `count` errors (fi_av(3), FI_SYNC_ERR).
        let errors = unsafe flags & FI_SYNC_ERR == 0 ? nil : context?.assumingMemoryBound(to: Int32.self)
        return vector.state.domain.state.lock.around {
            var inserted: Int32 = 0
            for index in 0..<count {
                // SAFETY: `count` addresses of 24 bytes, and as many numbers if the application wants them.
                let bytes = unsafe addresses.map {
                    unsafe UnsafeRawBufferPointer(start: $0 + index * EndpointAddress.byteCount, count: EndpointAddress.byteCount)
                }
                let address = unsafe bytes.flatMap { unsafe EndpointAddress(Array($0)) }
                let number = address.flatMap { vector.insert($0) }
                unsafe numbers?[index] = number ?? .max
                // SAFETY: as above.
                unsafe errors?[index] = number != nil ? 0 : address == nil ? -FabricError.invalid : -FabricError.noMemory
                if number != nil { inserted += 1 }
            }
            return inserted
        }
    }

    private static func remove(_ numbers: UnsafeBufferPointer<UInt64>, from vector: Vector) -> Int32 {
        vector.state.domain.state.lock.around {
            var result: Int32 = 0
            // SAFETY: the application's array for the call.
            for index in 0..<numbers.count {
                if unsafe !vector.remove(numbers[index]) { result = FabricError.invalid }
            }
            return result
        }
    }

    private static func describe(
        _ address: UnsafeRawPointer, into buffer: UnsafeMutablePointer<CChar>?, length: UnsafeMutablePointer<Int>
    ) -> UnsafePointer<CChar>? {
        // SAFETY: 24 bytes, as the caller knows.
        let bytes = unsafe Array(UnsafeRawBufferPointer(start: address, count: EndpointAddress.byteCount))
        let text = EndpointAddress(bytes)?.text ?? "fi_unic://?"
        // SAFETY: no more is written than there is room for; the length tells how much is needed (fi_av_straddr(3)).
        if let buffer = unsafe buffer, unsafe length.pointee > 0 { unsafe CText(text).copy(into: buffer, length: length.pointee) }
        unsafe length.pointee = text.utf8.count + 1
        return unsafe UnsafePointer(buffer)
    }
}

/// An address in the application's memory.
enum AddressBytes {
    /// Copies what there is room for.
    @unsafe static func copy(_ bytes: [UInt8], to buffer: UnsafeMutableRawPointer?, room: Int) {
        // SAFETY: the caller's promise: `room` bytes.
        guard let buffer = unsafe buffer, room > 0 else { return }
        unsafe buffer.copyMemory(from: bytes, byteCount: min(room, bytes.count))
    }
}

/// Numbers and peers stay together: an endpoint knows every address of its vector.
extension FabricObject where State == AddressVector {
    /// nil: there is no room, here or in one of the endpoints; then none of them knows the address by a number of this call.
    func insert(_ address: EndpointAddress) -> UInt64? {
        guard let number = state.insert(address) else { return nil }
        for endpoint in state.endpoints where !endpoint.state.learn(address, number: number) {
            _ = remove(number)
            return nil
        }
        return number
    }

    /// False: there was no such number.
    func remove(_ number: UInt64) -> Bool {
        guard let address = state.remove(number) else { return false }
        for endpoint in state.endpoints { endpoint.state.forget(address, number: number) }
        return true
    }
}
