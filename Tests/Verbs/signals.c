// Signals are the program's: one that blocks them in its threads, to wait for them, has them blocked in ours, too.
#include "pair.h"
#include <signal.h>

int main(void) {
    start();
    struct ibv_qp *qp = make_qp(IBV_QPT_RC);
    CHECK(to_init(qp, 0) == 0);
    struct place peer = meet((struct place){.qpn = qp->qp_num});
    // The library's thread starts with this, and must not have the mask of now.
    CHECK(to_receive(qp, peer.qpn) == 0);
    usleep(100000);
    sigset_t set;
    CHECK(sigemptyset(&set) == 0 && sigaddset(&set, SIGTERM) == 0 && sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    for (int i = 0; i < 20; i++) {
        CHECK(kill(getpid(), SIGTERM) == 0);
        usleep(1000);
        CHECK(sigtimedwait(&set, NULL, &(struct timespec){.tv_sec = 5}) == SIGTERM);
    }
    together();
    CHECK(ibv_destroy_qp(qp) == 0);
    return finish("signals");
}
