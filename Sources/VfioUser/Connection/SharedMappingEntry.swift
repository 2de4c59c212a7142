import DeviceMemory
import LinuxIO

/// A mapped file of a peer and the window on it. Kept alive by whoever uses the window.
final class SharedMapping {
    private let pages: MappedPages

    init(_ pages: consuming MappedPages) { self.pages = pages }

    var window: MemoryWindow {
        // SAFETY: exactly the mapping that this object owns; users of the window keep the object.
        unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
    }
}
