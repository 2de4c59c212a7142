import CVerbs
import Testing

@testable import VerbsProvider

@Suite struct WorkCompletionTests {
    @Test func programsSeeWhatWasMeant() {
        var completion = WorkCompletion(wrID: 5, status: .success, opcode: .receiveWrite, queuePair: 6)
        completion.byteCount = 7
        completion.sourceQueuePair = 8
        completion.immediate = 9
        completion.hasRouteHeader = true
        let code = completion.code
        #expect(code.wr_id == 5 && code.status == IBV_WC_SUCCESS && code.opcode == IBV_WC_RECV_RDMA_WITH_IMM && code.byte_len == 7)
        #expect(code.qp_num == 6 && code.src_qp == 8 && code.imm_data == 9)
        #expect(code.wc_flags == IBV_WC_GRH.rawValue | IBV_WC_WITH_IMM.rawValue)
        completion.immediate = nil
        completion.hasRouteHeader = false
        #expect(completion.code.wc_flags == 0)
    }

    @Test func theTransportsErrorsHaveNames() {
        #expect(WorkStatus(nil).code == IBV_WC_SUCCESS)
        #expect(WorkStatus(.truncated).code == IBV_WC_LOC_LEN_ERR)
        #expect(WorkStatus(.remoteAccess).code == IBV_WC_REM_ACCESS_ERR)
        #expect(WorkStatus(.peerFailed).code == IBV_WC_RETRY_EXC_ERR)
        #expect(WorkStatus(.canceled).code == IBV_WC_WR_FLUSH_ERR)
    }
}
