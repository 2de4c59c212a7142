// FI_EP_DGRAM: messages of one frame; and ofi_rxd, libfabric's own reliability, over it.
#define FI_ENDPOINT_TYPE FI_EP_DGRAM
#include "pair.h"

static void datagrams(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN, .wait = FI_WAIT_UNSPEC};
    struct pair p;
    open_pair(&p, &choice);
    size_t longest = p.info->ep_attr->max_msg_size;
    CHECK(longest > 1000 && longest < 9000 && p.info->tx_attr->msg_order == FI_ORDER_NONE);
    uint8_t *from = malloc(longest + 1), *to = malloc(longest + 1);
    size_t sizes[] = {0, 1, 64, 1000, longest};
    for (unsigned i = 0; i < 5; i++) {
        fi_addr_t source = 0;
        fill(from, sizes[i], i);
        memset(to, 0xee, longest);
        CALL(fi_recv(p.b.ep, to, longest, NULL, FI_ADDR_UNSPEC, to));
        CALL(fi_senddata(p.a.ep, from, sizes[i], NULL, 1000 + i, p.a.peer, from));
        struct fi_cq_tagged_entry done = next(&p, p.b.rx, &source);
        CHECK(done.op_context == to && done.len == sizes[i] && source == p.b.peer && done.data == 1000 + i);
        CHECK(done.flags == (FI_RECV | FI_MSG | FI_REMOTE_CQ_DATA));
        CHECK(is_filled(to, sizes[i], i) && (sizes[i] == longest || to[sizes[i]] == 0xee));
        CHECK(next(&p, p.a.tx, NULL).op_context == from);
    }
    CHECK(fi_send(p.a.ep, from, longest + 1, NULL, p.a.peer, NULL) == -FI_EMSGSIZE);
    CHECK(fi_tinject(p.a.ep, from, 1, p.a.peer, 1) < 0);
    // In the order of posting; one too long is cut and told of.
    uint8_t first[8], second[8];
    CALL(fi_recv(p.b.ep, first, 4, NULL, FI_ADDR_UNSPEC, first));
    CALL(fi_recv(p.b.ep, second, 8, NULL, FI_ADDR_UNSPEC, second));
    CALL(fi_inject(p.a.ep, "12345678", 8, p.a.peer));
    struct fi_cq_err_entry error = next_error(&p, p.b.rx);
    CHECK(error.err == FI_ETRUNC && error.len == 4 && error.olen == 4 && error.op_context == first && !memcmp(first, "1234", 4));
    CALL(fi_cancel(&p.b.ep->fid, second));
    CHECK(next_error(&p, p.b.rx).err == FI_ECANCELED);
    CHECK(fi_cancel(&p.b.ep->fid, second) == -FI_ENOENT);
    // What nobody waits for stays in the NIC's ring, as far as it goes.
    for (int i = 0; i < 10; i++) CALL(fi_inject(p.a.ep, &i, sizeof i, p.a.peer));
    for (int i = 0; i < 50; i++) turn(&p);
    for (int i = 0; i < 10; i++) {
        int got = -1;
        CALL(fi_recv(p.b.ep, &got, sizeof got, NULL, FI_ADDR_UNSPEC, NULL));
        CHECK(next(&p, p.b.rx, NULL).len == sizeof got && got == i);
    }
    free(from);
    free(to);
    close_pair(&p);
}

static void under_rxd(void) {
    struct fi_info *hints = fi_allocinfo(), *info = NULL;
    hints->fabric_attr->prov_name = strdup("unic;ofi_rxd");
    hints->ep_attr->type = FI_EP_RDM;
    hints->caps = FI_TAGGED;
    // Only for those who ask: it would come first, and it is slow.
    CHECK(fi_getinfo(FI_VERSION(1, 17), NULL, NULL, 0, hints, &info) == -FI_ENODATA);
    setenv("UNIC_LAYERED", "1", 1);
    CALL(fi_getinfo(FI_VERSION(1, 17), NULL, NULL, 0, hints, &info));
    CHECK(!strcmp(info->fabric_attr->prov_name, "unic;ofi_rxd"));
    fi_freeinfo(info);
    fi_freeinfo(hints);
}

int main(void) {
    datagrams();
    under_rxd();
    puts("datagrams: ok");
    return 0;
}
