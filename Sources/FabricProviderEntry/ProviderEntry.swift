public import CLibfabric
import FabricProvider

/// The one symbol of `libunic-fi.so` (rdma/providers/fi_prov.h, FI_EXT_INI). Called by libfabric after dlopen.
@c(fi_prov_ini) public func providerEntry() -> UnsafeMutablePointer<fi_provider>? {
    // SAFETY: an address in the caller; nothing is read there.
    unsafe Provider.load(caller: unic_return_address())
}
