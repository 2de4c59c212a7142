import DeviceMemory
import DeviceModel

/// Migration and logs of written memory. Models that cannot be saved have no migration.
extension VfioUserServer where Model: ~Copyable {
    /// VFIO_MIGRATION_STOP_COPY (linux/vfio.h); pre-copy is not there.
    private var migrationFlags: [UInt8] { [UInt8](littleEndian: 1, byteCount: 8) }

    func deviceFeature(_ message: DeviceFeatureMessage) throws(CommandFailure) -> Reply {
        guard let feature = DeviceFeatureMessage.Feature(rawValue: message.feature) else {
            throw CommandFailure(.notSupported, "nobody knows the feature \(message.feature)")
        }
        let possible = actions(of: feature)
        guard !possible.isEmpty else { throw CommandFailure(.notSupported, "this model's state cannot be saved") }
        guard possible.isSuperset(of: message.action.subtracting(.probe)) else {
            throw CommandFailure(.invalidArgument, "the feature \(feature) cannot be used like that")
        }
        // "The reply payload must be the same as the request payload for setting or probing a feature."
        if message.action.contains(.probe) { return Reply(payload: message.emit()) }
        let answer = message.action == .get ? try get(feature, message) : try set(feature, message)
        let room = Int(clamping: message.argumentByteCount)
        guard answer.count <= room || message.action == .set else {
            throw CommandFailure(.invalidArgument, "the answer has \(answer.count) bytes, argsz only \(room)")
        }
        return Reply(payload: answer)
    }

    private func actions(of feature: DeviceFeatureMessage.Feature) -> DeviceFeatureMessage.Action {
        switch feature {
        case .migration: model.canBeSaved ? .get : []
        case .migrationState: model.canBeSaved ? [.get, .set] : []
        case .loggingStart, .loggingStop: .set
        case .loggingReport: .get
        }
    }

    private func get(_ feature: DeviceFeatureMessage.Feature, _ message: DeviceFeatureMessage) throws(CommandFailure) -> [UInt8] {
        switch feature {
        case .migration: return message.answer(migrationFlags)
        case .migrationState:
            // data_fd is not used here: no descriptor.
            return message.answer([UInt8](littleEndian: UInt64(migration.state.rawValue) | 0xffff_ffff << 32, byteCount: 8))
        case .loggingReport: return try report(message)
        case .loggingStart, .loggingStop: throw CommandFailure(.invalidArgument, "logging is set, not got")
        }
    }

    private func set(_ feature: DeviceFeatureMessage.Feature, _ message: DeviceFeatureMessage) throws(CommandFailure) -> [UInt8] {
        switch feature {
        case .migrationState:
            try answering { () throws(MessageError) in try requireLength(message.data, 8, of: Command.deviceFeature.name) }
            guard let target = Migration.State(rawValue: message.data.field32(at: 0)) else {
                throw CommandFailure(.invalidArgument, "there is no device state \(message.data.field32(at: 0))")
            }
            try migration.go(to: target, save: { model.saveState() }, load: { model.loadState($0) })
        case .loggingStart:
            guard writeLog == nil else { throw CommandFailure(.resourceBusy, "writes are logged already") }
            writeLog = try answering { () throws(MessageError) in try WriteLog(message.data) }
        case .loggingStop: writeLog = nil
        case .migration, .loggingReport: throw CommandFailure(.invalidArgument, "the feature \(feature) is got, not set")
        }
        return message.emit()
    }

    private func report(_ message: DeviceFeatureMessage) throws(CommandFailure) -> [UInt8] {
        guard let writeLog else { throw CommandFailure(.invalidArgument, "writes are not logged") }
        let request = try answering { () throws(MessageError) in
            let name = "a request for written pages"
            try requireLength(message.data, 24, of: name)
            guard let range = IOVARange(start: IOVA(message.data.field64(at: 0)), byteCount: message.data.field64(at: 8)) else {
                throw MessageError.field(message: name, name: "length", value: message.data.field64(at: 8))
            }
            let page = max(message.data.field64(at: 16), 1)
            // Whole words of 64 bits.
            let words = ((range.byteCount - 1) / page) / 64 + 1
            return try DirtyBitmapRequest(range: range, pageByteCount: page, byteCount: words &* 8, message: name)
        }
        let written = writeLog.written(in: request.range, writable: memory.writableRanges(in: request.range))
        return message.answer(message.data + request.bitmap(written: written))
    }

    func readMigrationData(_ message: MigrationDataMessage, _ session: ClientSession) throws(CommandFailure) -> Reply {
        guard Int(message.size) <= session.maximumReplyData else {
            throw CommandFailure(.invalidArgument, "a read of \(message.size) bytes, more than the client takes in one reply")
        }
        let data = try migration.read(Int(message.size))
        let size = UInt32(clamping: data.count)
        return Reply(payload: MigrationDataMessage(argumentByteCount: 8 + size, size: size, data: data).emit())
    }
}
