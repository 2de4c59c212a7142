/// MPI's rules for who gets which message, looked at when all is over.
extension Simulation {
    func checkMatchingOrder() throws {
        for rank in ranks where !rank.isDead {
            let takers = rank.takers
            for taker in takers { try checkOvertakingMessages(taker, of: rank.index) }
            for (number, state) in states.enumerated() where plan.messages[number].to == rank.index {
                guard let taker = state.taker else { continue }
                try checkOvertakenReceives(number, state, taker, takers)
            }
        }
    }

    /// A message may not overtake an earlier one of its sender that the same receive would have taken.
    private func checkOvertakingMessages(_ taker: Taker, of rank: Int) throws {
        for got in taker.got {
            let message = plan.messages[got.message]
            guard let order = states[got.message].sentOrder else { throw failure("message \(got.message) arrived before it was sent") }
            for (number, earlier) in plan.messages.enumerated()
            where number != got.message && earlier.from == message.from && earlier.to == rank && taker.filter.matches(earlier) {
                guard let earlierOrder = states[number].sentOrder, earlierOrder < order else { continue }
                guard let other = states[number].taker else {
                    if deathHappened { continue }
                    throw failure("message \(got.message) overtook message \(number), which nobody got")
                }
                if other === taker {
                    let offset = taker.got.first { $0.message == number }?.offset ?? -1
                    if got.offset >= 0, offset > got.offset {
                        throw failure("messages \(number) and \(got.message) lie in the wrong order in one buffer")
                    }
                } else if other.order > taker.order {
                    throw failure("message \(got.message) overtook message \(number): receives \(taker.order) and \(other.order)")
                }
            }
        }
    }

    /// A message belongs to the oldest receive that accepts it.
    private func checkOvertakenReceives(_ number: Int, _ state: MessageState, _ taker: Taker, _ takers: [Taker]) throws {
        for other in takers where other.order < taker.order && (other.kind == .receive || other.kind == .receiveMany) {
            guard other.filter.matches(plan.messages[number]), other.end == .canceled, other.got.isEmpty || other.kind == .receiveMany,
                other.canceledAt > state.takenAt
            else { continue }
            throw failure("message \(number) went to receive \(taker.order), though receive \(other.order) waited for it")
        }
    }
}
