import DeviceMemory
import LinuxIO

/// A mapped file of a peer and the window on it. Kept alive by whoever uses the window.
final class SharedMapping {
    private let pages: MappedPages

    init(_ pages: consuming MappedPages) { self.pages = pages }

    /// Windows stay good, and show the other file.
    func replace(
        sharing descriptor: borrowing OwnedDescriptor, fileOffset: Int, protection: Int32, subject: @autoclosure () -> String
    ) throws(SystemCallError) {
        try pages.replace(sharing: descriptor, fileOffset: fileOffset, protection: protection, subject: subject())
    }

    var window: MemoryWindow {
        // SAFETY: exactly the mapping that this object owns; users of the window keep the object.
        unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
    }
}

/// The same of a file that its owner may make shorter.
final class GuardedMapping {
    private let pages: GuardedPages

    init(_ pages: consuming MappedPages, pageByteCount: Int) throws(SystemCallError) {
        self.pages = try GuardedPages(pages, pageByteCount: pageByteCount, subject: "the client's memory")
    }

    /// Whether the file's end was met. What was read there is zero, what was written there is lost.
    var isBroken: Bool { pages.isBroken }

    var window: MemoryWindow {
        // SAFETY: exactly the mapping that this object owns; users of the window keep the object.
        unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
    }
}
