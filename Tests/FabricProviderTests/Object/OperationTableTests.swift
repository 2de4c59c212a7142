import CLibfabric
import Testing

@testable import FabricProvider

/// A NULL in a table would be jumped to by libfabric's inline functions.
@Suite struct OperationTableTests {
    /// The table's words: its size, then functions.
    private func words<Table>(_ table: CFunctionTable<Table>) -> [UInt] {
        // SAFETY: a table is never given back; it is made of words.
        unsafe Array(UnsafeRawBufferPointer(start: table.pointer, count: MemoryLayout<Table>.size).bindMemory(to: UInt.self))
    }

    private func check<Table>(_ table: CFunctionTable<Table>) {
        #expect(!words(table).contains(0), "\(Table.self)")
        #expect(words(table).first == UInt(MemoryLayout<Table>.size), "\(Table.self)")
    }

    @Test func everyFunctionIsThere() {
        check(TaggedEntry.operations)
        check(MessageEntry.operations)
        check(RemoteMemoryEntry.operations)
        check(AtomicEntry.operations)
        check(UnsupportedEndpointTables.collective)
        check(EndpointOptionsEntry.operations)
        check(EndpointNameEntry.operations)
        check(MemoryRegionEntry.operations)
        check(DomainEntry.operations)
        check(FabricEntry.operations)
        check(AddressVectorEntry.operations)
        check(CompletionQueueEntry.operations)
        check(EventCounterEntry.operations)
        check(EventQueueEntry.operations)
        for table in [
            EndpointEntry.fidOperations, DomainEntry.fidOperations, FabricEntry.fidOperations, AddressVectorEntry.fidOperations,
            CompletionQueueEntry.fidOperations, EventCounterEntry.fidOperations, EventQueueEntry.fidOperations,
            MemoryRegionEntry.fidOperations,
        ] { check(table) }
    }

    @Test func anObjectOfAnotherClassIsNone() {
        var stranger = unsafe fid()
        unsafe stranger.fclass = OpenDomain.objectClass
        // SAFETY: a whole `fid`, of which the class is read.
        let taken = unsafe withUnsafeMutablePointer(to: &stranger) { pointer in
            unsafe [FabricObject<OpenFabric>(fid: pointer) != nil, FabricObject<OpenEndpoint>(fid: pointer) != nil]
        }
        #expect(taken == [false, false])
        let null = unsafe FabricObject<CompletionQueue>(fid: nil) == nil
        #expect(null)
    }

    /// libfabric finds its structure where the object begins.
    @Test func anObjectBeginsWithItsFid() {
        var view = unsafe fid_fabric()
        unsafe view.fid.fclass = OpenFabric.objectClass
        unsafe view.api_version = 0x1_0011
        // SAFETY: an object that lives until it is destroyed, below.
        let object = unsafe FabricObject(OpenFabric(view: view))
        let kind = unsafe object.fid.pointee.fclass
        let version = unsafe object.view(as: fid_fabric.self).pointee.api_version
        let found = unsafe FabricObject<OpenFabric>(fid: object.fid)
        #expect(kind == OpenFabric.objectClass)
        #expect(version == 0x1_0011)
        #expect(found == object)
        object.destroy()
    }
}
