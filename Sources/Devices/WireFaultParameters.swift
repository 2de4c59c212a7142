import NicModels

/// `soft:` URLs whose wire has faults, for tests: `soft:lab?loss=0.01&reorder=0.01&duplicate=0.001&corrupt=0&seed=7`. They are those of
/// the frames that this end sends.
extension WireFaults {
    private static var rates: [(name: String, place: WritableKeyPath<WireFaults, Double>)] {
        [("loss", \.loss), ("reorder", \.reorder), ("duplicate", \.duplicate), ("corrupt", \.corrupt)]
    }
    static let parameterNames = ["loss", "reorder", "duplicate", "corrupt", "seed"]

    /// The faults that a judged URL asks for; nil: none.
    init?(parameters: [String: String]) {
        self.init()
        for (name, place) in Self.rates {
            if let rate = parameters[name].flatMap(Self.rate) { self[keyPath: place] = rate }
        }
        if let seed = parameters["seed"].flatMap(UInt64.init) { self.seed = seed }
        if Self.rates.allSatisfy({ self[keyPath: $0.place] == 0 }) { return nil }
    }

    /// What is wrong with such parameters; nil: nothing.
    static func judge(_ parameters: [String: String]) -> (reason: String, fix: String)? {
        for (name, _) in rates {
            if let text = parameters[name], rate(text) == nil {
                return (
                    "'\(text)' is no rate of \(name)", "Give a number from 0 to 1, for example \(name)=0.01 for one frame in a hundred."
                )
            }
        }
        if let text = parameters["seed"], UInt64(text) == nil {
            return ("'\(text)' is no seed", "Give a number from 0 to \(UInt64.max), for example seed=7.")
        }
        return nil
    }

    /// Digits and a point: no signs, exponents or names of numbers.
    private static func rate(_ text: String) -> Double? {
        guard text.utf8.count <= 20, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2e }), let rate = Double(text) else {
            return nil
        }
        return rate <= 1 ? rate : nil
    }
}
