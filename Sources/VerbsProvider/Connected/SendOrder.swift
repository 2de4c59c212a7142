/// Which send requests of a connected queue pair may be under way together. The transport keeps messages in order, but lets a
/// later one overtake a long write, and requests to read overtake everything; a program may rely on more than that:
///
/// - a message arrives after all that was asked for before it, and not at all if that was refused: it waits for the outcome
///   of all writes and reads before it;
/// - what was written is there when a later read is carried out: a read waits for writes;
/// - a later write does not become visible before an earlier one: it waits for one that goes in pieces;
/// - with IBV_SEND_FENCE a request waits for all reads before it (ibv_post_send(3)).
struct SendOrder: BitwiseCopyable {
    private(set) var openWrites = 0
    private var openLongWrites = 0
    private(set) var openReads = 0
    /// A request has failed: nothing behind it begins, also before its turn comes to complete.
    private(set) var hasFailed = false

    /// - Parameter readLimit: reads that may be under way (max_rd_atomic).
    func allows(_ operation: SendWork.Operation, isFenced: Bool, readLimit: Int) -> Bool {
        if hasFailed || isFenced && openReads > 0 { return false }
        switch operation {
        case .send: return openWrites == 0 && openReads == 0
        case .read: return openWrites == 0 && openReads < max(readLimit, 1)
        case .write, .writeImmediate: return openLongWrites == 0
        }
    }

    /// - Parameter isLong: it goes in pieces that the receiver asks for.
    mutating func began(_ operation: SendWork.Operation, isLong: Bool) {
        switch operation {
        case .send: break
        case .read: openReads += 1
        case .write, .writeImmediate:
            openWrites += 1
            if isLong { openLongWrites += 1 }
        }
    }

    mutating func failed() { hasFailed = true }

    mutating func ended(_ operation: SendWork.Operation, isLong: Bool) {
        switch operation {
        case .send: break
        case .read: openReads -= 1
        case .write, .writeImmediate:
            openWrites -= 1
            if isLong { openLongWrites -= 1 }
        }
    }
}
