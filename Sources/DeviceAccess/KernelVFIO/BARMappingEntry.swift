import DeviceMemory
import Glibc
import LinuxIO

/// A mapped part of a region. The mapping lives as long as this object, which its device holds.
final class BARMapping {
    /// Where in the region it starts.
    let offset: UInt64
    private let pages: MappedPages

    init(_ pages: consuming MappedPages, offset: UInt64) {
        self.pages = pages
        self.offset = offset
    }

    /// mmap(2) of a part of the device's file, shared.
    static func pages(
        _ file: borrowing OwnedDescriptor, fileOffset: Int, byteCount: Int, isWritable: Bool, subject: @autoclosure () -> String
    ) throws(SystemCallError) -> MappedPages {
        try MappedPages(
            sharing: file, fileOffset: fileOffset, byteCount: byteCount, protection: isWritable ? PROT_READ | PROT_WRITE : PROT_READ,
            subject: subject())
    }

    var window: MemoryWindow {
        // SAFETY: exactly the mapping that this object owns; the device keeps the object until it closes (DeviceAccess.mapAreas).
        unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
    }
}
