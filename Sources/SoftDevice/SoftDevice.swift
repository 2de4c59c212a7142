public import DeviceAccess
public import DeviceModel
import LinuxIO

/// The seam over a device model in this process: `soft:`. No privilege, no other process, no thread.
///
/// The model belongs to the thread of its port, which steps it (``step()``) after each batch. It sees the driver's memory
/// through the ``DeviceEnvironment``'s DMA space only, as a real device sees it through an IOMMU.
public final class SoftDevice<Model: DeviceModel & ~Copyable>: DeviceProgress, DeviceAccess {
    public let url: String
    let environment: DeviceEnvironment
    @usableFromInline var model: Model
    let function: FunctionDescription

    /// - Parameters:
    ///   - environment: the one that the model was made with.
    ///   - model: the function; it lives as long as this device.
    public init(url: String, environment: DeviceEnvironment, model: consuming Model) {
        self.url = url
        self.environment = environment
        function = model.function
        self.model = model
    }

    public var progress: DeviceProgress? { self }

    /// In this process nothing can be pulled out.
    public func checkPresence() throws(DeviceError) {}

    /// Config space, interrupts, mapped registers and the model at power-on. DMA mappings are the IOMMU's: they stay.
    public func reset() throws(DeviceError) {
        environment.resetToPowerOn()
        model.reset()
    }

    // MARK: Progress

    @inlinable public override func step() -> Bool { model.progress() }
    public override func armWake() -> Int32? { model.armWake() }
    public override func disarmWake() { model.disarmWake() }
}
