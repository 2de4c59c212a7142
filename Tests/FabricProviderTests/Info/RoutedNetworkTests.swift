import MPIBridge
import Testing

@testable import FabricProvider

@Suite struct RoutedNetworkTests {
    @Test func eachRankHasItsAddressAndAllTheRouter() throws {
        let addresses = "10.1.0.4/24 10.1.0.5/24;10.1.0.6/20"
        for (rank, length) in [24, 24, 20].enumerated() {
            let network = try #require(try RoutedNetwork(addresses: addresses, router: "10.1.0.1", localRank: rank))
            #expect(network.ipv4 == 0x0a01_0004 + UInt32(rank))
            #expect(network.router == TransportOptions.Router(ipv4: 0x0a01_0001, prefixLength: length))
        }
        #expect(throws: RoutedNetwork.Failure.noAddress(rank: 3, count: 3)) {
            try RoutedNetwork(addresses: addresses, router: "10.1.0.1", localRank: 3)
        }
    }

    @Test func withoutVariablesThereIsNone() throws {
        #expect(try RoutedNetwork(addresses: nil, router: nil, localRank: 0) == nil)
        #expect(throws: RoutedNetwork.Failure.incomplete) { try RoutedNetwork(addresses: "10.1.0.4/24", router: nil, localRank: 0) }
        #expect(throws: RoutedNetwork.Failure.incomplete) { try RoutedNetwork(addresses: nil, router: "10.1.0.1", localRank: 0) }
    }

    @Test(arguments: [
        "10.1.0.4", "10.1.0.4/", "10.1.0.4/0", "10.1.0.4/31", "10.1.0/24", "::1/64", "0.1.0.4/24", "127.0.0.1/8", "224.0.0.1/4",
    ])
    func whatIsNoAddressIsNamed(text: String) {
        #expect(throws: RoutedNetwork.Failure.notAnAddress(text)) { try RoutedNetwork(addresses: text, router: "10.1.0.1", localRank: 0) }
    }

    @Test(arguments: ["10.1.1.1", "10.1.0.4"]) func aRouterIsAnotherHostOfTheNetwork(router: String) {
        #expect(throws: RoutedNetwork.Failure.elsewhere(router)) {
            try RoutedNetwork(addresses: "10.1.0.4/24", router: router, localRank: 0)
        }
    }
}
