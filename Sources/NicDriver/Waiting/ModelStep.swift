import DeviceAccess

/// The model of a device that lives in this process, which whoever drives the device steps: nothing for hardware.
///
/// It holds no reference: on the data path one would be retained and released with each batch. Safety duty of whoever makes one: the
/// device is kept as long as this is used.
@safe struct ModelStep: @unchecked Sendable {
    private let model: Unmanaged<DeviceProgress>?

    @unsafe init(of device: any DeviceAccess) {
        // SAFETY: the caller keeps the device, which keeps its model.
        unsafe model = device.progress.map { unsafe Unmanaged.passUnretained($0) }
    }

    @inline(__always) func callAsFunction() {
        // SAFETY: as init says.
        if let model = unsafe model { unsafe model._withUnsafeGuaranteedRef { _ = $0.step() } }
    }
}
