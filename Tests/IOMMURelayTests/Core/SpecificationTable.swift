import DeviceMemory
import Testing

@testable import IOMMURelay

/// What virtio 1.3 §5.13.6 says of each request in each state, a line each. Who is there: ``SpecificationTableTests``.
enum SpecificationTable {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// What went before; all of it is answered with OK.
        let before: [IOMMURequest]
        let request: IOMMURequest
        let answer: IOMMUStatus
        /// Mappings that are left.
        let mappings: Int
        var testDescription: String { name }
    }

    static func row(_ name: String, _ before: [IOMMURequest], _ request: IOMMURequest, _ answer: IOMMUStatus, left mappings: Int = 0)
        -> Case
    {
        Case(name: name, before: before, request: request, answer: answer, mappings: mappings)
    }
    static func attach(_ endpoint: UInt32, _ domain: UInt32, flags: UInt32 = 0) -> IOMMURequest {
        .attach(endpoint: endpoint, domain: domain, flags: flags)
    }
    static func detach(_ endpoint: UInt32, _ domain: UInt32) -> IOMMURequest { .detach(endpoint: endpoint, domain: domain) }
    static func map(_ domain: UInt32, _ first: UInt64, _ last: UInt64, to physical: UInt64 = 0, flags: UInt32 = 3) -> IOMMURequest {
        .map(domain: domain, first: first, last: last, physical: GuestPhysicalAddress(physical), flags: flags)
    }
    static func unmap(_ domain: UInt32, _ first: UInt64, _ last: UInt64) -> IOMMURequest {
        .unmap(domain: domain, first: first, last: last)
    }

    static let attaches = [
        row("ATTACH makes the domain", [], attach(8, 1), .ok),
        row("ATTACH of a second endpoint", [attach(8, 1)], attach(9, 1), .ok),
        row("ATTACH again to the same domain", [attach(8, 1), map(1, 0, 0xfff)], attach(8, 1), .ok, left: 1),
        row("ATTACH of an attached endpoint replaces, and the old domain ceases", [attach(8, 1), map(1, 0, 0xfff)], attach(8, 2), .ok),
        row("ATTACH of an endpoint that is not there", [], attach(70, 1), .noEntry),
        row("ATTACH with an unknown flag", [], attach(8, 1, flags: 2), .invalid),
        row("ATTACH with all flags", [], attach(8, 1, flags: .max), .invalid),
        row("ATTACH below the domain range", [], attach(8, 0), .range),
        row("ATTACH above the domain range", [], attach(8, 10), .range),
        row("ATTACH to a bypass domain", [], attach(8, 1, flags: 1), .ok),
        row("ATTACH of a second endpoint to a bypass domain", [attach(8, 1, flags: 1)], attach(9, 1, flags: 1), .ok),
        row("ATTACH without the flag to a bypass domain", [attach(8, 1, flags: 1)], attach(9, 1), .invalid),
        row("ATTACH with the bypass flag to another domain", [attach(8, 1)], attach(9, 1, flags: 1), .invalid),
        row("ATTACH with the bypass flag to its own domain", [attach(8, 1)], attach(8, 1, flags: 1), .invalid),
        row("ATTACH of the other kind after the domain ceased", [attach(8, 1), detach(8, 1)], attach(8, 1, flags: 1), .ok),
        row(
            "ATTACH of an endpoint whose reserved window is mapped", [attach(8, 1), map(1, 0x1f_f000, 0x20_0fff)], attach(9, 1),
            .unsupported,
            left: 1),
        row("DETACH", [attach(8, 1)], detach(8, 1), .ok),
        row("DETACH takes the mappings along", [attach(8, 1), map(1, 0, 0xfff)], detach(8, 1), .ok),
        row("DETACH of one of two leaves the domain", [attach(8, 1), attach(9, 1), map(1, 0, 0xfff)], detach(8, 1), .ok, left: 1),
        row("DETACH of an endpoint that is not there", [], detach(70, 1), .noEntry),
        row("DETACH from a domain that is not there", [], detach(8, 1), .invalid),
        row("DETACH from a domain that it is not in", [attach(8, 1), attach(9, 2)], detach(8, 2), .invalid),
        row("DETACH twice", [attach(8, 1), detach(8, 1)], detach(8, 1), .invalid),
        row("PROBE", [], .probe(endpoint: 9), .ok),
        row("PROBE of an endpoint that is not there", [], .probe(endpoint: 70), .noEntry),
    ]

    static let maps = [
        row("MAP", [attach(8, 1)], map(1, 0x1000, 0x1fff), .ok, left: 1),
        row("MAP at the top of the input range", [attach(8, 1)], map(1, 1 << 48 - 0x1000, 1 << 48 - 1), .ok, left: 1),
        row("MAP to the last guest page", [attach(8, 1)], map(1, 0, 0xfff, to: .max - 0xfff), .ok, left: 1),
        row("MAP for reading", [attach(8, 1)], map(1, 0, 0xfff, flags: 1), .ok, left: 1),
        row("MAP for writing", [attach(8, 1)], map(1, 0, 0xfff, flags: 2), .ok, left: 1),
        row("MAP beside another", [attach(8, 1), map(1, 0, 0xfff)], map(1, 0x1000, 0x1fff), .ok, left: 2),
        row("MAP that permits nothing", [attach(8, 1)], map(1, 0, 0xfff, flags: 0), .invalid),
        row("MAP with MMIO, which is not offered", [attach(8, 1)], map(1, 0, 0xfff, flags: 7), .invalid),
        row("MAP with an unknown flag", [attach(8, 1)], map(1, 0, 0xfff, flags: 0x8000_0003), .invalid),
        row("MAP in no domain", [], map(1, 0, 0xfff), .noEntry),
        row("MAP in a domain that ceased", [attach(8, 1), detach(8, 1)], map(1, 0, 0xfff), .noEntry),
        row("MAP in a bypass domain", [attach(8, 1, flags: 1)], map(1, 0, 0xfff), .invalid),
        row("MAP with a misaligned beginning", [attach(8, 1)], map(1, 0x800, 0x1fff), .range),
        row("MAP with a misaligned end", [attach(8, 1)], map(1, 0, 0x1000), .range),
        row("MAP to a misaligned guest address", [attach(8, 1)], map(1, 0, 0xfff, to: 1), .range),
        row("MAP that ends before it begins", [attach(8, 1)], map(1, 0x2000, 0xfff), .range),
        row("MAP of nothing", [attach(8, 1)], map(1, 0x1000, 0xfff), .range),
        row("MAP of everything", [attach(8, 1)], map(1, 0, .max), .range),
        row("MAP beyond the input range", [attach(8, 1)], map(1, 1 << 48, 1 << 48 + 0xfff), .range),
        row("MAP across the end of the input range", [attach(8, 1)], map(1, 1 << 48 - 0x1000, 1 << 48 + 0xfff), .range),
        row("MAP at the top of the address space", [attach(8, 1)], map(1, .max - 0xfff, .max), .range),
        row("MAP to guest memory that wraps", [attach(8, 1)], map(1, 0, 0x1fff, to: .max - 0xfff), .range),
        row("MAP of what is mapped", [attach(8, 1), map(1, 0, 0xfff)], map(1, 0, 0xfff), .invalid, left: 1),
        row("MAP across a beginning", [attach(8, 1), map(1, 0x1000, 0x2fff)], map(1, 0, 0x1fff), .invalid, left: 1),
        row("MAP across an end", [attach(8, 1), map(1, 0x1000, 0x2fff)], map(1, 0x2000, 0x3fff), .invalid, left: 1),
        row("MAP around another", [attach(8, 1), map(1, 0x1000, 0x1fff)], map(1, 0, 0x2fff), .invalid, left: 1),
        row("MAP inside of another", [attach(8, 1), map(1, 0, 0x2fff)], map(1, 0x1000, 0x1fff), .invalid, left: 1),
        row("MAP in a reserved window", [attach(9, 1)], map(1, 0x10_0000, 0x10_0fff), .invalid),
        row("MAP into a reserved window", [attach(9, 1)], map(1, 0xf_f000, 0x10_0fff), .invalid),
        row("MAP around a reserved window", [attach(9, 1)], map(1, 0, 0xff_ffff), .invalid),
        row("MAP of the interrupts' window", [attach(9, 1)], map(1, 0xfee0_0000, 0xfee0_0fff), .invalid),
        row("MAP in another endpoint's window", [attach(8, 1)], map(1, 0x10_0000, 0x10_0fff), .ok, left: 1),
        row(
            "MAP in a window of an endpoint that left", [attach(8, 1), attach(9, 1), detach(9, 1)], map(1, 0x10_0000, 0x10_0fff), .ok,
            left: 1),
    ]

    static let unmaps = [
        row("UNMAP in no domain", [], unmap(1, 0, 0xfff), .noEntry),
        row("UNMAP in a bypass domain", [attach(8, 1, flags: 1)], unmap(1, 0, 0xfff), .invalid),
        row("UNMAP that ends before it begins", [attach(8, 1), map(1, 0, 0xfff)], unmap(1, 0x2000, 0), .range, left: 1),
        row("UNMAP of everything", [attach(8, 1), map(1, 0, 0xfff), map(1, 0x4000, 0x5fff)], unmap(1, 0, .max), .ok),
        row("UNMAP of everything where nothing is", [attach(8, 1)], unmap(1, 0, .max), .ok),
        row("UNMAP of one address in a mapping", [attach(8, 1), map(1, 0, 0xfff)], unmap(1, 7, 7), .range, left: 1),
        row("UNMAP of the end of a mapping", [attach(8, 1), map(1, 0, 0x1fff)], unmap(1, 0x1000, 0x1fff), .range, left: 1),
        row(
            "UNMAP of one and a part of the next", [attach(8, 1), map(1, 0, 0xfff), map(1, 0x1000, 0x2fff)], unmap(1, 0, 0x1fff), .range,
            left: 2),
        row("UNMAP twice", [attach(8, 1), map(1, 0, 0xfff), unmap(1, 0, 0xfff)], unmap(1, 0, 0xfff), .ok),
        row("UNMAP in the other domain", [attach(8, 1), attach(9, 2), map(1, 0, 0xfff)], unmap(2, 0, 0xfff), .ok, left: 1),
    ]

    /// §5.13.6.4, the list after "illustrated with the following requests".
    static let unmapExamples = [
        row("(1) nothing there", [attach(8, 1)], unmap(1, 0, 4), .ok),
        row("(2) just one", [attach(8, 1), map(1, 0, 9)], unmap(1, 0, 9), .ok),
        row("(3) two at once", [attach(8, 1), map(1, 0, 4, to: 0), map(1, 5, 9, to: 5)], unmap(1, 0, 9), .ok),
        row("(4) a part", [attach(8, 1), map(1, 0, 9)], unmap(1, 0, 4), .range, left: 1),
        row("(5) one of two", [attach(8, 1), map(1, 0, 4), map(1, 5, 9)], unmap(1, 0, 4), .ok, left: 1),
        row("(6) more than there is", [attach(8, 1), map(1, 0, 4)], unmap(1, 0, 9), .ok),
        row("(7) two with a hole between", [attach(8, 1), map(1, 0, 4), map(1, 10, 14)], unmap(1, 0, 14), .ok),
    ]
}
