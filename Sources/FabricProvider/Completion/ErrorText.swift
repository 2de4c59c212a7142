import CLibfabric
import Glibc
import MPIBridge

/// Error texts that C may keep.
enum ErrorText {
    /// One constant C string for each transport error, made once.
    private static let transportTexts: [UInt8: CText] = {
        var texts: [UInt8: CText] = [:]
        for number in UInt8.min...UInt8.max {
            if let error = TransportError(rawValue: number) { texts[number] = CText(error.text) }
        }
        return texts
    }()
    private static let unknown = CText("no such error")

    /// fi_cq_strerror: a constant text, which is also copied into the buffer if there is one.
    static func transport(_ number: Int32, into buffer: UnsafeMutablePointer<CChar>?, length: Int) -> UnsafePointer<CChar>? {
        let text = UInt8(exactly: number).flatMap { transportTexts[$0] } ?? unknown
        // SAFETY: the buffer has `length` bytes (fi_cq_strerror(3)); strlcpy(3)'s like ends it.
        if let buffer = unsafe buffer, length > 0 { unsafe text.copy(into: buffer, length: length) }
        return unsafe text.pointer
    }
}

/// A C string that lives as long as the process.
@safe struct CText: @unchecked Sendable {
    let pointer: UnsafePointer<CChar>?

    init(_ text: String) {
        // SAFETY: never given back.
        unsafe pointer = UnsafePointer(strdup(text))
    }

    /// Copies what fits, with a NUL behind it.
    @unsafe func copy(into buffer: UnsafeMutablePointer<CChar>, length: Int) {
        // SAFETY: the caller's promise: `length` bytes, at least one.
        guard let pointer = unsafe pointer else { return }
        let count = unsafe min(strlen(pointer), length - 1)
        unsafe buffer.update(from: pointer, count: count)
        unsafe buffer[count] = 0
    }
}
