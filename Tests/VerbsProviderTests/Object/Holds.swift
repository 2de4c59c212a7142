import Testing

/// As `#expect`, whose macro takes neither values that cannot be copied nor calls that change what they are called on.
func holds(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: sourceLocation)
}
