public import CLibfabric

/// What libfabric gets when it loads the library: a name, versions, and two ways in (rdma/providers/fi_prov.h, struct fi_provider).
public enum Provider {
    static let name = "unic"
    /// Of this provider, as fi_info(1) prints it.
    static let version = unic_fi_version(1, 0)

    static let description: CFunctionTable<fi_provider> = {
        // SAFETY: a C structure; the name is a literal, which lives as long as the library.
        var provider = unsafe fi_provider()
        unsafe provider.version = version
        unsafe provider.fi_version = core.version
        // SAFETY: never given back, as long as the process lives.
        unsafe provider.name = UnsafePointer(strdup(name))
        unsafe provider.getinfo = InfoEntry.getInfo
        unsafe provider.fabric = FabricEntry.open
        // SAFETY: nothing is held beyond the objects that the application opened.
        unsafe provider.cleanup = {}
        return unsafe CFunctionTable(provider)
    }()

    /// Set once, by the first call from a libfabric.
    nonisolated(unsafe) private static var loader: LibfabricCore?
    static var core: LibfabricCore {
        // SAFETY: written before the provider's description is handed out, so before any other call.
        unsafe loader ?? LibfabricCore(caller: nil)
    }

    /// Entry point of the library: `fi_prov_ini`.
    /// - Parameter caller: an address in the libfabric that loaded it.
    public static func load(caller: UnsafeRawPointer?) -> UnsafeMutablePointer<fi_provider>? {
        // SAFETY: libfabric loads providers under its lock (fi_getinfo(3)); a second copy that loads this library finds the
        // first one's answer.
        if unsafe loader == nil { unsafe loader = LibfabricCore(caller: caller) }
        return unsafe description.pointer
    }
}
