/// What libFuzzer feeds with bytes: one for each parser of the vfio-user protocol, whole servers of two models, a whole
/// client, the reader of a server's status, a guest's IOMMU with its queues in memory, and a peer of the MPI transport.
///
/// A target ends the process when its parser says something that cannot be true. Each has inputs in Tests/FuzzTests/Corpus,
/// in a folder of its name.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case header
    case version
    case dmaMap = "dma-map"
    case dmaUnmap = "dma-unmap"
    case deviceInfo = "device-info"
    case regionInfoRequest = "region-info-request"
    case regionInfoReply = "region-info-reply"
    case regionIOFDs = "region-io-fds"
    case irqInfo = "irq-info"
    case setIRQs = "set-irqs"
    case regionAccess = "region-access"
    case regionWriteMulti = "region-write-multi"
    case dmaTransfer = "dma-transfer"
    case deviceFeature = "device-feature"
    case migrationData = "migration-data"
    case server
    case serverOfVirtioNet = "server-virtio-net"
    case client
    case statusJSON = "status-json"
    case iommu
    case transport

    public func run(_ bytes: [UInt8]) {
        switch self {
        case .server: serveE1000E(bytes)
        case .serverOfVirtioNet: serveVirtioNet(bytes)
        case .client: drive(bytes)
        case .statusJSON: readJSON(bytes)
        case .iommu: askIOMMU(bytes)
        case .transport: attackTransport(bytes)
        default: parse(bytes)
        }
    }
}
