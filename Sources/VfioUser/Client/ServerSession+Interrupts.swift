import DeviceAccess

extension ServerSession {
    func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int {
        if let known = interruptCounts[kind] { return known }
        guard UInt32(kind.rawValue) < info.interruptIndexCount else { return 0 }
        let answer = try succeed(connection.request(.deviceGetIRQInfo, IRQInfoMessage(index: UInt32(kind.rawValue)).emit()))
        let reply: IRQInfoMessage
        do throws(MessageError) {
            reply = try IRQInfoMessage.parse(answer.payload, descriptorCount: answer.descriptors.count)
        } catch {
            throw connection.violation(error.description)
        }
        guard reply.index == UInt32(kind.rawValue), reply.count <= SetIRQsMessage.maximumVectors else {
            throw connection.violation("it described interrupts \(reply.index) with \(reply.count) vectors when asked for \(kind)")
        }
        let count = reply.flags.contains(.eventfd) ? Int(reply.count) : 0
        interruptCounts[kind] = count
        return count
    }

    /// Vector i signals eventfd i; a negative number leaves its vector silent.
    func connect(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {
        // A message carries as many descriptors as the server said it takes.
        let batch = max(maximumDescriptors, 1)
        var start = 0
        while start < eventfds.count {
            let some = Array(eventfds[start...].prefix(batch).prefix { $0 >= 0 })
            if !some.isEmpty {
                try set(kind, .trigger, .eventfds(descriptorCount: some.count), start: start, count: some.count, descriptors: some)
            }
            start += max(some.count, 1)
        }
    }

    func set(
        _ kind: InterruptKind, _ action: SetIRQsMessage.Action, _ data: SetIRQsMessage.Data, start: Int, count: Int,
        descriptors: [Int32] = []
    ) throws(DeviceError) {
        let message = SetIRQsMessage(
            action: action, data: data, index: UInt32(kind.rawValue), start: UInt32(start), count: UInt32(count))
        let answer = try succeed(connection.request(.deviceSetIRQs, message.emit(), descriptors: descriptors))
        guard answer.payload.isEmpty else { throw connection.violation("its reply to \(Command.deviceSetIRQs.name) has a payload") }
    }
}
