/// A descriptor with several owners; closed when the last one goes.
public final class SharedDescriptor: Sendable {
    private let file: OwnedDescriptor
    public var number: Int32 { file.number }

    public init(_ file: consuming OwnedDescriptor) { self.file = file }
}
