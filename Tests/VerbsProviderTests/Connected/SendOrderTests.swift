import Testing

@testable import VerbsProvider

@Suite struct SendOrderTests {
    private func allows(_ order: SendOrder, _ operation: SendWork.Operation, fenced: Bool = false, readLimit: Int = 2) -> Bool {
        order.allows(operation, isFenced: fenced, readLimit: readLimit)
    }

    @Test func messagesAndReadsWaitForWritesAndShortWritesDoNot() {
        var order = SendOrder()
        order.began(.write, isLong: false)
        #expect(!allows(order, .send) && !allows(order, .read) && allows(order, .write) && allows(order, .writeImmediate))
        order.ended(.write, isLong: false)
        #expect(allows(order, .send) && allows(order, .read))
    }

    @Test func nothingOvertakesALongWrite() {
        var order = SendOrder()
        order.began(.writeImmediate, isLong: true)
        #expect(!allows(order, .send) && !allows(order, .read) && !allows(order, .write) && !allows(order, .writeImmediate))
    }

    @Test func readsAreLimitedAndMessagesWaitForThem() {
        var order = SendOrder()
        order.began(.read, isLong: true)
        #expect(allows(order, .read) && !allows(order, .send) && allows(order, .write) && !allows(order, .write, fenced: true))
        order.began(.read, isLong: false)
        #expect(!allows(order, .read) && allows(order, .read, readLimit: 3))
        order.ended(.read, isLong: false)
        order.ended(.read, isLong: true)
        #expect(allows(order, .send, fenced: true) && allows(order, .read, readLimit: 0))
    }

    @Test func nothingBeginsBehindAFailure() {
        var order = SendOrder()
        order.failed()
        for operation in [SendWork.Operation.send, .write, .writeImmediate, .read] { #expect(!allows(order, operation)) }
    }
}
