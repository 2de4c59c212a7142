import DeviceMemory
import VfioUser

extension FuzzTarget {
    /// The first byte is the number of descriptors beside the message, the rest is its payload. What is understood must
    /// mean the same after it was written and read again.
    func parse(_ bytes: [UInt8]) {
        let count = Int(bytes.first ?? 0) % 20
        let payload = Array(bytes.dropFirst())
        switch self {
        case .header:
            again(try? MessageHeader.parse(payload, maximumMessageByteCount: 4096), { $0.emit() }) {
                try? MessageHeader.parse($0, maximumMessageByteCount: 4096)
            }
        case .version: again(try? VersionMessage.parse(payload, descriptorCount: count), { $0.emit() }) { try? VersionMessage.parse($0) }
        case .dmaMap:
            again(try? DMAMapMessage.parse(payload, descriptorCount: count), { $0.emit() }) {
                try? DMAMapMessage.parse($0, descriptorCount: count)
            }
        case .dmaUnmap:
            guard let message = try? DMAUnmapMessage.parse(payload, descriptorCount: count) else { return }
            if let bitmap = message.bitmap {
                precondition(bitmap.bitmap(written: [bitmap.range]).count == Int(bitmap.byteCount))
            }
            again(message, { $0.emit() }) { try? DMAUnmapMessage.parse($0, descriptorCount: count) }
        case .deviceInfo:
            again(try? DeviceInfoMessage.parse(payload, descriptorCount: count), { $0.emit() }) {
                try? DeviceInfoMessage.parse($0, descriptorCount: count)
            }
        case .regionInfoRequest: _ = try? RegionInfoMessage.parseRequest(payload, descriptorCount: count)
        case .regionInfoReply:
            guard let info = try? RegionInfoMessage.parseReply(payload, descriptorCount: count) else { return }
            for area in info.areas ?? [] { precondition(area.lowerBound < area.upperBound) }
        case .regionIOFDs: _ = try? RegionIOFDsMessage.parseRequest(payload, descriptorCount: count)
        case .irqInfo:
            again(try? IRQInfoMessage.parse(payload, descriptorCount: count), { $0.emit() }) {
                try? IRQInfoMessage.parse($0, descriptorCount: count)
            }
        case .setIRQs:
            again(try? SetIRQsMessage.parse(payload, descriptorCount: count), { $0.emit() }) {
                try? SetIRQsMessage.parse($0, descriptorCount: count)
            }
        case .regionAccess:
            for hasData in [false, true] {
                again(
                    try? RegionAccessMessage.parse(payload, hasData: hasData, maximumByteCount: 4096, descriptorCount: count), { $0.emit() }
                ) { try? RegionAccessMessage.parse($0, hasData: hasData, maximumByteCount: 4096, descriptorCount: count) }
            }
        case .regionWriteMulti:
            again(try? RegionWriteMultiMessage.parse(payload, descriptorCount: count), { $0.emit() }) {
                try? RegionWriteMultiMessage.parse($0, descriptorCount: count)
            }
        case .dmaTransfer:
            for hasData in [false, true] {
                again(
                    try? DMATransferMessage.parse(payload, hasData: hasData, maximumByteCount: 4096, descriptorCount: count), { $0.emit() }
                ) { try? DMATransferMessage.parse($0, hasData: hasData, maximumByteCount: 4096, descriptorCount: count) }
            }
        case .deviceFeature:
            again(try? DeviceFeatureMessage.parse(payload, descriptorCount: count), { $0.emit() }) {
                try? DeviceFeatureMessage.parse($0, descriptorCount: count)
            }
        case .migrationData:
            for hasData in [false, true] {
                again(
                    try? MigrationDataMessage.parse(payload, hasData: hasData, maximumByteCount: 4096, descriptorCount: count),
                    { $0.emit() }
                ) { try? MigrationDataMessage.parse($0, hasData: hasData, maximumByteCount: 4096, descriptorCount: count) }
            }
        case .server, .serverOfVirtioNet, .client, .statusJSON, .iommu, .transport: break
        }
    }

    private func again<Message: Equatable>(_ message: Message?, _ emit: (Message) -> [UInt8], _ parse: ([UInt8]) -> Message?) {
        guard let message else { return }
        let bytes = emit(message)
        precondition(parse(bytes) == message, "\(message) became \(String(describing: parse(bytes)))")
    }
}
