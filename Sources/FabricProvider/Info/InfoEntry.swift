import CLibfabric
import Devices
import Glibc
import LinuxIO

/// fi_getinfo(3), as libfabric's core asks each provider. No device is opened: that happens with an endpoint.
enum InfoEntry {
    static let fabricName = "unic"

    typealias GetInfo =
        @convention(c) (
            UInt32, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UInt64, UnsafePointer<fi_info>?,
            UnsafeMutablePointer<UnsafeMutablePointer<fi_info>?>?
        ) -> Int32

    static let getInfo: GetInfo = { version, node, _, flags, hints, result in
        // SAFETY: `result` is checked; hints are NULL or a whole structure (fi_getinfo(3)).
        guard let result = unsafe result else { return FabricError.invalid }
        unsafe result.pointee = nil
        // Names of hosts say nothing about NICs that no kernel knows.
        guard unsafe node == nil else { return FabricError.noData }
        let wishes = unsafe hints.map { unsafe InfoHints($0.pointee) } ?? InfoHints()
        guard let device = chosenDevice() else { return FabricError.noData }
        // SAFETY: the list is fresh and libfabric's from here on.
        let list = unsafe makeList(offered(device, flags: flags), wishes, version: version, device: device)
        unsafe result.pointee = list
        return unsafe list == nil ? FabricError.noData : 0
    }

    /// libfabric's own layers ask for what they build upon with this flag (include/ofi.h, OFI_CORE_PROV_ONLY).
    private static let fromLayer: UInt64 = 1 << 59

    /// Datagrams are for applications. ofi_rxd would put its own reliable endpoints over them, which libfabric lists before this
    /// provider's, and which are slower and lose messages: only for those who ask for it by `UNIC_LAYERED=1`.
    private static func offered(_ device: String, flags: UInt64) -> [EndpointProfile] {
        let profiles = EndpointProfile.all(device: device)
        guard flags & fromLayer != 0, environmentVariable("UNIC_LAYERED") != "1" else { return profiles }
        return profiles.filter { $0.type != FI_EP_DGRAM }
    }

    /// One record for each type of endpoint that fits the hints, the most able first.
    private static func makeList(_ profiles: [EndpointProfile], _ hints: InfoHints, version: UInt32, device: String)
        -> UnsafeMutablePointer<fi_info>?
    {
        var first: UnsafeMutablePointer<fi_info>?
        for profile in profiles.reversed() {
            do throws(InfoMismatch) {
                let matched = try profile.matched(to: hints, apiVersion: version, fabric: fabricName, device: device)
                // SAFETY: a fresh record, which is put in front of the others.
                guard
                    let record = unsafe InfoRecord.make(
                        matched, hints: hints, apiVersion: version, fabric: fabricName, device: device)
                else { continue }
                // SAFETY: as above.
                unsafe record.pointee.next = first
                unsafe first = record
            } catch {
                Provider.core.write(FI_LOG_INFO, "endpoints of type \(profile.type.rawValue) do not fit: \(error)")
            }
        }
        return unsafe first
    }

    /// nil: there is none, which was said.
    private static func chosenDevice() -> String? {
        let list = environmentVariable(DeviceList.variable), launch = MPILaunch.current
        do throws(DeviceList.Failure) {
            // Without a list it is a NIC in this process, on a wire of the job.
            return try DeviceList.url(of: launch, text: list, otherwise: launch.job == nil ? "soft:mpi" : "soft:mpi-%j")
        } catch {
            Provider.core.write(FI_LOG_WARN, error.description)
            // Without the variable nobody asked for this provider in particular.
            if list != nil { Complaint.once("\(error)") }
            return nil
        }
    }
}
