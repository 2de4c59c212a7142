/// Statistics registers of the 82574L. Each stops at its maximum and is zeroed by a read.
///
/// Of the 64-bit counters (GORC, GOTC, TOR, TOT) read the low half first: the high half's read zeroes both.
/// Offsets and modes: Linux drivers/net/ethernet/intel/e1000e/regs.h (E1000_NAME).

extension E1000E {
    /// Frames with a CRC error (RC). E1000_CRCERRS.
    @inlinable public static var crcerrs: Register<UInt32, ReadClears> { .init(0x04000) }
    /// Frames with an alignment error (RC). E1000_ALGNERRC.
    @inlinable public static var algnerrc: Register<UInt32, ReadClears> { .init(0x04004) }
    /// Symbol errors (RC). E1000_SYMERRS.
    @inlinable public static var symerrs: Register<UInt32, ReadClears> { .init(0x04008) }
    /// Receive errors (RC). E1000_RXERRC.
    @inlinable public static var rxerrc: Register<UInt32, ReadClears> { .init(0x0400c) }
    /// Frames missed for want of buffer space (RC). E1000_MPC.
    @inlinable public static var mpc: Register<UInt32, ReadClears> { .init(0x04010) }
    /// Frames sent after one collision (RC). E1000_SCC.
    @inlinable public static var scc: Register<UInt32, ReadClears> { .init(0x04014) }
    /// Excessive collisions (RC). E1000_ECOL.
    @inlinable public static var ecol: Register<UInt32, ReadClears> { .init(0x04018) }
    /// Frames sent after several collisions (RC). E1000_MCC.
    @inlinable public static var mcc: Register<UInt32, ReadClears> { .init(0x0401c) }
    /// Late collisions (RC). E1000_LATECOL.
    @inlinable public static var latecol: Register<UInt32, ReadClears> { .init(0x04020) }
    /// Collisions (RC). E1000_COLC.
    @inlinable public static var colc: Register<UInt32, ReadClears> { .init(0x04028) }
    /// Deferred sends (RC). E1000_DC.
    @inlinable public static var dc: Register<UInt32, ReadClears> { .init(0x04030) }
    /// Sends without carrier sense (RC). E1000_TNCRS.
    @inlinable public static var tncrs: Register<UInt32, ReadClears> { .init(0x04034) }
    /// Sequence errors (RC). E1000_SEC.
    @inlinable public static var sec: Register<UInt32, ReadClears> { .init(0x04038) }
    /// Carrier extension errors (RC). E1000_CEXTERR.
    @inlinable public static var cexterr: Register<UInt32, ReadClears> { .init(0x0403c) }
    /// Receive length errors (RC). E1000_RLEC.
    @inlinable public static var rlec: Register<UInt32, ReadClears> { .init(0x04040) }
    /// XON received (RC). E1000_XONRXC.
    @inlinable public static var xonrxc: Register<UInt32, ReadClears> { .init(0x04048) }
    /// XON sent (RC). E1000_XONTXC.
    @inlinable public static var xontxc: Register<UInt32, ReadClears> { .init(0x0404c) }
    /// XOFF received (RC). E1000_XOFFRXC.
    @inlinable public static var xoffrxc: Register<UInt32, ReadClears> { .init(0x04050) }
    /// XOFF sent (RC). E1000_XOFFTXC.
    @inlinable public static var xofftxc: Register<UInt32, ReadClears> { .init(0x04054) }
    /// Unsupported flow control frames received (RC). E1000_FCRUC.
    @inlinable public static var fcruc: Register<UInt32, ReadClears> { .init(0x04058) }
    /// Received frames of 64 bytes (RC). E1000_PRC64.
    @inlinable public static var prc64: Register<UInt32, ReadClears> { .init(0x0405c) }
    /// Received frames of 65 to 127 bytes (RC). E1000_PRC127.
    @inlinable public static var prc127: Register<UInt32, ReadClears> { .init(0x04060) }
    /// Received frames of 128 to 255 bytes (RC). E1000_PRC255.
    @inlinable public static var prc255: Register<UInt32, ReadClears> { .init(0x04064) }
    /// Received frames of 256 to 511 bytes (RC). E1000_PRC511.
    @inlinable public static var prc511: Register<UInt32, ReadClears> { .init(0x04068) }
    /// Received frames of 512 to 1023 bytes (RC). E1000_PRC1023.
    @inlinable public static var prc1023: Register<UInt32, ReadClears> { .init(0x0406c) }
    /// Received frames of 1024 bytes and more (RC). E1000_PRC1522.
    @inlinable public static var prc1522: Register<UInt32, ReadClears> { .init(0x04070) }
    /// Good frames received (RC). E1000_GPRC.
    @inlinable public static var gprc: Register<UInt32, ReadClears> { .init(0x04074) }
    /// Broadcast frames received (RC). E1000_BPRC.
    @inlinable public static var bprc: Register<UInt32, ReadClears> { .init(0x04078) }
    /// Multicast frames received (RC). E1000_MPRC.
    @inlinable public static var mprc: Register<UInt32, ReadClears> { .init(0x0407c) }
    /// Good frames sent (RC). E1000_GPTC.
    @inlinable public static var gptc: Register<UInt32, ReadClears> { .init(0x04080) }
    /// Good bytes received, low half (RC). E1000_GORCL.
    @inlinable public static var gorcl: Register<UInt32, ReadClears> { .init(0x04088) }
    /// Good bytes received, high half (RC). E1000_GORCH.
    @inlinable public static var gorch: Register<UInt32, ReadClears> { .init(0x0408c) }
    /// Good bytes sent, low half (RC). E1000_GOTCL.
    @inlinable public static var gotcl: Register<UInt32, ReadClears> { .init(0x04090) }
    /// Good bytes sent, high half (RC). E1000_GOTCH.
    @inlinable public static var gotch: Register<UInt32, ReadClears> { .init(0x04094) }
    /// Frames received with no descriptor free (RC). E1000_RNBC.
    @inlinable public static var rnbc: Register<UInt32, ReadClears> { .init(0x040a0) }
    /// Undersized frames received (RC). E1000_RUC.
    @inlinable public static var ruc: Register<UInt32, ReadClears> { .init(0x040a4) }
    /// Fragments received (RC). E1000_RFC.
    @inlinable public static var rfc: Register<UInt32, ReadClears> { .init(0x040a8) }
    /// Oversized frames received (RC). E1000_ROC.
    @inlinable public static var roc: Register<UInt32, ReadClears> { .init(0x040ac) }
    /// Jabbers received (RC). E1000_RJC.
    @inlinable public static var rjc: Register<UInt32, ReadClears> { .init(0x040b0) }
    /// Management frames received (RC). E1000_MGTPRC.
    @inlinable public static var mgtprc: Register<UInt32, ReadClears> { .init(0x040b4) }
    /// Management frames dropped (RC). E1000_MGTPDC.
    @inlinable public static var mgtpdc: Register<UInt32, ReadClears> { .init(0x040b8) }
    /// Management frames sent (RC). E1000_MGTPTC.
    @inlinable public static var mgtptc: Register<UInt32, ReadClears> { .init(0x040bc) }
    /// All bytes received, low half (RC). E1000_TORL.
    @inlinable public static var torl: Register<UInt32, ReadClears> { .init(0x040c0) }
    /// All bytes received, high half (RC). E1000_TORH.
    @inlinable public static var torh: Register<UInt32, ReadClears> { .init(0x040c4) }
    /// All bytes sent, low half (RC). E1000_TOTL.
    @inlinable public static var totl: Register<UInt32, ReadClears> { .init(0x040c8) }
    /// All bytes sent, high half (RC). E1000_TOTH.
    @inlinable public static var toth: Register<UInt32, ReadClears> { .init(0x040cc) }
    /// All frames received (RC). E1000_TPR.
    @inlinable public static var tpr: Register<UInt32, ReadClears> { .init(0x040d0) }
    /// All frames sent (RC). E1000_TPT.
    @inlinable public static var tpt: Register<UInt32, ReadClears> { .init(0x040d4) }
    /// Sent frames of 64 bytes (RC). E1000_PTC64.
    @inlinable public static var ptc64: Register<UInt32, ReadClears> { .init(0x040d8) }
    /// Sent frames of 65 to 127 bytes (RC). E1000_PTC127.
    @inlinable public static var ptc127: Register<UInt32, ReadClears> { .init(0x040dc) }
    /// Sent frames of 128 to 255 bytes (RC). E1000_PTC255.
    @inlinable public static var ptc255: Register<UInt32, ReadClears> { .init(0x040e0) }
    /// Sent frames of 256 to 511 bytes (RC). E1000_PTC511.
    @inlinable public static var ptc511: Register<UInt32, ReadClears> { .init(0x040e4) }
    /// Sent frames of 512 to 1023 bytes (RC). E1000_PTC1023.
    @inlinable public static var ptc1023: Register<UInt32, ReadClears> { .init(0x040e8) }
    /// Sent frames of 1024 bytes and more (RC). E1000_PTC1522.
    @inlinable public static var ptc1522: Register<UInt32, ReadClears> { .init(0x040ec) }
    /// Multicast frames sent (RC). E1000_MPTC.
    @inlinable public static var mptc: Register<UInt32, ReadClears> { .init(0x040f0) }
    /// Broadcast frames sent (RC). E1000_BPTC.
    @inlinable public static var bptc: Register<UInt32, ReadClears> { .init(0x040f4) }
    /// Segmentation contexts sent (RC). E1000_TSCTC.
    @inlinable public static var tsctc: Register<UInt32, ReadClears> { .init(0x040f8) }
    /// Segmentation contexts failed (RC). E1000_TSCTFC.
    @inlinable public static var tsctfc: Register<UInt32, ReadClears> { .init(0x040fc) }
    /// Interrupts raised (RC). E1000_IAC.
    @inlinable public static var iac: Register<UInt32, ReadClears> { .init(0x04100) }
    /// Interrupts by the receive timer (RC). E1000_ICRXPTC.
    @inlinable public static var icrxptc: Register<UInt32, ReadClears> { .init(0x04104) }
    /// Interrupts by the absolute receive timer (RC). E1000_ICRXATC.
    @inlinable public static var icrxatc: Register<UInt32, ReadClears> { .init(0x04108) }
    /// Interrupts by the transmit timer (RC). E1000_ICTXPTC.
    @inlinable public static var ictxptc: Register<UInt32, ReadClears> { .init(0x0410c) }
    /// Interrupts by the absolute transmit timer (RC). E1000_ICTXATC.
    @inlinable public static var ictxatc: Register<UInt32, ReadClears> { .init(0x04110) }
    /// Interrupts by an empty transmit queue (RC). E1000_ICTXQEC.
    @inlinable public static var ictxqec: Register<UInt32, ReadClears> { .init(0x04118) }
    /// Interrupts by the transmit threshold (RC). E1000_ICTXQMTC.
    @inlinable public static var ictxqmtc: Register<UInt32, ReadClears> { .init(0x0411c) }
    /// Interrupts by the receive threshold (RC). E1000_ICRXDMTC.
    @inlinable public static var icrxdmtc: Register<UInt32, ReadClears> { .init(0x04120) }
    /// Interrupts by receive overruns (RC). E1000_ICRXOC.
    @inlinable public static var icrxoc: Register<UInt32, ReadClears> { .init(0x04124) }

    /// This file's rows, in order.
    static let statisticsRows: [RegisterRow] = [
        RegisterRow("CRCERRS", crcerrs),
        RegisterRow("ALGNERRC", algnerrc),
        RegisterRow("SYMERRS", symerrs),
        RegisterRow("RXERRC", rxerrc),
        RegisterRow("MPC", mpc),
        RegisterRow("SCC", scc),
        RegisterRow("ECOL", ecol),
        RegisterRow("MCC", mcc),
        RegisterRow("LATECOL", latecol),
        RegisterRow("COLC", colc),
        RegisterRow("DC", dc),
        RegisterRow("TNCRS", tncrs),
        RegisterRow("SEC", sec),
        RegisterRow("CEXTERR", cexterr),
        RegisterRow("RLEC", rlec),
        RegisterRow("XONRXC", xonrxc),
        RegisterRow("XONTXC", xontxc),
        RegisterRow("XOFFRXC", xoffrxc),
        RegisterRow("XOFFTXC", xofftxc),
        RegisterRow("FCRUC", fcruc),
        RegisterRow("PRC64", prc64),
        RegisterRow("PRC127", prc127),
        RegisterRow("PRC255", prc255),
        RegisterRow("PRC511", prc511),
        RegisterRow("PRC1023", prc1023),
        RegisterRow("PRC1522", prc1522),
        RegisterRow("GPRC", gprc),
        RegisterRow("BPRC", bprc),
        RegisterRow("MPRC", mprc),
        RegisterRow("GPTC", gptc),
        RegisterRow("GORCL", gorcl),
        RegisterRow("GORCH", gorch),
        RegisterRow("GOTCL", gotcl),
        RegisterRow("GOTCH", gotch),
        RegisterRow("RNBC", rnbc),
        RegisterRow("RUC", ruc),
        RegisterRow("RFC", rfc),
        RegisterRow("ROC", roc),
        RegisterRow("RJC", rjc),
        RegisterRow("MGTPRC", mgtprc),
        RegisterRow("MGTPDC", mgtpdc),
        RegisterRow("MGTPTC", mgtptc),
        RegisterRow("TORL", torl),
        RegisterRow("TORH", torh),
        RegisterRow("TOTL", totl),
        RegisterRow("TOTH", toth),
        RegisterRow("TPR", tpr),
        RegisterRow("TPT", tpt),
        RegisterRow("PTC64", ptc64),
        RegisterRow("PTC127", ptc127),
        RegisterRow("PTC255", ptc255),
        RegisterRow("PTC511", ptc511),
        RegisterRow("PTC1023", ptc1023),
        RegisterRow("PTC1522", ptc1522),
        RegisterRow("MPTC", mptc),
        RegisterRow("BPTC", bptc),
        RegisterRow("TSCTC", tsctc),
        RegisterRow("TSCTFC", tsctfc),
        RegisterRow("IAC", iac),
        RegisterRow("ICRXPTC", icrxptc),
        RegisterRow("ICRXATC", icrxatc),
        RegisterRow("ICTXPTC", ictxptc),
        RegisterRow("ICTXATC", ictxatc),
        RegisterRow("ICTXQEC", ictxqec),
        RegisterRow("ICTXQMTC", ictxqmtc),
        RegisterRow("ICRXDMTC", icrxdmtc),
        RegisterRow("ICRXOC", icrxoc),
    ]
}
