/* SPDX-License-Identifier: MIT
 *
 * bench/bench_loop.c: what one turn of the loop costs, with 0, 1 and many ready sockets, and what
 * the timing wheel costs per timer.
 *
 * CPU time of the thread, best of several rounds, so that other load on the machine counts little.
 * The sockets are socket pairs that stay readable: the figures are those of waiting and
 * dispatching, without recv().
 */
#include "base/mem.h"
#include "net/poller.h"
#include "net/wheel.h"
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 5
#define TURNS 200000u
#define MAX_READY 1000u
#define TIMERS 1000000u

struct bench {
    struct loop *loop;
    struct poller *poller;
    struct io ios[MAX_READY];
    uint64_t end; /* turns */
    uint64_t calls;
};

static struct bench bench;

static double cpu_us(void)
{
    struct timespec ts;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) == 0);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void on_ready(struct io *io, uint32_t events)
{
    (void)io;
    (void)events;
    bench.calls++;
}

static void on_flush(void *ctx)
{
    (void)ctx;
    if (loop_turns(bench.loop) + 1 >= bench.end)
        loop_stop(bench.loop);
    else
        loop_again(bench.loop);
}

static void on_flush_sleeping(void *ctx)
{
    (void)ctx;
    if (loop_turns(bench.loop) + 1 >= bench.end) loop_stop(bench.loop);
}

/* The best time of a turn in microseconds. */
static double time_turns(unsigned n_ready, void (*flush)(void *), unsigned turns)
{
    const struct loop_hooks hooks = { .flush = flush };
    CHECK(loop_new(&hooks, &bench.loop) == ERR_OK);
    CHECK(poller_open(bench.loop, &bench.poller) == ERR_OK);
    int far[MAX_READY];
    for (unsigned i = 0; i < n_ready; i++) {
        int fds[2];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
        CHECK(write(fds[1], "x", 1) == 1);
        bench.ios[i] = (struct io) { .on_ready = on_ready, .fd = fds[0] };
        far[i] = fds[1];
        CHECK(poller_add(bench.poller, &bench.ios[i], IO_READ) == ERR_OK);
    }
    double best = 1e9;
    for (unsigned round = 0; round < ROUNDS; round++) {
        bench.end = loop_turns(bench.loop) + turns;
        double begin = cpu_us();
        loop_run(bench.loop);
        double us = (cpu_us() - begin) / turns;
        if (us < best) best = us;
    }
    for (unsigned i = 0; i < n_ready; i++) {
        poller_del(bench.poller, &bench.ios[i]);
        close(bench.ios[i].fd);
        close(far[i]);
    }
    poller_close(&bench.poller);
    loop_free(&bench.loop);
    return best;
}

static void count(struct timer *t, void *ctx)
{
    (void)t;
    uint64_t *n = ctx;
    ++*n;
}

static uint64_t draw(uint64_t below)
{
    static uint64_t seed = 88172645463325252u;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static void time_wheel(void)
{
    struct wheel w;
    uint64_t fired = 0;
    CHECK(wheel_init(&w, WHEEL_TICK_MS, 0, count, &fired) == ERR_OK);
    struct timer *timers = mem_zalloc(TIMERS * sizeof *timers);
    CHECK(timers);
    double begin = cpu_us();
    for (unsigned i = 0; i < TIMERS; i++) wheel_set(&w, &timers[i], draw(120000));
    double set = cpu_us() - begin;
    begin = cpu_us();
    for (unsigned i = 0; i < TIMERS; i++) wheel_set(&w, &timers[draw(TIMERS)], draw(120000));
    double moved = cpu_us() - begin;
    begin = cpu_us();
    for (uint64_t now = 0; now <= 121000; now += WHEEL_TICK_MS)
        CHECK(!wheel_advance(&w, now, UINT32_MAX));
    double fire = cpu_us() - begin;
    CHECK(fired == TIMERS);
    printf("wheel, %u timers: set %.0f ns, move %.0f ns, fire %.0f ns each\n", TIMERS,
           set * 1e3 / TIMERS, moved * 1e3 / TIMERS, fire * 1e3 / TIMERS);
    mem_free(timers);
    wheel_fini(&w);
}

int main(void)
{
    printf("turn, nothing ready:          %.2f us\n", time_turns(0, on_flush, TURNS));
    printf("turn, 1 socket ready:         %.2f us\n", time_turns(1, on_flush_sleeping, TURNS));
    const unsigned many[] = { 10, 100, 1000 };
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
        double us = time_turns(many[i], on_flush_sleeping, TURNS / many[i]);
        printf("turn, %4u sockets ready:     %.2f us, %.3f us each\n", many[i], us, us / many[i]);
    }
    time_wheel();
    return 0;
}
