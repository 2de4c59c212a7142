import DeviceAccess
import HostBack

/// What a relay has of the host once, whichever of its IOMMUs a function is behind: one context of /dev/iommu, and the guardian,
/// which knows one.
final class RelayedHostInterfaces {
    /// Is told of everything that is opened; nil: there is none.
    let guardian: GuardianLink?
    private var known: IOMMUFDContext?

    init(guardian: GuardianLink?) { self.guardian = guardian }

    /// The context, or a new one, which is to be kept once a function is bound to it.
    func context(_ url: DeviceURL, _ address: PCIAddress) throws(DeviceError) -> IOMMUFDContext {
        if let known { return known }
        return try IOMMUFDContext(url: url.description, address: address)
    }

    func keep(_ context: IOMMUFDContext, _ url: DeviceURL) throws(DeviceError) {
        guard known == nil else { return }
        try guardian?.add(context, for: url.description)
        known = context
    }

    func makeAddressSpace(_ context: IOMMUFDContext) throws(DeviceError) -> IOAS {
        if let guardian { try guardian.makeAddressSpace(context) } else { try context.makeAddressSpace() }
    }
}
