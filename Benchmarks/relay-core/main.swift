import DeviceMemory
import LinuxIO

// What the relay's IOMMU takes for requests, outside of any guest: queue, core and the endpoint's table, in one thread.
//
//     relay-core times LIVE BATCH   nanoseconds of a MAP, an UNMAP and a translation while LIVE mappings of a page live, requests in
//                                   batches of BATCH; the driver's own part of it, some stores, is in them
//     relay-core count ROUNDS       so many pairs of MAP and UNMAP in batches of 1, among 1,000 mappings, for callgrind

let words = CommandLine.arguments.dropFirst()
func number(_ index: Int) -> Int {
    guard let value = Int(words[words.startIndex + index]), value > 0 else { fatalError("\(words) holds no number at \(index)") }
    return value
}
switch (words.first, words.count) {
case ("times", 3): try time(live: number(1), batch: number(2))
case ("count", 2): try count(rounds: number(1))
default: fatalError("relay-core times LIVE BATCH | count ROUNDS")
}

/// Pages that live have even numbers, those that come and go odd ones.
func time(live: Int, batch: Int) throws {
    var relay = try RelayUnderTest()
    for index in 0..<live { relay.mapDirectly(page: 2 * index) }
    var maps: [Double] = [], unmaps: [Double] = [], translations: [Double] = []
    let batches = max(1, min(live / 2, 2048) / batch)
    for _ in 0..<101 {
        var pages = Set<Int>()
        while pages.count < batch * batches { pages.insert(2 * Int.random(in: 0..<live) + 1) }
        let order = Array(pages)
        maps.append(
            each(order.count) { for start in stride(from: 0, to: order.count, by: batch) { relay.map(order[start..<start + batch]) } })
        translations.append(each(order.count) { for page in order { relay.translate(page: page - 1) } })
        unmaps.append(
            each(order.count) { for start in stride(from: 0, to: order.count, by: batch) { relay.unmap(order[start..<start + batch]) } })
    }
    print("{\"map\":\(median(maps)),\"unmap\":\(median(unmaps)),\"translate\":\(median(translations))}")
}

func count(rounds: Int) throws {
    var relay = try RelayUnderTest()
    for index in 0..<1000 { relay.mapDirectly(page: 2 * index) }
    for round in 0..<rounds {
        let page = [round * 97 % 1000 * 2 + 1]
        relay.map(page[...])
        relay.unmap(page[...])
    }
    print("pairs \(rounds)")
}

func each(_ count: Int, _ body: () -> Void) -> Double {
    let start = MonotonicClock.nanoseconds()
    body()
    return Double(MonotonicClock.nanoseconds() - start) / Double(count)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
