/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_listener.c: accepting: batches, pauses, no descriptors, the shared socket. */
#include "base/mem.h"
#include "net/fds.h"
#include "net/listener.h"
#include "unit/net/net_test.h"
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/resource.h>

/* A worker that answers each client with one letter and closes. */
struct worker {
    struct loop *loop;
    struct poller *poller;
    struct listener *listener;
    struct endpoint *ep;
    unsigned index;
    char letter;
    unsigned served, full;
    unsigned close_after; /* closes its listener within the callback; 0: never */
    int stolen;           /* a descriptor that on_full took; -1: none */
    uint64_t stop_at;     /* served + full at which the loop ends */
    uint64_t release_ms;  /* when `stolen` is given back */
    atomic_int wish;      /* from the main thread: 'p'ause, 'r'esume, 'c'lose */
    sem_t granted;
    pthread_t thread;
};

static void answer(void *ctx, int fd, const struct sock_addr *peer)
{
    struct worker *w = ctx;
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(sock_addr_is_loopback(peer));
    size_t n;
    CHECK(sock_send(fd, &w->letter, 1, &n) == SOCK_OK);
    sock_close(fd);
    if (++w->served == w->close_after) listener_close(&w->listener);
    if (w->served + w->full == w->stop_at) loop_stop(w->loop);
}

static void grant_wish(void *ctx)
{
    struct worker *w = ctx;
    int wish = atomic_exchange(&w->wish, 0);
    if (!wish) return;
    if (wish == 'p') listener_pause(w->listener);
    if (wish == 'r') listener_resume(w->listener);
    if (wish == 'c') listener_close(&w->listener);
    sem_post(&w->granted);
}

static void start(struct worker *w, struct endpoint *ep, unsigned index)
{
    *w = (struct worker) {
        .ep = ep, .index = index, .letter = (char)('a' + (int)index), .stolen = -1
    };
    sem_init(&w->granted, 0, 0);
    const struct loop_hooks hooks = { .ctx = w, .mailbox = grant_wish };
    CHECK(loop_new(&hooks, &w->loop) == ERR_OK);
    CHECK(poller_open(w->loop, &w->poller) == ERR_OK);
    const struct listener_hooks on = { .ctx = w, .on_accept = answer };
    CHECK(listener_open(ep, index, w->poller, &on, &w->listener) == ERR_OK);
}

static void end(struct worker *w)
{
    listener_close(&w->listener);
    poller_close(&w->poller);
    loop_free(&w->loop);
    sem_destroy(&w->granted);
}

static void one_turn(struct worker *w)
{
    loop_stop(w->loop);
    loop_run(w->loop);
}

static struct endpoint *open_at(const char *text, unsigned n_workers)
{
    struct sock_addr addr;
    struct endpoint *ep = NULL;
    struct diag d = { "" };
    enum err err = endpoint_parse(span_str(text), &addr, &d);
    if (err == ERR_OK) err = endpoint_open(&addr, n_workers, &ep, &d);
    if (err != ERR_OK) print_error("%s\n", d.text);
    CHECK(err == ERR_OK);
    return ep;
}

static void a_batch_is_bounded_and_the_rest_follows(void **state)
{
    (void)state;
    uint64_t before = fds_in_use();
    struct endpoint *ep = open_at("127.0.0.1:0", 1);
    struct worker w;
    start(&w, ep, 0);
    enum { N = LISTENER_BATCH + 10 };
    int clients[N];
    for (size_t i = 0; i < N; i++) clients[i] = dial(endpoint_addr(ep));
    one_turn(&w);
    assert_int_equal(w.served, LISTENER_BATCH);
    one_turn(&w);
    assert_int_equal(w.served, N);
    assert_int_equal(listener_accepted(w.listener), N);
    assert_int_equal(listener_refused(w.listener), 0);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(read_byte(clients[i]), 'a');
        close(clients[i]);
    }
    end(&w);
    endpoint_close(&ep);
    assert_int_equal(fds_in_use(), before);
}

static void see_nodelay(void *ctx, int fd, const struct sock_addr *peer)
{
    (void)peer;
    socklen_t len = sizeof(int);
    CHECK(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ctx, &len) == 0);
    sock_close(fd);
}

static void accepted_sockets_do_not_delay(void **state)
{
    (void)state;
    struct endpoint *ep = open_at("127.0.0.1:0", 1);
    struct worker w;
    int on = 0;
    start(&w, ep, 0);
    listener_close(&w.listener);
    const struct listener_hooks hooks = { .ctx = &on, .on_accept = see_nodelay };
    assert_int_equal(listener_open(ep, 0, w.poller, &hooks, &w.listener), ERR_OK);
    close(dial(endpoint_addr(ep)));
    one_turn(&w);
    assert_true(on);
    end(&w);
    endpoint_close(&ep);
}

static void while_paused_clients_wait(void **state)
{
    (void)state;
    struct endpoint *ep = open_at("127.0.0.1:0", 1);
    struct worker w;
    start(&w, ep, 0);
    listener_pause(w.listener);
    listener_pause(w.listener);
    int client = dial(endpoint_addr(ep));
    one_turn(&w);
    assert_int_equal(w.served, 0);
    listener_resume(w.listener);
    listener_resume(w.listener);
    one_turn(&w);
    assert_int_equal(read_byte(client), 'a');
    close(client);
    end(&w);
    endpoint_close(&ep);
}

static void it_may_be_closed_from_its_callback(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    const char *const any[] = { "127.0.0.1:0", p.text };
    for (size_t i = 0; i < ARRAY_LEN(any); i++) {
        struct endpoint *ep = open_at(any[i], i ? 2 : 1); /* the second one has a token */
        struct worker w;
        start(&w, ep, 0);
        w.close_after = 1;
        int a = dial(endpoint_addr(ep)), b = dial(endpoint_addr(ep));
        one_turn(&w);
        assert_null(w.listener);
        assert_int_equal(w.served, 1);
        one_turn(&w);
        const struct listener_hooks hooks = { .ctx = &w, .on_accept = answer };
        assert_int_equal(listener_open(ep, 0, w.poller, &hooks, &w.listener), ERR_OK);
        one_turn(&w);
        assert_int_equal(w.served, 2); /* the other client had waited */
        close(a);
        close(b);
        end(&w);
        endpoint_close(&ep);
    }
    remove_place(&p);
}

static void one_worker_serves_several_inherited_sockets(void **state)
{
    (void)state;
    struct endpoint *old = open_at("127.0.0.1:0", 3), *ep;
    size_t n;
    const int *own = endpoint_fds(old, &n);
    int fds[3];
    for (size_t i = 0; i < 3; i++) fds[i] = fcntl(own[i], F_DUPFD_CLOEXEC, 0);
    fds_opened(3);
    struct diag d;
    assert_int_equal(endpoint_adopt(fds, 3, 2, &ep, &d), ERR_OK);
    struct worker w[2];
    start(&w[0], ep, 0);
    start(&w[1], ep, 1);
    enum { N = 60 }; /* spread over three sockets by hash: none stays empty, or nearly never */
    int clients[N];
    for (size_t i = 0; i < N; i++) clients[i] = dial(endpoint_addr(ep));
    one_turn(&w[0]);
    one_turn(&w[1]);
    assert_int_equal(w[0].served + w[1].served, N);
    for (size_t i = 0; i < N; i++) close(clients[i]);
    end(&w[0]);
    end(&w[1]);
    endpoint_close(&ep);
    endpoint_close(&old);
}

static void say_full(void *ctx, int fd)
{
    struct worker *w = ctx;
    size_t n;
    CHECK(sock_send(fd, "!", 1, &n) == SOCK_OK);
    sock_close(fd);
    w->full++;
    if (w->stolen == -2) { /* take the last descriptor: no spare one can be had */
        w->stolen = open("/dev/null", O_RDONLY | O_CLOEXEC);
        CHECK(w->stolen >= 0);
        w->release_ms = loop_now_ms(w->loop) + 30;
    }
    if (w->served + w->full == w->stop_at) loop_stop(w->loop);
}

static void keep(void *ctx, int fd, const struct sock_addr *peer)
{
    (void)peer;
    struct worker *w = ctx;
    size_t n;
    CHECK(sock_send(fd, &w->letter, 1, &n) == SOCK_OK); /* stays open: uses a descriptor up */
    w->served++;
    if (w->served + w->full == w->stop_at) loop_stop(w->loop);
}

static void give_back(void *ctx)
{
    struct worker *w = ctx;
    if (w->stolen < 0 || loop_now_ms(w->loop) < w->release_ms) return;
    close(w->stolen);
    w->stolen = -1;
}

static uint64_t tell_release(void *ctx)
{
    const struct worker *w = ctx;
    return w->stolen >= 0 ? w->release_ms : LOOP_NEVER;
}

#define CROWD 20
#define FREE_FDS 4

/* The child: a server that may open FREE_FDS more descriptors, while CROWD clients wait. */
static void serve_crowd(struct endpoint *ep, bool steal)
{
    struct worker w = { .ep = ep, .letter = 'a', .stop_at = CROWD, .stolen = steal ? -2 : -1 };
    const struct loop_hooks hooks = { .ctx = &w, .timers = give_back, .deadline = tell_release };
    CHECK(loop_new(&hooks, &w.loop) == ERR_OK);
    CHECK(poller_open(w.loop, &w.poller) == ERR_OK);
    const struct listener_hooks on = { .ctx = &w, .on_accept = keep, .on_full = say_full };
    CHECK(listener_open(ep, 0, w.poller, &on, &w.listener) == ERR_OK);
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(next >= 0);
    close(next);
    struct rlimit lim;
    CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0);
    lim.rlim_cur = (rlim_t)next + FREE_FDS;
    CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
    loop_run(w.loop);
    CHECK(w.served >= 1 && w.served <= FREE_FDS + 1);
    CHECK(listener_accepted(w.listener) == w.served && listener_refused(w.listener) == w.full);
    CHECK(loop_turns(w.loop) < 12); /* no spinning */
    if (steal) CHECK(w.stolen == -1);
    _exit(0);
}

static void check_crowd(bool steal)
{
    if (under_valgrind()) skip(); /* there descriptors do not run out as they do in the kernel */
    struct endpoint *ep = open_at("127.0.0.1:0", 1);
    int clients[CROWD];
    for (size_t i = 0; i < CROWD; i++) clients[i] = dial(endpoint_addr(ep));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (size_t i = 0; i < CROWD; i++) close(clients[i]);
        serve_crowd(ep, steal);
    }
    unsigned served = 0, full = 0;
    for (size_t i = 0; i < CROWD; i++) {
        char c = read_byte(clients[i]);
        served += c == 'a';
        full += c == '!';
        close(clients[i]);
    }
    assert_int_equal(wait_child(pid), 0);
    assert_int_equal(served + full, CROWD);
    assert_true(served >= 1 && full >= 1);
    endpoint_close(&ep);
}

static void without_descriptors_each_client_gets_a_polite_end(void **state)
{
    (void)state;
    check_crowd(false);
}

static void when_even_the_spare_descriptor_is_lost_it_pauses_and_goes_on(void **state)
{
    (void)state;
    check_crowd(true);
}

static void *run_worker(void *arg)
{
    struct worker *w = arg;
    loop_run(w->loop);
    return NULL;
}

static void wish(struct worker *w, int what)
{
    atomic_store(&w->wish, what);
    loop_wake(w->loop);
    while (sem_wait(&w->granted) != 0) continue;
}

/* The letter of the worker that answers the next client. */
static char ask(const struct endpoint *ep)
{
    int fd = dial(endpoint_addr(ep));
    char c = read_byte(fd);
    CHECK(read_byte(fd) == '\0');
    close(fd);
    return c;
}

static bool both_answer(const struct endpoint *ep)
{
    bool seen[2] = { false, false };
    for (unsigned i = 0; i < 2000 && !(seen[0] && seen[1]); i++) seen[ask(ep) - 'a'] = true;
    return seen[0] && seen[1];
}

static void start_threads(struct worker w[2], struct endpoint *ep)
{
    for (unsigned i = 0; i < 2; i++) start(&w[i], ep, i);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&w[i].thread, NULL, run_worker, &w[i]), 0);
}

static void end_threads(struct worker w[2])
{
    for (unsigned i = 0; i < 2; i++) loop_stop(w[i].loop);
    for (unsigned i = 0; i < 2; i++) pthread_join(w[i].thread, NULL);
    for (unsigned i = 0; i < 2; i++) end(&w[i]);
}

static void a_shared_socket_is_served_in_turns(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    struct endpoint *ep = open_at(p.text, 2);
    struct worker w[2];
    start_threads(w, ep);
    for (unsigned i = 0; i < 200; i++) assert_in_range(ask(ep), 'a', 'b');
    end_threads(w);
    assert_int_equal(w[0].served + w[1].served, 200);
    /* A client that is quick enough meets the same batch; after a batch the other one has its turn.
     */
    assert_true(w[0].served >= 200 / (LISTENER_BATCH_SHARED + 1));
    assert_true(w[1].served >= 200 / (LISTENER_BATCH_SHARED + 1));
    endpoint_close(&ep);
    remove_place(&p);
}

static void a_crowd_at_a_shared_socket_is_served_by_both(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    struct endpoint *ep = open_at(p.text, 2);
    enum { N = 6 * LISTENER_BATCH_SHARED };
    int clients[N];
    for (size_t i = 0; i < N; i++) clients[i] = dial(endpoint_addr(ep));
    struct worker w[2];
    start_threads(w, ep);
    for (size_t i = 0; i < N; i++) {
        assert_int_not_equal(read_byte(clients[i]), 0);
        close(clients[i]);
    }
    end_threads(w);
    assert_int_equal(w[0].served, N / 2);
    assert_int_equal(w[1].served, N / 2);
    endpoint_close(&ep);
    remove_place(&p);
}

static void who_pauses_or_leaves_hands_the_shared_socket_on(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    struct endpoint *ep = open_at(p.text, 2);
    struct worker w[2];
    start_threads(w, ep);
    for (unsigned round = 0; round < 20; round++) {
        wish(&w[round % 2], 'p'); /* now with, now without the token */
        for (unsigned i = 0; i < 3; i++) assert_int_equal(ask(ep), 'a' + (int)((round + 1) % 2));
        wish(&w[round % 2], 'r');
        assert_true(both_answer(ep));
    }
    wish(&w[0], 'p');
    wish(&w[1], 'p'); /* nobody: the client waits */
    int waiting = dial(endpoint_addr(ep));
    wish(&w[1], 'r');
    assert_int_equal(read_byte(waiting), 'b');
    close(waiting);
    wish(&w[0], 'r');
    wish(&w[1], 'c');
    for (unsigned i = 0; i < 5; i++) assert_int_equal(ask(ep), 'a');
    end_threads(w);
    endpoint_close(&ep);
    remove_place(&p);
}

static void each_worker_of_a_tcp_port_accepts_on_its_own(void **state)
{
    (void)state;
    struct endpoint *ep = open_at("127.0.0.1:0", 2);
    struct worker w[2];
    start_threads(w, ep);
    assert_true(both_answer(ep));
    end_threads(w);
    endpoint_close(&ep);
}

static void without_memory_nothing_is_left_open(void **state)
{
    (void)state;
    struct endpoint *ep = open_at("127.0.0.1:0", 1);
    struct worker w;
    start(&w, ep, 0);
    listener_close(&w.listener);
    uint64_t before = fds_in_use();
    const struct listener_hooks hooks = { .ctx = &w, .on_accept = answer };
    mem_fail_after(0, true);
    enum err err = listener_open(ep, 0, w.poller, &hooks, &w.listener);
    mem_fail_after(-1, false);
    assert_int_equal(err, ERR_NOMEM);
    assert_int_equal(fds_in_use(), before);
    end(&w);
    endpoint_close(&ep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_bounded_and_the_rest_follows),
        cmocka_unit_test(accepted_sockets_do_not_delay),
        cmocka_unit_test(while_paused_clients_wait),
        cmocka_unit_test(it_may_be_closed_from_its_callback),
        cmocka_unit_test(one_worker_serves_several_inherited_sockets),
        cmocka_unit_test(without_descriptors_each_client_gets_a_polite_end),
        cmocka_unit_test(when_even_the_spare_descriptor_is_lost_it_pauses_and_goes_on),
        cmocka_unit_test(a_shared_socket_is_served_in_turns),
        cmocka_unit_test(a_crowd_at_a_shared_socket_is_served_by_both),
        cmocka_unit_test(who_pauses_or_leaves_hands_the_shared_socket_on),
        cmocka_unit_test(each_worker_of_a_tcp_port_accepts_on_its_own),
        cmocka_unit_test(without_memory_nothing_is_left_open),
    };
    return RUN_TESTS(tests);
}
