import MPIBridge

/// A receive, or a peek that took or saw a message: whoever may get one.
final class Taker {
    enum Kind { case receive, receiveMany, look, claim, discard }
    enum End { case open, done, canceled, failed }

    let kind: Kind
    let filter: Plan.Filter
    let memory: GuardedMemory?
    /// Its place in the order of the rank's calls.
    let order: Int
    /// What it got, and where in its memory; -1 if it has no bytes there.
    var got: [(message: Int, offset: Int)] = []
    var end = End.open
    var isCancelRequested = false
    /// In the order of everything that was observed.
    var canceledAt = Int.max
    /// Of a claim: that the message was received or thrown away.
    var isSettled = false

    init(_ kind: Kind, _ filter: Plan.Filter, memory: GuardedMemory?, order: Int) {
        self.kind = kind
        self.filter = filter
        self.memory = memory
        self.order = order
    }
}

/// What is known of a message.
struct MessageState {
    /// Its place among those that its sender sent; nil: not sent.
    var sentOrder: Int?
    var isSendComplete = false
    var taker: Taker?
    /// When its receiver was told, in the order of everything that was observed.
    var takenAt = Int.max
    var isDiscarded = false
}
