/// A descriptor that came with a message: closed unless somebody takes it.
public final class ReceivedDescriptor {
    private var owned: OwnedDescriptor?

    public init(_ descriptor: consuming OwnedDescriptor) { owned = consume descriptor }

    /// The number while it is here, -1 after it was taken.
    public var number: Int32 {
        switch owned {
        case .some(let descriptor): descriptor.number
        case .none: -1
        }
    }

    /// Hands it over, once; nil afterwards.
    public func take() -> OwnedDescriptor? { owned.take() }
}
