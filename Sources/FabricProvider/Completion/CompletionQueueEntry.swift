import CLibfabric
import Glibc
import LinuxIO
import MPIBridge

/// C functions of completion queues.
enum CompletionQueueEntry {
    private typealias Queue = FabricObject<CompletionQueue>

    /// Entries that a queue has room for, whatever less is asked for, and the most.
    private static let smallestSize = 4096, largestSize = 1 << 24

    static func open(
        _ domain: UnsafeMutablePointer<fid_domain>?, _ attributes: UnsafeMutablePointer<fi_cq_attr>?,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<fid_cq>?>?, _ context: UnsafeMutableRawPointer?
    ) -> Int32 {
        // SAFETY: pointers are checked; attributes are a whole structure, or NULL for what a provider likes (fi_cq_open(3)).
        guard let domain = unsafe FabricObject<OpenDomain>(fid: domain), let result = unsafe result else { return FabricError.invalid }
        let wishes = unsafe attributes?.pointee ?? fi_cq_attr()
        guard let entryByteCount = unsafe CompletionRecord.byteCount(of: wishes.format), unsafe wishes.size <= largestSize else {
            return FabricError.invalid
        }
        // SAFETY: numbers of a structure that was copied.
        let waitObject = unsafe wishes.wait_obj
        guard [FI_WAIT_NONE, FI_WAIT_UNSPEC, FI_WAIT_YIELD, FI_WAIT_FD].contains(waitObject) else { return FabricError.notImplemented }
        var view = unsafe fid_cq()
        unsafe view.fid.fclass = CompletionQueue.objectClass
        unsafe view.fid.context = context
        // SAFETY: the tables live as long as the process.
        unsafe view.fid.ops = fidOperations.pointer
        unsafe view.ops = operations.pointer
        let size = unsafe max(smallestSize, Int(wishes.size))
        let queue = Queue(
            unsafe CompletionQueue(
                view: view, domain: domain, lock: domain.state.lock, entryByteCount: entryByteCount, waitObject: waitObject,
                ring: CompletionRing(capacity: size)))
        if waitObject == FI_WAIT_FD {
            do throws(SystemCallError) {
                queue.state.waiter = try Waiter()
            } catch {
                queue.destroy()
                return FabricError.noDescriptor
            }
        }
        domain.state.lock.around { domain.state.children += 1 }
        // SAFETY: checked above.
        unsafe result.pointee = queue.view(as: fid_cq.self)
        return 0
    }

    static let fidOperations = unsafe FidOperations.table(
        close: { fid in
            // SAFETY: checked by class.
            guard let queue = unsafe Queue(fid: fid) else { return FabricError.invalid }
            let isFree = queue.state.lock.around { () -> Bool in
                guard queue.state.bindings == 0 else { return false }
                queue.state.domain.state.children -= 1
                return true
            }
            guard isFree else { return FabricError.busy }
            queue.destroy()
            return 0
        },
        control: { fid, command, argument in
            // SAFETY: checked by class.
            guard let queue = unsafe Queue(fid: fid) else { return FabricError.invalid }
            return unsafe WaitEntry.control(
                command, argument, waitObject: queue.state.waitObject,
                descriptor: queue.state.waitObject == FI_WAIT_FD ? queue.state.waiter?.number : nil)
        })

    static let operations: CFunctionTable<fi_ops_cq> = {
        // SAFETY: a C structure of function pointers; every one of them is set. Each function looks at what it is given:
        // queues by their class, memory as ``CompletionBuffer`` says.
        var operations = fi_ops_cq()
        operations.size = MemoryLayout<fi_ops_cq>.size
        unsafe operations.read = { queue, buffer, count in
            guard let queue = unsafe Queue(fid: queue),
                // SAFETY: as above.
                let buffer = unsafe CompletionBuffer(entries: buffer, count: Int(clamping: count), sources: nil)
            else { return Int(FabricError.invalid) }
            return queue.read(into: buffer)
        }
        // SAFETY: as above.
        unsafe operations.readfrom = { queue, buffer, count, sources in
            guard let queue = unsafe Queue(fid: queue),
                // SAFETY: as above.
                let buffer = unsafe CompletionBuffer(entries: buffer, count: Int(clamping: count), sources: sources)
            else { return Int(FabricError.invalid) }
            return queue.read(into: buffer)
        }
        // SAFETY: as above.
        unsafe operations.sread = { queue, buffer, count, _, timeout in
            guard let queue = unsafe Queue(fid: queue),
                let buffer = unsafe CompletionBuffer(entries: buffer, count: Int(clamping: count), sources: nil)
            else { return Int(FabricError.invalid) }
            guard queue.state.waitObject != FI_WAIT_NONE else { return Int(FabricError.notImplemented) }
            return queue.waitAndRead(into: buffer, timeoutMilliseconds: timeout)
        }
        // SAFETY: as above.
        unsafe operations.sreadfrom = { queue, buffer, count, sources, _, timeout in
            guard let queue = unsafe Queue(fid: queue),
                let buffer = unsafe CompletionBuffer(entries: buffer, count: Int(clamping: count), sources: sources)
            else { return Int(FabricError.invalid) }
            guard queue.state.waitObject != FI_WAIT_NONE else { return Int(FabricError.notImplemented) }
            return queue.waitAndRead(into: buffer, timeoutMilliseconds: timeout)
        }
        // SAFETY: as above.
        unsafe operations.readerr = { queue, entry, _ in
            guard let queue = unsafe Queue(fid: queue), let entry = unsafe entry else { return Int(FabricError.invalid) }
            guard let record = queue.takeError() else { return Int(FabricError.tryAgain) }
            unsafe store(record, into: entry, apiVersion: queue.state.domain.state.apiVersion)
            return 1
        }
        // SAFETY: as above.
        unsafe operations.signal = { queue in
            guard let queue = unsafe Queue(fid: queue) else { return FabricError.invalid }
            queue.state.lock.around {
                queue.state.isSignalled = true
                queue.state.waiter?.notify()
            }
            return 0
        }
        // SAFETY: the buffer has `length` bytes, or is NULL.
        unsafe operations.strerror = { _, number, _, buffer, length in unsafe ErrorText.transport(number, into: buffer, length: length) }
        return CFunctionTable(operations)
    }()

    private static func store(_ record: CompletionRecord, into entry: UnsafeMutablePointer<fi_cq_err_entry>, apiVersion: UInt32) {
        // SAFETY: the application's whole structure (fi_cq_readerr).
        unsafe entry.pointee.op_context = UnsafeMutableRawPointer(bitPattern: record.context)
        unsafe entry.pointee.flags = record.flags
        unsafe entry.pointee.len = record.byteCount
        unsafe entry.pointee.buf = UnsafeMutableRawPointer(bitPattern: record.buffer)
        unsafe entry.pointee.data = record.data
        unsafe entry.pointee.tag = record.tag
        // SAFETY: as above.
        unsafe entry.pointee.olen = record.truncated
        unsafe entry.pointee.err = record.error
        unsafe entry.pointee.prov_errno = record.detail
        // fi_cq(3): from API 1.5 on the application gives room for data about the error, of which there is none.
        if apiVersion >= unic_fi_version(1, 5) { unsafe entry.pointee.err_data_size = 0 }
    }
}
