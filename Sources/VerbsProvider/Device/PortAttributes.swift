import CVerbs
import LinuxIO
import NicDriver

/// What a device says of itself: ibv_query_device(3), ibv_query_port(3).
enum PortAttributes {
    static let portNumber: UInt8 = 1
    static let partitionKey: UInt16 = 0xffff
    /// Of one message: what the transport's counters of bytes have room for.
    static let longestMessage: UInt32 = 1 << 30
    static let readLimit: Int32 = 16

    static func device(_ mac: MACAddress) -> ibv_device_attr {
        var attributes = ibv_device_attr()
        attributes.node_guid = NodeIdentifier.identifier(of: mac.bits).bigEndian
        attributes.sys_image_guid = attributes.node_guid
        attributes.max_mr_size = 1 << 47
        attributes.page_size_cap = 4096
        attributes.max_qp = Int32(QueuePairTable.capacity)
        attributes.max_qp_wr = Int32(QueuePairLimits.requests)
        attributes.max_sge = Int32(QueuePairLimits.pieces)
        attributes.max_sge_rd = Int32(QueuePairLimits.pieces)
        attributes.max_cq = 1 << 16
        attributes.max_cqe = Int32(CompletionQueue.entryLimit)
        attributes.max_mr = Int32(MemoryKeys.capacity)
        attributes.max_pd = 1 << 16
        attributes.max_qp_rd_atom = readLimit
        attributes.max_res_rd_atom = readLimit * attributes.max_qp
        attributes.max_qp_init_rd_atom = readLimit
        attributes.atomic_cap = IBV_ATOMIC_NONE
        attributes.max_ah = 1 << 16
        attributes.max_pkeys = 1
        attributes.phys_port_cnt = 1
        return attributes
    }

    static func port(linkIsUp: Bool, frameByteCount: Int) -> ibv_port_attr {
        var attributes = ibv_port_attr()
        attributes.state = linkIsUp ? IBV_PORT_ACTIVE : IBV_PORT_DOWN
        attributes.max_mtu = IBV_MTU_4096
        attributes.active_mtu = PathMTU.largest(frameByteCount: frameByteCount).code
        attributes.gid_tbl_len = 1
        attributes.max_msg_sz = longestMessage
        attributes.pkey_tbl_len = 1
        attributes.max_vl_num = 1
        // 4 lanes of 2.5 Gb/s, links up and disabled (ibv_query_port(3); rdma-core, libibverbs/examples/devinfo.c has the numbers).
        attributes.active_width = 2
        attributes.active_speed = 1
        attributes.phys_state = linkIsUp ? 5 : 3
        attributes.link_layer = UInt8(IBV_LINK_LAYER_ETHERNET)
        return attributes
    }
}

extension PortName {
    init?(_ gid: ibv_gid) {
        // SAFETY: both members of the union are its 16 bytes.
        unsafe self.init(high: UInt64(bigEndian: gid.global.subnet_prefix), low: UInt64(bigEndian: gid.global.interface_id))
    }

    var gid: ibv_gid {
        var gid = ibv_gid()
        // SAFETY: as above.
        unsafe gid.global.subnet_prefix = high.bigEndian
        unsafe gid.global.interface_id = low.bigEndian
        return gid
    }
}
