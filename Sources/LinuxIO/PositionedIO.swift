import Glibc
import SystemPackage

extension OwnedDescriptor {
    /// pread(2) of exactly `byteCount` bytes.
    public borrowing func read(byteCount: Int, at offset: Int64, subject: @autoclosure () -> String) throws(SystemCallError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        let number = self.number
        let got = try systemCall("pread", on: subject()) { () -> Int in
            // SAFETY: the array is ours for the call and its length is given.
            unsafe bytes.withUnsafeMutableBytes { unsafe pread(number, $0.baseAddress, $0.count, off_t(offset)) }
        }
        guard got == byteCount else {
            throw SystemCallError(call: "pread", subject: "\(subject()) (\(got) of \(byteCount) bytes)", errno: .ioError)
        }
        return bytes
    }

    /// pwrite(2) of all of `bytes`.
    public borrowing func write(_ bytes: [UInt8], at offset: Int64, subject: @autoclosure () -> String) throws(SystemCallError) {
        let number = self.number
        let put = try systemCall("pwrite", on: subject()) { () -> Int in
            // SAFETY: the array is ours for the call and its length is given.
            unsafe bytes.withUnsafeBytes { unsafe pwrite(number, $0.baseAddress, $0.count, off_t(offset)) }
        }
        guard put == bytes.count else {
            throw SystemCallError(call: "pwrite", subject: "\(subject()) (\(put) of \(bytes.count) bytes)", errno: .ioError)
        }
    }
}

/// Reads a small file of /proc or /sys whole, at most 1 MiB.
public func readSmallFile(_ path: String) throws(SystemCallError) -> String {
    let file = try OwnedDescriptor.open(path, flags: O_RDONLY)
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while all.count < 1 << 20 {
        let got = try systemCall("read", on: path) { () -> Int in
            // SAFETY: the array is ours for the call and its length is given.
            unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(file.number, $0.baseAddress, $0.count) }
        }
        if got == 0 { break }
        all += chunk[..<got]
    }
    return String(decoding: all, as: UTF8.self)
}

/// Writes a short text to a file of /proc or /sys in one write.
public func writeSmallFile(_ path: String, _ text: String) throws(SystemCallError) {
    let file = try OwnedDescriptor.open(path, flags: O_WRONLY)
    let bytes = Array(text.utf8)
    try systemCall("write", on: path) { () -> Int in
        // SAFETY: the array is ours for the call and its length is given.
        unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file.number, $0.baseAddress, $0.count) }
    }
}
