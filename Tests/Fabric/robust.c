// Calls that make no sense, and a fork: an error each, and nobody falls.
#include "pair.h"
#include <sys/wait.h>
#include <unistd.h>

static void addresses(struct pair *p) {
    uint8_t wrong[48] = {0};
    fi_addr_t numbers[2] = {1, 1};
    int errors[2] = {0, 0};
    CHECK(fi_av_insert(p->a.av, wrong, 2, numbers, FI_SYNC_ERR, errors) == 0);
    CHECK(numbers[0] == FI_ADDR_NOTAVAIL && errors[0] == FI_EINVAL && errors[1] == FI_EINVAL);
    uint8_t name[24], read[24];
    size_t length = 24;
    CALL(fi_getname(&p->b.ep->fid, name, &length));
    length = sizeof read;
    CALL(fi_av_lookup(p->a.av, p->a.peer, read, &length));
    CHECK(length == 24 && !memcmp(read, name, 24));
    CHECK(fi_av_lookup(p->a.av, 12345, read, &length) == -FI_ENOENT);
    char text[128];
    length = sizeof text;
    CHECK(fi_av_straddr(p->a.av, name, text, &length) == text);
    CHECK(!strncmp(text, "fi_unic://", 10) && length == strlen(text) + 1);
    length = 12;
    fi_av_straddr(p->a.av, name, text, &length);
    CHECK(strlen(text) == 11 && length > 12);
    // Removed, inserted again: messages come through.
    CALL(fi_av_remove(p->a.av, &p->a.peer, 1, 0));
    CHECK(fi_tinject(p->a.ep, "x", 1, p->a.peer, 1) == -FI_EINVAL);
    CHECK(fi_av_remove(p->a.av, &p->a.peer, 1, 0) == -FI_EINVAL);
    CHECK(fi_av_insert(p->a.av, name, 1, &p->a.peer, 0, NULL) == 1);
    char got = 0;
    CALL(fi_trecv(p->b.ep, &got, 1, NULL, FI_ADDR_UNSPEC, 1, 0, NULL));
    CALL(fi_tinject(p->a.ep, "x", 1, p->a.peer, 1));
    next(p, p->b.rx, NULL);
    CHECK(got == 'x');
}

// More peers than an endpoint has places for: those that have none are refused, and the number goes to another.
static void too_many(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN};
    struct pair p;
    open_pair(&p, &choice);
    enum { MANY = 20000 };
    uint8_t *names = malloc(24 * MANY), back[24];
    fi_addr_t *numbers = malloc(MANY * sizeof *numbers);
    int *errors = malloc(MANY * sizeof *errors);
    size_t length = 24;
    for (uint32_t i = 0; i < MANY; i++) {
        CALL(fi_getname(&p.b.ep->fid, names + 24 * i, &length));
        // Another life at the same port.
        memcpy(names + 24 * i + 16, &i, sizeof i);
    }
    int inserted = fi_av_insert(p.a.av, names, MANY, numbers, FI_SYNC_ERR, errors);
    CHECK(inserted > 10000 && inserted < MANY);
    CHECK(errors[inserted - 1] == 0 && errors[inserted] == FI_ENOMEM && errors[MANY - 1] == FI_ENOMEM);
    CHECK(numbers[inserted] == FI_ADDR_NOTAVAIL && numbers[inserted - 1] != FI_ADDR_NOTAVAIL);
    CHECK(fi_av_lookup(p.a.av, numbers[inserted - 1] + 1, back, &length) == -FI_ENOENT);
    // One that is known already has a place, and the next number.
    fi_addr_t again;
    CHECK(fi_av_insert(p.a.av, names, 1, &again, 0, NULL) == 1 && again == numbers[inserted - 1] + 1);
    close_pair(&p);
    free(names);
    free(numbers);
    free(errors);
}

// What means nothing, and what is filled in.
static void attributes(struct pair *p) {
    struct fid_av *vector;
    struct fi_av_attr av = {.type = FI_AV_UNSPEC, .count = 1};
    CALL(fi_av_open(p->a.domain, &av, &vector, NULL));
    CHECK(av.type == FI_AV_TABLE);
    CALL(fi_close(&vector->fid));
    // Without FI_HMEM nobody looks at the interface.
    char bytes[8];
    struct iovec piece = {bytes, sizeof bytes};
    struct fi_mr_attr region = {.mr_iov = &piece, .iov_count = 1, .access = FI_REMOTE_READ, .requested_key = 3, .iface = FI_HMEM_CUDA};
    struct fid_mr *mr;
    CALL(fi_mr_regattr(p->a.domain, &region, 0, &mr));
    CALL(fi_close(&mr->fid));
}

static void names(struct pair *p) {
    size_t length = 0;
    CHECK(fi_getname(&p->a.ep->fid, NULL, &length) == -FI_ETOOSMALL && length == 24);
    uint8_t part[8];
    length = 8;
    CHECK(fi_getname(&p->a.ep->fid, part, &length) == -FI_ETOOSMALL && length == 24);
    CHECK(fi_getname(&p->a.ep->fid, part, NULL) == -FI_EINVAL);
}

static void not_offered(struct pair *p) {
    struct fid_ep *ep;
    struct fid_poll *poll;
    struct fid_stx *stx;
    struct fid_wait *wait;
    struct fid_pep *pep;
    CHECK(fi_scalable_ep(p->a.domain, p->info, &ep, NULL) == -FI_ENOSYS);
    CHECK(fi_poll_open(p->a.domain, NULL, &poll) == -FI_ENOSYS);
    CHECK(fi_stx_context(p->a.domain, NULL, &stx, NULL) == -FI_ENOSYS);
    CHECK(fi_wait_open(p->fabric, NULL, &wait) == -FI_ENOSYS);
    CHECK(fi_passive_ep(p->fabric, p->info, &pep, NULL) == -FI_ENOSYS);
    CHECK(fi_connect(p->a.ep, NULL, NULL, 0) == -FI_ENOSYS);
    CHECK(fi_shutdown(p->a.ep, 0) == -FI_ENOSYS);
    int value;
    size_t length = sizeof value;
    CHECK(fi_getopt(&p->a.ep->fid, FI_OPT_ENDPOINT, 999, &value, &length) == -FI_ENOPROTOOPT);
    CHECK(fi_setopt(&p->a.ep->fid, FI_OPT_ENDPOINT, FI_OPT_MIN_MULTI_RECV, &value, 1) == -FI_EINVAL);
}

static void order_of_things(struct pair *p) {
    struct fid_ep *ep;
    uint8_t name[24];
    size_t length = 24;
    CALL(fi_endpoint(p->a.domain, p->info, &ep, NULL));
    CHECK(fi_tinject(ep, "x", 1, 0, 1) != 0);
    CHECK(fi_getname(&ep->fid, name, &length) == -FI_EOPBADSTATE);
    CHECK(fi_enable(ep) == -FI_ENOAV);
    CHECK(fi_ep_bind(ep, &p->b.av->fid, 0) == -FI_EDOMAIN);
    CALL(fi_ep_bind(ep, &p->a.av->fid, 0));
    CHECK(fi_enable(ep) == -FI_ENOCQ);
    CHECK(fi_ep_bind(ep, &p->a.tx->fid, 0) == -FI_EBADFLAGS);
    CALL(fi_close(&ep->fid));
    CHECK(fi_enable(p->a.ep) == -FI_EOPBADSTATE);
    CHECK(fi_ep_bind(p->a.ep, &p->a.tx->fid, FI_TRANSMIT) == -FI_EOPBADSTATE);
}

// A child that closes everything, as its exit handlers might, takes nothing from the parent.
static void child(struct pair *p) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        fi_close(&p->a.ep->fid);
        fi_close(&p->b.ep->fid);
        exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    char got[6] = "";
    CALL(fi_trecv(p->b.ep, got, 6, NULL, FI_ADDR_UNSPEC, 1, 0, NULL));
    CALL(fi_tinject(p->a.ep, "after", 6, p->a.peer, 1));
    next(p, p->b.rx, NULL);
    CHECK(!strcmp(got, "after"));
}

int main(void) {
    struct choice choice = {.av = FI_AV_MAP, .threading = FI_THREAD_DOMAIN};
    struct pair p;
    open_pair(&p, &choice);
    addresses(&p);
    names(&p);
    attributes(&p);
    not_offered(&p);
    order_of_things(&p);
    child(&p);
    close_pair(&p);
    too_many();
    puts("robust: ok");
    return 0;
}
