/* SPDX-License-Identifier: MIT
 *
 * server/conn_input.c: reading from a connection: how much is carried out in a turn, what is kept
 * of the rest, and who goes when too much is kept in all.
 *
 * Work. Octets say little about what they cost: 64 KiB are one message, or 8,000 pings, or 100
 * publishes. So input is paid for in units (WORK_...): a connection has a share for each turn, and
 * the worker a store that the shares come from. When the share is used up, or the peer does not
 * read what it made us say (conn_is_stuck), the rest of the input is kept and goes on in the next
 * turn, or when he reads again; nothing further is read from the socket meanwhile. When the store
 * is used up, everybody still gets WORK_LEAST, so nobody waits for his neighbours to finish.
 *
 * Memory. Input that is kept counts against limits.request_total_bytes. Of it, half is there for
 * requests whose signature was right, whatever the others do: those who need no secret to send
 * (WebSockets, heads, unsigned bodies) share the other half, and less where signed requests use
 * more than theirs. Where they hold too much, those of the worker that holds most go: who has held
 * much for long before who has just begun.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/conn.h"
#include "server/server_priv.h"

#define WORK_TURN 8192 /* the worker's store for a turn: some 20 ms */
#define WORK_SHARE 256 /* of one connection: 256 messages, 32 requests */
#define WORK_LEAST 8   /* where the store is empty: one request */
#define WORK_OCTETS                                                                                \
    1024            /* of output cost a unit, too: an answer may be much larger than its question */
#define SHED_PART 8 /* so that it is not done again for the next octet: an eighth is made free */
#define WEIGHT_OCTETS 64
#define WEIGHT_MAX_MS 65535

/* What was read and is still to be carried out; not more than one read. */
struct kept_input {
    struct list link; /* worker's `resume`; unlinked while the peer must read first */
    struct conn *conn;
    struct buf bytes;
    size_t at;
};

/* --- work --- */

void conn_input_turn_end(struct worker *w)
{
    w->work = WORK_TURN;
}

static void open_share(struct worker *w)
{
    w->share = w->work < WORK_LEAST ? WORK_LEAST : w->work < WORK_SHARE ? w->work : WORK_SHARE;
}

bool conn_may_go_on(const struct conn *c)
{
    return c->worker->share > 0 && !conn_is_stuck(c);
}

void conn_worked(struct conn *c, unsigned units, uint64_t waited_bytes)
{
    struct worker *w = c->worker;
    uint64_t said = c->out.bytes > waited_bytes ? c->out.bytes - waited_bytes : 0;
    uint64_t cost = units + said / WORK_OCTETS;
    w->share -= cost < w->share ? (unsigned)cost : w->share;
    w->work -= cost < w->work ? (unsigned)cost : w->work;
}

/* --- how much is held --- */

/* What those may hold together whose requests are not signed. */
static uint64_t open_limit(const struct server *s, uint64_t limit)
{
    uint64_t signed_bytes = atomic_load_explicit(&s->signed_bytes, memory_order_relaxed);
    uint64_t left = limit > signed_bytes ? limit - signed_bytes : 0;
    return left < limit / 2 ? left : limit / 2;
}

static uint64_t open_bytes(const struct server *s)
{
    uint64_t all = atomic_load_explicit(&s->held_bytes, memory_order_relaxed);
    uint64_t signed_bytes = atomic_load_explicit(&s->signed_bytes, memory_order_relaxed);
    return all > signed_bytes ? all - signed_bytes : 0; /* the two are not of the same moment */
}

/* `held` becomes that of `c`; each sum is its worker's or the server's. */
static void count_held(struct conn *c, uint32_t held, bool is_signed)
{
    struct server *s = c->worker->server;
    if (held == c->held && is_signed == c->held_signed) return;
    uint32_t was_signed = c->held_signed ? c->held : 0, was_open = c->held - was_signed;
    uint32_t now_signed = is_signed ? held : 0, now_open = held - now_signed;
    atomic_fetch_add_explicit(&s->held_bytes, (uint64_t)held - c->held, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->signed_bytes, (uint64_t)now_signed - was_signed,
                              memory_order_relaxed);
    count_add(&c->worker->counts.open_bytes, (int64_t)now_open - (int64_t)was_open);
    c->held = held;
    c->held_signed = is_signed;
}

/* The worker that holds most is the one that lets go; of two, not the one that noticed. */
static void ask_to_shed(struct worker *w)
{
    struct worker *worst = w;
    for (unsigned i = 0; i < w->server->n_workers; i++) {
        struct worker *other = &w->server->workers[i];
        if (count_get(&other->counts.open_bytes) >= count_get(&worst->counts.open_bytes) &&
            (other != w || worst == w))
            worst = other;
    }
    bool asked = atomic_exchange_explicit(&worst->to_shed, true, memory_order_relaxed);
    if (!asked && worst != w) worker_wake(worst);
}

/* After the input of a turn: what it has left us with. */
static void hold(struct conn *c)
{
    bool http = c->state == CONN_HTTP;
    if (!http && c->state != CONN_WS) return; /* left, and so counted out */
    size_t bytes = http ? conn_http_held(c) : ws_dec_memory(&c->in.dec);
    if (c->kept) bytes += sizeof *c->kept + c->kept->bytes.cap;
    uint32_t before = c->held;
    count_held(c, bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes, http && conn_http_signed(c));
    uint64_t limit = c->worker->cfg->limits.request_total_bytes;
    if (c->held <= before || limit == 0) return;
    struct server *s = c->worker->server;
    if (open_bytes(s) > open_limit(s, limit)) ask_to_shed(c->worker);
    if (!c->held_signed) return;
    if (atomic_load_explicit(&s->signed_bytes, memory_order_relaxed) > limit) conn_refuse_held(c);
}

/* --- letting go --- */

void conn_refuse_held(struct conn *c)
{
    struct worker *w = c->worker;
    const struct server *s = w->server;
    bool ws = c->state == CONN_WS;
    uint64_t held = c->held, limit = w->cfg->limits.request_total_bytes;
    log_warn(ws ? "client" : "http",
             ws ? "message refused for memory" : "request refused for memory",
             kv_span("app", ws ? c->hub.app->s->id : SPAN("")), kv_u64("its_bytes", held),
             kv_u64("held_bytes", atomic_load_explicit(&s->held_bytes, memory_order_relaxed)),
             kv_str("option", "limits.request_total_bytes"), kv_u64("limit", limit));
    struct buf why = { 0 };
    buf_add_fmt(&why,
                "The server holds too many unfinished %s; yours has %llu octets "
                "(limits.request_total_bytes allows %llu for all%s); try again.",
                ws ? "messages" : "requests", (unsigned long long)held, (unsigned long long)limit,
                c->held_signed ? "" : ", half of it for requests with a valid signature");
    if (ws)
        conn_ws_refuse(c, 4100, buf_span(&why));
    else
        conn_http_refuse(c, 503, &why);
    buf_fini(&why);
    if (c->state == CONN_HTTP) conn_input_drop(c); /* the answer may still wait to be read */
}

/* Octets times how long: who holds much for long weighs most, who just began nothing. */
static uint64_t weight_of(const struct conn *c)
{
    if (c->held == 0 || c->held_signed || c->wait_answer) return 0;
    uint64_t now_ms = loop_now_ms(c->worker->loop);
    uint64_t since_ms = c->state == CONN_HTTP ? conn_http_since_ms(c) : conn_ws_since_ms(c);
    uint64_t ms = now_ms > since_ms ? now_ms - since_ms : 0;
    return (c->held / WEIGHT_OCTETS + 1) * ((ms < WEIGHT_MAX_MS ? ms : WEIGHT_MAX_MS) + 1);
}

struct weights {
    uint64_t sum, n;
};

static void weigh(struct list *head, struct weights *all)
{
    for (struct list *node = head->next; node != head; node = node->next) {
        uint64_t weight = weight_of(CONTAINER_OF(node, struct conn, link));
        all->sum += weight;
        all->n += weight > 0;
    }
}

static bool holds_too_much(const struct worker *w)
{
    uint64_t most = open_limit(w->server, w->cfg->limits.request_total_bytes);
    return open_bytes(w->server) > most - most / SHED_PART;
}

/* Lets go of those who weigh `least` or more, until it is enough. */
static void let_go(struct worker *w, struct list *head, uint64_t least)
{
    for (struct list *node = head->next, *next; node != head && holds_too_much(w); node = next) {
        next = node->next;
        struct conn *c = CONTAINER_OF(node, struct conn, link);
        if (weight_of(c) >= least) conn_refuse_held(c);
    }
}

void conn_shed(struct worker *w)
{
    atomic_store_explicit(&w->to_shed, false, memory_order_relaxed);
    uint64_t limit = w->cfg->limits.request_total_bytes;
    if (limit == 0 || open_bytes(w->server) <= open_limit(w->server, limit)) return;
    while (holds_too_much(w)) { /* each time those go who are not lighter than the average */
        struct weights all = { 0, 0 };
        weigh(&w->ws, &all);
        weigh(&w->http, &all);
        if (all.n == 0) return; /* it is other workers' */
        let_go(w, &w->ws, all.sum / all.n);
        let_go(w, &w->http, all.sum / all.n);
    }
}

/* --- what is kept --- */

static void free_kept(struct kept_input *kept)
{
    list_remove(&kept->link);
    buf_fini(&kept->bytes);
    mem_free(kept);
}

void conn_input_drop(struct conn *c)
{
    if (c->kept) free_kept(c->kept);
    c->kept = NULL;
    count_held(c, 0, false);
}

static bool wants_input(const struct conn *c)
{
    return c->state == CONN_WS || (c->state == CONN_HTTP && conn_http_reads(c));
}

void conn_resume(struct conn *c)
{
    if (conn_is_stuck(c)) return; /* the flush that changes that comes here again */
    if (!list_linked(&c->kept->link)) list_push(&c->worker->resume, &c->kept->link);
    loop_again(c->worker->loop);
}

static void keep(struct conn *c, struct span rest)
{
    struct kept_input *kept = mem_zalloc(sizeof *kept);
    if (kept) buf_add_span(&kept->bytes, rest);
    if (!kept || buf_failed(&kept->bytes)) {
        mem_free(kept);
        conn_kill(c);
        return;
    }
    kept->conn = c;
    c->kept = kept;
    conn_resume(c);
}

/* The clock is read for all requests of a segment together: one of them may take two microseconds.
 */
static size_t read_requests(struct conn *c, char *in, size_t n)
{
    struct worker_counts *counts = &c->worker->counts;
    uint64_t began_ns = clock_mono_ns(), served = count_get(&counts->http_requests);
    size_t used = conn_http_input(c, in, n);
    served = count_get(&counts->http_requests) - served;
    if (served)
        histo_add(&counts->request_us, (clock_mono_ns() - began_ns) / 1000 / served, served);
    return used;
}

/* As much as the share allows; how many octets were used. An upgrade's request may be followed by
 * frames. */
static size_t carry_out(struct conn *c, uint8_t *in, size_t n)
{
    size_t used = 0;
    open_share(c->worker);
    hub_turn_begin_ns(c->worker->hub, loop_now_ns(c->worker->loop));
    if (c->state == CONN_HTTP) used = read_requests(c, (char *)in, n);
    if (c->state == CONN_WS) used += conn_ws_input(c, in + used, n - used);
    return used;
}

/* While it is carried out it belongs to nobody, so that whatever ends the connection cannot free it
 * under our hands. */
static void resume(struct kept_input *kept)
{
    struct conn *c = kept->conn;
    c->kept = NULL;
    kept->at += carry_out(c, (uint8_t *)kept->bytes.p + kept->at, kept->bytes.n - kept->at);
    if (wants_input(c) && kept->at < kept->bytes.n) {
        c->kept = kept;
        conn_resume(c);
    } else {
        free_kept(kept);
    }
    hold(c);
}

void conn_resume_all(struct worker *w)
{
    struct list now; /* who is not done joins `resume` again, for the next turn */
    list_init(&now);
    for (struct list *node; (node = list_pop(&w->resume));) list_push(&now, node);
    for (struct list *node; (node = list_pop(&now));)
        resume(CONTAINER_OF(node, struct kept_input, link));
}

/* --- reading --- */

void conn_read(struct conn *c)
{
    size_t n;
    struct worker *w = c->worker;
    switch (sock_recv(c->io.fd, w->read_buf, WORKER_READ_BYTES, &n)) {
    case SOCK_AGAIN:
        return;
    case SOCK_CLOSED:
        conn_hung_up(c);
        return;
    case SOCK_ERROR:
        conn_kill(c);
        return;
    case SOCK_OK:
        break;
    }
    count_add(&w->counts.octets_in, (int64_t)n);
    c->seen_ms = loop_now_ms(w->loop);
    if (c->pinged) { /* else the deadline only moves further away, which the timer notices itself */
        c->pinged = false;
        conn_set_timer(c);
    }
    size_t used = carry_out(c, w->read_buf, n);
    if (used < n && wants_input(c)) keep(c, span_of(w->read_buf + used, n - used));
    hold(c);
}
