/// VFIO_USER_VERSION, request and reply: "VFIO_USER_VERSION".
///
///     0  major    2  minor    4  JSON with its NUL, or nothing
public struct VersionMessage: Equatable, Sendable {
    public var major: UInt16
    public var minor: UInt16
    public var capabilities: Capabilities

    public init(major: UInt16, minor: UInt16, capabilities: Capabilities) {
        self.major = major
        self.minor = minor
        self.capabilities = capabilities
    }

    public static func parse(_ bytes: [UInt8], descriptorCount: Int = 0) throws(MessageError) -> VersionMessage {
        guard bytes.count >= 4 else { throw .length(message: Command.version.name, expected: 4, actual: bytes.count) }
        guard descriptorCount == 0 else { throw .descriptors(message: Command.version.name, expected: 0, actual: descriptorCount) }
        var capabilities = Capabilities()
        if bytes.count > 4 {
            guard bytes.last == 0 else { throw .json("it does not end with NUL") }
            capabilities = try Capabilities.parse(Array(bytes[4..<(bytes.count - 1)]))
        }
        return VersionMessage(major: bytes.field16(at: 0), minor: bytes.field16(at: 2), capabilities: capabilities)
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append16(major)
        bytes.append16(minor)
        bytes += Array(capabilities.json.utf8)
        bytes.append(0)
        return bytes
    }
}

/// What a side said of itself; nil where it said nothing. "Capabilities" of VFIO_USER_VERSION.
public struct Capabilities: Equatable, Sendable {
    /// Descriptors that the sender takes in one message.
    public var maximumMessageDescriptors: UInt64?
    /// Bytes of data in one read or write.
    public var maximumTransferByteCount: UInt64?
    public var maximumDMAMaps: UInt64?
    /// Page sizes in bytes, as a bit mask.
    public var pageSizes: UInt64?
    /// VFIO_USER_REGION_WRITE_MULTI is understood.
    public var writeMultiple: Bool?
    /// The server's commands may have a socket of their own.
    public var twinSocket: TwinSocket?
    /// The device's state and the pages that it wrote can be asked for.
    public var migration: Migration?

    /// QEMU 11.1 sends it (hw/vfio-user/proxy.c, VFIO_USER_CAP_MIGR), the text has it no more: earlier ones said what the
    /// members mean, of each the smaller value of both sides holds.
    public struct Migration: Equatable, Sendable {
        /// Bytes a bit of a bitmap of written pages stands for.
        public var pageByteCount: UInt64?
        /// Of a bitmap, in bytes.
        public var maximumBitmapByteCount: UInt64?
        public init(pageByteCount: UInt64? = nil, maximumBitmapByteCount: UInt64? = nil) {
            self.pageByteCount = pageByteCount
            self.maximumBitmapByteCount = maximumBitmapByteCount
        }
    }

    public struct TwinSocket: Equatable, Sendable {
        public var isSupported: Bool
        /// In a reply: which of the message's descriptors it is.
        public var descriptorIndex: UInt64?
        public init(isSupported: Bool, descriptorIndex: UInt64? = nil) {
            self.isSupported = isSupported
            self.descriptorIndex = descriptorIndex
        }
    }

    public init(
        maximumMessageDescriptors: UInt64? = nil, maximumTransferByteCount: UInt64? = nil, maximumDMAMaps: UInt64? = nil,
        pageSizes: UInt64? = nil, writeMultiple: Bool? = nil, twinSocket: TwinSocket? = nil, migration: Migration? = nil
    ) {
        self.maximumMessageDescriptors = maximumMessageDescriptors
        self.maximumTransferByteCount = maximumTransferByteCount
        self.maximumDMAMaps = maximumDMAMaps
        self.pageSizes = pageSizes
        self.writeMultiple = writeMultiple
        self.twinSocket = twinSocket
        self.migration = migration
    }

    // What the text says holds where a side says nothing.
    public static let defaultMessageDescriptors: UInt64 = 1
    public static let defaultTransferByteCount: UInt64 = 1_048_576
    public static let defaultDMAMaps: UInt64 = 65535
    public static let defaultPageSizes: UInt64 = 4096

    /// Unknown keys, and known ones with a value of another type, count as not said.
    static func parse(_ json: [UInt8]) throws(MessageError) -> Capabilities {
        let root = try JSONValue.parse(json)
        guard case .object = root else { throw .json("it is not an object") }
        guard let given = root["capabilities"] else { return Capabilities() }
        guard case .object = given else { throw .json("capabilities are not an object") }
        var capabilities = Capabilities()
        capabilities.maximumMessageDescriptors = given["max_msg_fds"]?.wholeNumber
        capabilities.maximumTransferByteCount = given["max_data_xfer_size"]?.wholeNumber
        capabilities.maximumDMAMaps = given["max_dma_maps"]?.wholeNumber
        capabilities.pageSizes = given["pgsizes"]?.wholeNumber
        if case .boolean(let value) = given["write_multiple"] { capabilities.writeMultiple = value }
        if let twin = given["twin_socket"], case .object = twin {
            var isSupported = false
            if case .boolean(let value) = twin["supported"] { isSupported = value }
            capabilities.twinSocket = TwinSocket(isSupported: isSupported, descriptorIndex: twin["fd_index"]?.wholeNumber)
        }
        if let migration = given["migration"], case .object = migration {
            capabilities.migration = Migration(
                pageByteCount: migration["pgsize"]?.wholeNumber, maximumBitmapByteCount: migration["max_bitmap_size"]?.wholeNumber)
        }
        return capabilities
    }

    var json: String {
        var members: [String] = []
        if let value = maximumMessageDescriptors { members.append("\"max_msg_fds\":\(value)") }
        if let value = maximumTransferByteCount { members.append("\"max_data_xfer_size\":\(value)") }
        if let value = maximumDMAMaps { members.append("\"max_dma_maps\":\(value)") }
        if let value = pageSizes { members.append("\"pgsizes\":\(value)") }
        if let value = writeMultiple { members.append("\"write_multiple\":\(value)") }
        if let value = twinSocket {
            let index = value.descriptorIndex.map { ",\"fd_index\":\($0)" } ?? ""
            members.append("\"twin_socket\":{\"supported\":\(value.isSupported)\(index)}")
        }
        if let value = migration {
            let parts = [("pgsize", value.pageByteCount), ("max_bitmap_size", value.maximumBitmapByteCount)].compactMap { name, number in
                number.map { "\"\(name)\":\($0)" }
            }
            members.append("\"migration\":{\(parts.joined(separator: ","))}")
        }
        return "{\"capabilities\":{\(members.joined(separator: ","))}}"
    }
}
