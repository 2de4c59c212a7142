import Devices

/// What makes an MPI use unic, apart from how its launcher is told.
struct MPISettings {
    /// Names and values of the environment, in order of use.
    var variables: [(name: String, value: String)] = []
    /// Open MPI's parameters; in an environment they have `OMPI_MCA_` in front.
    var parameters: [(name: String, value: String)] = []

    /// - Parameters:
    ///   - kinds: more than one for an environment that fits them all.
    ///   - providerFolder: has libunic-fi.so.
    ///   - devices: nil: the provider's default.
    ///   - preload: the path of libunic-mpi.so if calls are counted.
    init(for kinds: [MPIKind], providerFolder: String, devices: String?, tracking: MPITracking, preload: String?) {
        // The way through libfabric, and no other: by default Open MPI takes shared memory or TCP.
        if kinds.contains(.openmpi4) || kinds.contains(.openmpi5) {
            parameters += [("pml", "cm"), ("mtl", "ofi")]
        }
        if kinds.contains(.openmpi5) { parameters.append(("opal_common_ofi_provider_include", "unic")) }
        // Open MPI 5 knows this one as another name of the other.
        if kinds.contains(.openmpi4) { parameters.append(("mtl_ofi_provider_include", "unic")) }
        variables.append(("FI_PROVIDER_PATH", providerFolder))
        if kinds.contains(.mpich) {
            // MPIR_CVAR_OFI_USE_PROVIDER would be taken and ignored; ranks of one machine would meet in shared memory.
            variables += [("FI_PROVIDER", "unic"), ("MPIR_CVAR_CH4_NETMOD", "ofi"), ("MPIR_CVAR_NOLOCAL", "1")]
        }
        if let devices { variables.append((DeviceList.variable, devices)) }
        if let preload { variables += [("LD_PRELOAD", preload)] + tracking.variables }
        // The provider's own counters, a line a process: MPICH has no other report.
        if kinds == [.mpich], let report = tracking.report, report != "off" {
            variables.append(("UNIC_REPORT", report == "text" ? "1" : report))
        }
    }

    /// A launcher's arguments.
    func arguments(of kind: MPIKind) -> [String] {
        switch kind {
        case .openmpi4, .openmpi5:
            parameters.flatMap { ["--mca", $0.name, $0.value] } + variables.flatMap { ["-x", "\($0.name)=\($0.value)"] }
        case .mpich: variables.flatMap { ["-genv", $0.name, $0.value] }
        }
    }

    /// Everything as environment.
    var environment: [(name: String, value: String)] { parameters.map { ("OMPI_MCA_" + $0.name, $0.value) } + variables }
}

/// Counting and tracing by libunic-mpi.so.
struct MPITracking: Equatable {
    /// `text`, `off`, or a file for JSON; nil: no report.
    var report: String?
    /// Start of the names of trace files; nil: no trace.
    var trace: String?

    var isOn: Bool { report != nil || trace != nil }

    var variables: [(name: String, value: String)] {
        [("UNIC_MPI_REPORT", report ?? "off")] + (trace.map { [("UNIC_MPI_TRACE", $0)] } ?? [])
    }
}
