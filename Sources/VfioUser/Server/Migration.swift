/// Where a device stands on its way to another place: the states of "VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE" without
/// pre-copy, and the stream of its state.
struct Migration {
    enum State: UInt32 {
        case error = 0
        case stop = 1
        case running = 2
        case stopCopy = 3
        case resuming = 4
    }

    /// What a client may send as a device's state, bytes.
    static let maximumByteCount = 16 << 20

    private(set) var state = State.running
    /// What is still to be read in STOP_COPY, and what was written in RESUMING.
    private var stream: [UInt8] = []
    private var position = 0

    /// A device that is stopped, copied or resumed does nothing by itself.
    var isRunning: Bool { state == .running }

    /// Goes to a state by way of STOP, as "Complex State Transitions" wants it.
    /// - Parameters:
    ///   - save: the device's state; nil if it cannot be had.
    ///   - load: takes a state over; false if it is none.
    mutating func go(to target: State, save: () -> [UInt8]?, load: ([UInt8]) -> Bool) throws(CommandFailure) {
        guard state != .error else { throw CommandFailure(.invalidArgument, "the device has failed and must be reset") }
        guard target != .error else { throw CommandFailure(.invalidArgument, "no client can ask for the state ERROR") }
        guard target != state else { return }
        if state == .resuming {
            guard load(stream) else {
                state = .error
                stream = []
                throw CommandFailure(.ioError, "the migration data is none of this device's")
            }
        }
        stream = []
        position = 0
        state = .stop
        if target == .stopCopy {
            guard let saved = save() else { throw CommandFailure(.ioError, "the device's state cannot be saved") }
            stream = saved
        }
        state = target
    }

    /// The next piece; shorter than asked for: there is no more.
    mutating func read(_ count: Int) throws(CommandFailure) -> [UInt8] {
        guard state == .stopCopy else { throw CommandFailure(.invalidArgument, "migration data is read in STOP_COPY only") }
        let end = min(position + count, stream.count)
        defer { position = end }
        return Array(stream[position..<end])
    }

    mutating func write(_ data: [UInt8]) throws(CommandFailure) {
        guard state == .resuming else { throw CommandFailure(.invalidArgument, "migration data is written in RESUMING only") }
        guard stream.count + data.count <= Migration.maximumByteCount else {
            throw CommandFailure(.noSpace, "more than \(Migration.maximumByteCount) bytes of migration data")
        }
        stream += data
    }
}
