import Testing

@testable import VerbsProvider

@Suite struct ConnectedTagTests {
    @Test func aTagSaysWhereItComesFromAndWhereItGoes() {
        let tag = ConnectedTag(from: 0xabcdef, to: 0x123456, flags: [.immediate, .write])
        #expect(tag.word == 0x0003_1234_56ab_cdef)
        #expect(tag.source == 0xabcdef && tag.target == 0x123456 && tag.flags == [.immediate, .write])
    }

    @Test func whatAReceiveIgnoresAreTheFlagsAlone() {
        let sent = ConnectedTag(from: 1, to: 2, flags: .known).word, wanted = ConnectedTag(from: 1, to: 2).word
        #expect((sent ^ wanted) & ~ConnectedTag.ignored == 0)
        #expect((ConnectedTag(from: 1, to: 3).word ^ wanted) & ~ConnectedTag.ignored != 0)
        #expect((ConnectedTag(from: 2, to: 2).word ^ wanted) & ~ConnectedTag.ignored != 0)
    }

    @Test func unknownFlagsOfAPeerAreLeftOut() { #expect(ConnectedTag(word: .max).flags == .known) }

    @Test func aRequestsNameComesBack() {
        for isReceive in [false, true] {
            let name = WorkName(word: WorkName(queuePair: 0xffffff, position: .max, isReceive: isReceive).word)
            #expect(name.queuePair == 0xffffff && name.position == .max && name.isReceive == isReceive)
        }
    }

    @Test func aQuestionsNameIsNoRequests() {
        let name = WorkName(word: WorkName(queuePair: 0xffffff, turn: .max).word)
        #expect(name.queuePair == 0xffffff && name.position == .max && name.isQuestion && !name.isReceive)
        #expect(!WorkName(queuePair: 0xffffff, position: .max, isReceive: true).isQuestion)
    }
}
