import Glibc

/// Which target libFuzzer runs: UNIC_FUZZ_TARGET.
private let chosen: FuzzTarget = {
    // SAFETY: nothing changes the environment; the text is copied.
    let name = unsafe getenv("UNIC_FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else { fatalError("UNIC_FUZZ_TARGET is '\(name)'") }
    return target
}()

/// libFuzzer's entry (llvm.org/docs/LibFuzzer.html, "Fuzz Target").
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer gives `count` bytes for the time of the call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    chosen.run(unsafe Array(bytes))
    return 0
}
