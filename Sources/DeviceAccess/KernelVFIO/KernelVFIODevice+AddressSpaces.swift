import LinuxIO

/// Functions for who decides which address space their DMA goes through: a relay, whose guest has an IOMMU.
extension KernelVFIODevice: AttachableDevice {
    /// Opens a function whose DMA is blocked until it is attached to an address space of the context.
    /// ``dmaLimits`` says what an address space with the function alone in it can map.
    public convenience init(url: String, address: PCIAddress, context: IOMMUFDContext) throws(DeviceError) {
        try self.init(VFIOSubject(url: url, address: address, group: nil, paths: KernelPaths()), context: context)
    }

    convenience init(_ nameless: VFIOSubject, context: IOMMUFDContext) throws(DeviceError) {
        let subject = try KernelVFIODevice.judged(nameless)
        try subject.checkIOMMUFD()
        let device = try context.bind(subject)
        let scratch = try context.makeAddressSpace()
        do { try scratch.attach(device, "\(subject.address)") } catch { throw subject.cannotAttach(error) }
        let limits = try scratch.limits()
        do { try IOAS.detach(device, "\(subject.address)") } catch { throw subject.failed(error, fix: "See `dmesg`.") }
        let choice = BackendChoice(
            device: subject.url, backend: .iommufd, nodes: [try subject.deviceNode(), subject.paths.iommu], group: subject.group,
            limits: limits, passedOver: [])
        try self.init(device, subject, choice, .blocked(context))
    }

    /// Opens a function of the group that the address space is of.
    public convenience init(url: String, address: PCIAddress, space: Type1AddressSpace) throws(DeviceError) {
        try self.init(VFIOSubject(url: url, address: address, group: nil, paths: KernelPaths()), space: space)
    }

    convenience init(_ nameless: VFIOSubject, space: Type1AddressSpace) throws(DeviceError) {
        let subject = try KernelVFIODevice.judged(nameless)
        let device = try space.openDevice(subject)
        let choice = BackendChoice(
            device: subject.url, backend: .type1, nodes: space.nodes(subject), group: subject.group, limits: try space.limits(),
            passedOver: [])
        try self.init(device, subject, choice, .given(space))
    }

    /// With its group's number, after what can be said without opening anything.
    private static func judged(_ nameless: VFIOSubject) throws(DeviceError) -> VFIOSubject {
        guard nameless.sysfs.exists else { throw nameless.noFunction() }
        var subject = nameless
        subject.group = try nameless.checkSetup()
        return subject
    }

    /// Of the context that the function was opened with. What it was attached to before, it leaves in the same call.
    public func attach(_ space: IOAS) throws(DeviceError) {
        do {
            try withDevice { file throws(SystemCallError) in try space.attach(file, "\(address)") }
        } catch { throw subject.cannotAttach(error) }
        move(to: .given(space))
    }

    /// Its DMA is blocked then, by the kernel's own blocking domain.
    public func detach() throws(DeviceError) {
        guard let context = attachedContext else { return }
        do {
            try withDevice { file throws(SystemCallError) in try IOAS.detach(file, "\(address)") }
        } catch { throw subject.failed(error, fix: "See `dmesg`.") }
        move(to: .blocked(context))
    }
}
