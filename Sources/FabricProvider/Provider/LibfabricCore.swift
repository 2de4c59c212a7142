import CLibfabric
import Glibc

/// The copy of libfabric that loaded this provider. A process may have several (Open MPI's and MPICH's wheels bring their own),
/// and none of them need be visible to the dynamic linker: it is found by the address that called.
@safe struct LibfabricCore: @unchecked Sendable {
    /// What it says of itself; the headers' version if it cannot be asked.
    let version: UInt32
    private let logEnabled: UnsafeMutableRawPointer?
    private let log: UnsafeMutableRawPointer?

    /// - Parameter caller: an address in it.
    init(caller: UnsafeRawPointer?) {
        let headers = unic_fi_version(UInt32(FI_MAJOR_VERSION), UInt32(FI_MINOR_VERSION))
        // SAFETY: dladdr reads no memory at the address; the name that it gives lives as long as the library.
        var object = unsafe unic_dl_info()
        guard let caller = unsafe caller, unsafe unic_dladdr(caller, &object) != 0, let name = unsafe object.file,
            let handle = unsafe dlopen(name, RTLD_LAZY | RTLD_NOLOAD)
        else {
            version = headers
            // SAFETY: nothing is pointed to.
            unsafe (logEnabled, log) = (nil, nil)
            return
        }
        // SAFETY: names are literals; a function that is found has the type of its header, whatever the version.
        version = unsafe dlsym(handle, "fi_version").map { unsafe unic_call_version($0) } ?? headers
        unsafe logEnabled = dlsym(handle, "fi_log_enabled")
        unsafe log = dlsym(handle, "fi_log")
    }

    /// Prints to libfabric's log (FI_LOG_LEVEL, FI_LOG_PROV), if it is asked to.
    func write(_ level: fi_log_level, _ text: String) {
        // SAFETY: both functions are libfabric's, or nothing is called; the text lives for the call.
        guard let logEnabled = unsafe logEnabled, let log = unsafe log else { return }
        unsafe unic_call_log(logEnabled, log, Provider.description.pointer, level, FI_LOG_CORE, text)
    }
}
