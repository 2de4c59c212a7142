import Glibc
import LabKit
import Testing

/// The release binaries that `make test` names, for guests.
enum Binaries {
    /// Where they are: UNIC_BIN.
    static var folder: String? {
        // SAFETY: nothing changes the environment while tests run; the text is copied.
        guard let text = unsafe getenv("UNIC_BIN") else { return nil }
        return unsafe String(cString: text)
    }

    /// A guest that has them.
    static func guest() throws -> Guest {
        let folder = try #require(folder, "UNIC_BIN names no folder; run `make test`")
        var guest = Guest()
        guest.programs = ["\(folder)/unic", "\(folder)/driver-suite", "\(folder)/hugepage-check"]
        return guest
    }
}
