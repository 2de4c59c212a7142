// fi_getinfo: what fits, what does not, and what is chosen.
#include "pair.h"

static struct fi_info *with(uint32_t version, void (*change)(struct fi_info *)) {
    struct fi_info *hints = make_hints();
    change(hints);
    struct fi_info *info = ask(version, hints);
    fi_freeinfo(hints);
    return info;
}
static void refused(int line, uint32_t version, void (*change)(struct fi_info *)) {
    struct fi_info *info = with(version, change);
    if (info) fprintf(stderr, "hints of line %d were accepted\n", line), exit(1);
}
#define REFUSED(body)                                                                                                                      \
    do {                                                                                                                                   \
        void change_(struct fi_info *h) { (void)h; body; }                                                                                          \
        refused(__LINE__, FI_VERSION(1, 17), change_);                                                                                     \
    } while (0)
#define ACCEPTED(version, body, check)                                                                                                     \
    do {                                                                                                                                   \
        void change_(struct fi_info *h) { (void)h; body; }                                                                                          \
        struct fi_info *i = with(version, change_);                                                                                        \
        CHECK(i);                                                                                                                          \
        CHECK(check);                                                                                                                      \
        fi_freeinfo(i);                                                                                                                    \
    } while (0)

int main(void) {
    const uint32_t now = FI_VERSION(1, 17);
    REFUSED(h->ep_attr->type = FI_EP_MSG);
    REFUSED(h->caps |= FI_MULTICAST);
    REFUSED(h->caps |= FI_HMEM);
    REFUSED(h->addr_format = FI_SOCKADDR_IN);
    REFUSED(h->ep_attr->protocol = FI_PROTO_RXM);
    REFUSED(h->ep_attr->max_msg_size = SIZE_MAX / 2);
    REFUSED(h->ep_attr->tx_ctx_cnt = 2);
    REFUSED(h->ep_attr->rx_ctx_cnt = FI_SHARED_CONTEXT);
    REFUSED(h->tx_attr->msg_order = FI_ORDER_SAW);
    REFUSED(h->tx_attr->inject_size = 1 << 20);
    REFUSED(h->tx_attr->size = 1 << 30);
    REFUSED(h->rx_attr->iov_limit = 5);
    REFUSED(h->rx_attr->comp_order = FI_ORDER_STRICT);
    REFUSED(h->domain_attr->mr_mode = FI_MR_BASIC);
    REFUSED(h->domain_attr->cq_data_size = 9);
    REFUSED(h->domain_attr->name = strdup("another"));
    REFUSED(h->fabric_attr->name = strdup("another"));

    ACCEPTED(now, h->domain_attr->threading = FI_THREAD_DOMAIN, i->domain_attr->threading == FI_THREAD_DOMAIN);
    ACCEPTED(now, , i->domain_attr->threading == FI_THREAD_SAFE && i->next == NULL);
    ACCEPTED(now, h->domain_attr->av_type = FI_AV_TABLE, i->domain_attr->av_type == FI_AV_TABLE);
    ACCEPTED(now, h->domain_attr->av_type = FI_AV_MAP, i->domain_attr->av_type == FI_AV_MAP);
    ACCEPTED(now, h->domain_attr->mr_mode = FI_MR_SCALABLE, i->domain_attr->mr_mode == FI_MR_SCALABLE);
    ACCEPTED(now, h->domain_attr->mr_mode = FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY, i->domain_attr->mr_mode == 0);
    ACCEPTED(FI_VERSION(1, 4), h->domain_attr->mr_mode = FI_MR_UNSPEC, i->domain_attr->mr_mode == FI_MR_SCALABLE);
    ACCEPTED(now, h->caps = 0, (i->caps & (FI_TAGGED | FI_RMA | FI_DIRECTED_RECV)) == (FI_TAGGED | FI_RMA | FI_DIRECTED_RECV));
    // Primary capabilities only for those who ask, with their directions.
    ACCEPTED(now, h->caps = FI_MSG, !(i->caps & (FI_TAGGED | FI_RMA | FI_DIRECTED_RECV)) && (i->caps & FI_SEND) && (i->caps & FI_RECV));
    ACCEPTED(now, h->caps = FI_TAGGED | FI_SEND, (i->caps & FI_SEND) && !(i->caps & FI_RECV));
    ACCEPTED(now, h->tx_attr->op_flags = FI_DELIVERY_COMPLETE, i->tx_attr->op_flags == FI_DELIVERY_COMPLETE);
    ACCEPTED(now, h->mode = FI_CONTEXT | FI_CONTEXT2, i->mode == 0);
    ACCEPTED(now, (h->dest_addr = calloc(1, 24), h->dest_addrlen = 24), i->dest_addr && i->dest_addrlen == 24);
    ACCEPTED(now, , !strcmp(i->fabric_attr->prov_name, "unic") && !strcmp(i->fabric_attr->name, "unic") && i->domain_attr->name);

    struct fi_info *info = NULL;
    struct fi_info *hints = make_hints();
    CHECK(fi_getinfo(now, "localhost", NULL, 0, hints, &info) == -FI_ENODATA);
    fi_freeinfo(hints);
    puts("hints: ok");
    return 0;
}
