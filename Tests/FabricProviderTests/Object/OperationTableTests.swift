import CLibfabric
import Testing

@testable import FabricProvider

/// A NULL in a table would be jumped to by libfabric's inline functions.
@Suite struct OperationTableTests {
    private func emptyPlaces<Table>(_ table: CFunctionTable<Table>) -> [Int] {
        let words = UnsafeRawBufferPointer(start: table.pointer, count: MemoryLayout<Table>.size)
        return (0..<words.count / 8).filter { words.load(fromByteOffset: $0 * 8, as: UInt.self) == 0 }
    }

    private func size<Table>(_ table: CFunctionTable<Table>) -> Int {
        UnsafeRawPointer(table.pointer).load(as: Int.self)
    }

    private func check<Table>(_ table: CFunctionTable<Table>) {
        #expect(emptyPlaces(table).isEmpty, "\(Table.self)")
        #expect(size(table) == MemoryLayout<Table>.size, "\(Table.self)")
    }

    @Test func everyFunctionIsThere() {
        check(TaggedEntry.operations)
        check(MessageEntry.operations)
        check(RemoteMemoryEntry.operations)
        check(UnsupportedEndpointTables.atomic)
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
        var stranger = fid()
        stranger.fclass = OpenDomain.objectClass
        withUnsafeMutablePointer(to: &stranger) { pointer in
            #expect(FabricObject<OpenFabric>(fid: pointer) == nil)
            #expect(FabricObject<OpenEndpoint>(fid: pointer) == nil)
            #expect(FabricObject<CompletionQueue>(fid: nil) == nil)
        }
    }

    /// libfabric finds its structure where the object begins.
    @Test func anObjectBeginsWithItsFid() {
        var view = fid_fabric()
        view.fid.fclass = OpenFabric.objectClass
        view.api_version = 0x1_0011
        let object = FabricObject(OpenFabric(view: view))
        #expect(object.fid.pointee.fclass == OpenFabric.objectClass)
        #expect(object.view(as: fid_fabric.self).pointee.api_version == 0x1_0011)
        #expect(FabricObject<OpenFabric>(fid: object.fid) == object)
        object.destroy()
    }
}
