/* SPDX-License-Identifier: MIT
 *
 * bench/bench_simulation.c: a million virtual connections in one process, without sockets, on the
 * structures that the server keeps its own in: what each takes, and what subscribing, publishing
 * and leaving cost where there are a thousand, and where there are a thousand times as many.
 *
 *     ./dev bench simulation [CONNECTIONS]        1,000,000 by default
 *
 * A connection is a struct conn, as the server allocates it, on one of two workers; it speaks to
 * the hub as if its frames had come by the network. What is not here: the kernel's part, and
 * whatever waits to be written. Bytes are what malloc has handed out, with its own headers. Times
 * are CPU time of the thread; each connection brings its own answers and, on presence channels, the
 * news of it to all others of its room. After the last has left nothing may be left.
 */
#include "base/clock.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/span.h"
#include "server/conn.h"
#include "ws/encoder.h"
#include <malloc.h>
#include <stdio.h>

#define WORKERS 2
#define ROOM 10          /* connections of a channel */
#define TURN 100         /* messages in a turn of a worker; divides all sizes */
#define MEASURED 50000   /* connections, one after the other, that a figure is taken of at least */
#define PUBLISHES 100000 /* to channels of ROOM */
#define TO_ALL 10        /* publishes to a channel of all */
#define MAX_CONNECTIONS 4000000
#define LEFT_MAX                                                                                   \
    (1 << 20) /* octets, however many there were: what malloc keeps at hand counts as used */

enum kind { PLAIN, PRESENCE, ONE_CHANNEL, N_KINDS };
static const char *const kind_names[N_KINDS] = { "public, 10 each", "presence, 10 each",
                                                 "one channel of all" };

/* What was measured of `n` connections; times in nanoseconds each. */
struct result {
    size_t n;
    double bytes, subscribe, publish, leave;
};

static struct {
    struct apps *apps;
    struct directory *dir;
    struct hub *hubs[WORKERS];
    struct conn **conns;
    uint64_t now_ms;
    size_t n_delivered, n_turn;
} sim;

/* --- the server: one app, two workers --- */

static bool deliver(struct hub_conn *conn, struct msg *msg)
{
    (void)conn;
    (void)msg;
    sim.n_delivered++;
    return true;
}

static void close_conn(struct hub_conn *conn, unsigned code, struct span text)
{
    (void)conn;
    fprintf(stderr, "closed with %u: %.*s\n", code, SPAN_FMT(text));
    CHECK(!"nobody is closed here");
}

static void wake(void *ctx, unsigned worker)
{
    (void)ctx;
    (void)worker;
}

static void start(void)
{
    static struct span secret = SPAN("app-secret");
    static const struct app_settings settings = {
        .id = SPAN("app-id"),
        .key = SPAN("app-key"),
        .secrets = { &secret, 1 },
        .enabled = true,
        .activity_timeout_s = 30,
        .limits = { .message_bytes = 10240, .presence_member_bytes = 2048, .channel_name = 200 },
    };
    const struct dir_hooks hooks = { .frame_head = ws_text_head, .wake = wake };
    const struct hub_sink sink = { .frame_head = ws_text_head,
                                   .deliver = deliver,
                                   .close = close_conn };
    CHECK(apps_new(&sim.apps, &settings, 1, true, NULL) == ERR_OK);
    CHECK(dir_new(&sim.dir, WORKERS, 0, &hooks) == ERR_OK);
    for (unsigned i = 0; i < WORKERS; i++) {
        CHECK(hub_new(&sim.hubs[i], sim.dir, i, &sink) == ERR_OK);
        hub_turn_begin(sim.hubs[i], sim.now_ms);
    }
}

static void stop(void)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        hub_turn_end(sim.hubs[i]);
        hub_free(sim.hubs[i]);
    }
    dir_free(sim.dir);
    apps_free(sim.apps);
}

/* Turns of both workers until nothing is under way. */
static void settle(void)
{
    for (bool more = true; more;) {
        more = false;
        for (unsigned i = 0; i < WORKERS; i++) {
            more |= hub_run_mailbox(sim.hubs[i]);
            hub_turn_end(sim.hubs[i]);
            hub_turn_begin(sim.hubs[i], sim.now_ms);
        }
    }
    sim.n_turn = 0;
}

static void did_one(void)
{
    if (++sim.n_turn == TURN) settle();
}

/* --- connections --- */

static struct hub *hub_of(size_t i)
{
    return sim.hubs[i % WORKERS];
}

static void write_channel(struct buf *b, enum kind kind, size_t i)
{
    if (kind == ONE_CHANNEL)
        BUF_ADD_LIT(b, "all");
    else
        buf_add_fmt(b, "%s-%zu", kind == PRESENCE ? "presence-room" : "room", i / ROOM);
}

static void write_subscribe(struct buf *b, enum kind kind, size_t i)
{
    char id[SOCKET_ID_MAX];
    struct buf channel = { 0 }, data = { 0 }, auth = { 0 };
    write_channel(&channel, kind, i);
    buf_clear(b);
    BUF_ADD_LIT(b, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":");
    json_string(b, buf_span(&channel));
    if (kind == PRESENCE) {
        struct span socket_id = span_of(id, socket_id_write(sim.conns[i]->hub.socket_id, id));
        buf_add_fmt(&data, "{\"user_id\":\"%zu\",\"user_info\":{\"name\":\"Person %zu\"}}", i, i);
        auth_sign_channel(&sim.apps->all[0].rules->keys, socket_id, buf_span(&channel),
                          buf_span(&data), &auth);
        json_key(b, SPAN("auth"));
        json_string(b, buf_span(&auth));
        json_key(b, SPAN("channel_data"));
        json_string(b, buf_span(&data));
    }
    BUF_ADD_LIT(b, "}}");
    CHECK(!buf_failed(b));
    buf_fini(&channel);
    buf_fini(&data);
    buf_fini(&auth);
}

/* Without the time that the client needs to write its frame. A turn is timed as a whole: reading
 * the clock costs as much as what is measured. */
static uint64_t connect_all(enum kind kind, size_t n)
{
    static struct buf texts[TURN];
    uint64_t ns = 0;
    for (size_t first = 0; first < n; first += TURN) {
        for (size_t i = first; i < first + TURN; i++) {
            sim.conns[i] = mem_zalloc(sizeof *sim.conns[i]);
            CHECK(sim.conns[i]);
            hub_conn_open(hub_of(i), &sim.conns[i]->hub, &sim.apps->all[0],
                          (uint64_t)(i + 1) << 32 | (i + 1));
            write_subscribe(&texts[i - first], kind, i);
        }
        uint64_t began_ns = clock_thread_ns();
        for (size_t i = first; i < first + TURN; i++)
            hub_on_text(hub_of(i), &sim.conns[i]->hub, buf_span(&texts[i - first]));
        settle();
        ns += clock_thread_ns() - began_ns;
        for (size_t i = first; i < first + TURN; i++) CHECK(sim.conns[i]->hub.n_subs == 1);
    }
    for (size_t i = 0; i < TURN; i++) buf_fini(&texts[i]);
    return ns;
}

static uint64_t leave_all(size_t n)
{
    uint64_t ns = 0;
    for (size_t first = 0; first < n; first += TURN) {
        uint64_t began_ns = clock_thread_ns();
        for (size_t i = first; i < first + TURN; i++) hub_conn_close(hub_of(i), &sim.conns[i]->hub);
        settle();
        ns += clock_thread_ns() - began_ns;
    }
    for (size_t i = 0; i < n; i++) {
        CHECK(sim.conns[i]->hub.pins == 0);
        mem_free(sim.conns[i]);
    }
    return ns;
}

/* How often so few connections are measured, for the mean. */
static size_t repeats(size_t n)
{
    return n < MEASURED ? MEASURED / n : 1;
}

/* Returns the nanoseconds of a delivery; each must have arrived. */
static double publish(enum kind kind, size_t n)
{
    size_t times = kind == ONE_CHANNEL ? TO_ALL : PUBLISHES / repeats(n),
           each = kind == ONE_CHANNEL ? n : ROOM;
    struct buf channel = { 0 };
    sim.n_delivered = 0;
    uint64_t began_ns = clock_thread_ns();
    for (size_t i = 0; i < times; i++) {
        buf_clear(&channel);
        write_channel(&channel, kind, i * 7919 % n); /* all over the place */
        struct hub_publish p = {
            .app = &sim.apps->all[0],
            .channel = buf_span(&channel),
            .kind = chan_kind_of(buf_span(&channel)),
            .name_raw = SPAN("\"my-event\""),
            .data_raw = SPAN("\"{\\\"id\\\":7}\""),
        };
        CHECK(hub_publish(hub_of(i), &p) == ERR_OK && p.n_subs == each);
        did_one();
    }
    settle();
    uint64_t ns = clock_thread_ns() - began_ns;
    CHECK(sim.n_delivered == times * each);
    buf_fini(&channel);
    return (double)ns / (double)(times * each);
}

/* --- measuring --- */

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static struct result measure_once(enum kind kind, size_t n)
{
    struct result r = { .n = n };
    sim.now_ms = 1000000;
    start();
    settle();
    size_t before = allocated();
    r.subscribe = (double)connect_all(kind, n) / (double)n;
    r.bytes = (double)(allocated() - before) / (double)n;
    r.publish = publish(kind, n);
    r.leave = (double)leave_all(n) / (double)n;
    stop();
    return r;
}

static struct result measure(enum kind kind, size_t n)
{
    struct result mean = { .n = n };
    size_t times = repeats(n);
    for (size_t i = 0; i < times; i++) {
        struct result r = measure_once(kind, n);
        mean.bytes += r.bytes / (double)times;
        mean.subscribe += r.subscribe / (double)times;
        mean.publish += r.publish / (double)times;
        mean.leave += r.leave / (double)times;
    }
    return mean;
}

static void print(enum kind kind, const struct result *r, const struct result *first)
{
    printf("%-20s %9zu %8.0f %10.0f %12.1f %8.0f", kind_names[kind], r->n, r->bytes, r->subscribe,
           r->publish, r->leave);
    if (r != first)
        printf("   %.2f %.2f %.2f", r->subscribe / first->subscribe, r->publish / first->publish,
               r->leave / first->leave);
    putchar('\n');
    fflush(stdout);
}

/* With a thousand, with a tenth, and with all of them. */
static void measure_kind(enum kind kind, size_t most)
{
    const size_t sizes[] = { 1000, most / 10, most };
    struct result first = measure(kind, sizes[0]);
    print(kind, &first, &first);
    for (size_t i = 1; i < ARRAY_LEN(sizes); i++) {
        if (sizes[i] <= sizes[i - 1]) continue;
        struct result r = measure(kind, sizes[i]);
        print(kind, &r, &first);
    }
}

int main(int argc, char **argv)
{
    uint64_t most = 1000000;
    bool good = argc == 1 || (argc == 2 && span_to_u64(span_str(argv[1]), &most));
    if (!good || most < 1000 || most > MAX_CONNECTIONS || most % 1000) {
        fprintf(stderr, "usage: bench_simulation [CONNECTIONS]   thousands, up to %d\n",
                MAX_CONNECTIONS);
        return 64;
    }
    sim.conns = mem_zalloc(most * sizeof(struct conn *));
    CHECK(sim.conns);
    printf("%-20s %9s %8s %10s %12s %8s   %s\n", "channels", "sockets", "bytes", "subscribe, ns",
           "delivery, ns", "leave, ns", "times to those of the first size");
    measure(PRESENCE, 1000); /* what libraries keep for ever is there from now on */
    size_t none = allocated();
    for (enum kind kind = 0; kind < N_KINDS; kind++) measure_kind(kind, most);
    printf("left after all have gone: %lld bytes\n", (long long)(allocated() - none));
    fflush(stdout);
    CHECK(allocated() <= none + LEFT_MAX);
    mem_free(sim.conns);
    return 0;
}
