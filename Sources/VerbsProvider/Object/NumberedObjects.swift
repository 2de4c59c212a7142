/// Objects by numbers that are never given away twice: for whoever keeps a number longer than the object lives.
struct NumberedObjects<State: ~Copyable>: ~Copyable {
    private var objects: [UInt64: VerbsObject<State>] = [:]
    private var last: UInt64 = 0

    var count: Int { objects.count }

    mutating func takeNumber() -> UInt64 {
        last += 1
        return last
    }

    mutating func set(_ object: VerbsObject<State>, number: UInt64) { objects[number] = object }
    mutating func remove(_ number: UInt64) { objects[number] = nil }
    subscript(number: UInt64) -> VerbsObject<State>? { objects[number] }
    func contains(where test: (VerbsObject<State>) -> Bool) -> Bool { objects.values.contains(where: test) }
}
