/* SPDX-License-Identifier: MIT
 *
 * server/conn.c: life, output and end of a connection; reading is in conn_input.c, what its bytes
 * mean in conn_http.c and conn_ws.c.
 *
 * Back-pressure is decided here and nowhere else: what the kernel does not take waits in `out`; a
 * connection that stays over limits.pending_bytes without progress is cut with a reason, and one
 * that does not read is not read from either.
 */
#include "server/conn.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/fds.h"
#include "server/notes.h"
#include "server/server_priv.h"
#include "ws/encoder.h"

#define CONN_MAGIC 0x50436f6eu
#define SLOW_FACTOR 8        /* this many times limits.pending_bytes: cut at once */
#define STUCK_MESSAGES 8192  /* waiting, however small (pongs): not read from */
#define ADMIN_DESCRIPTORS 4u /* kept for the admin listener */
#define DROP_TRIES 64        /* looked at to find one to drop */

static const struct config *config_of(const struct conn *c)
{
    return c->worker->cfg;
}

static uint64_t now_of(const struct conn *c)
{
    return loop_now_ms(c->worker->loop);
}

/* --- counting --- */

static void set_pending(struct conn *c, uint64_t bytes)
{
    uint32_t pending = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
    if (pending == c->pending) return;
    atomic_fetch_add_explicit(&c->worker->server->pending_bytes, (uint64_t)pending - c->pending,
                              memory_order_relaxed);
    c->pending = pending;
}

static _Atomic uint64_t *count_of_state(struct worker *w, enum conn_state state)
{
    return state == CONN_HTTP ? &w->counts.n_http : &w->counts.n_ws;
}

static void enter_state(struct conn *c, enum conn_state state)
{
    struct worker *w = c->worker;
    if (c->state == CONN_HTTP || c->state == CONN_WS) count_add(count_of_state(w, c->state), -1);
    list_remove(&c->link);
    c->state = (uint8_t)state;
    c->since_ms = now_of(c);
    switch (state) {
    case CONN_HTTP:
        list_push(&w->http, &c->link);
        break;
    case CONN_WS:
        list_push(&w->ws, &c->link);
        break;
    case CONN_ENDING:
        list_push(&w->ending, &c->link);
        break;
    case CONN_DEAD:
        break;
    }
    if (state == CONN_HTTP || state == CONN_WS) count_add(count_of_state(w, state), 1);
}

void conn_upgraded(struct conn *c)
{
    enter_state(c, CONN_WS);
}

/* --- beginning --- */

static void die(struct conn *c, void (*close_fd)(int fd));

static bool is_idle(const struct conn *c)
{
    return c->state == CONN_HTTP && !c->wait_answer && !c->kept && out_empty(&c->out);
}

static struct conn *oldest_farewell(struct worker *w)
{
    struct conn *c;
    for (struct list *node = w->ending.next; node != &w->ending; node = node->next) {
        c = CONTAINER_OF(node, struct conn, link);
        if (out_empty(&c->out)) return c;
    }
    return NULL;
}

/* The one who has kept us waiting longest and still says nothing: what has come from those whom we
 * would drop is read first, since in a flood nobody has been read from before his turn to go. */
static struct conn *oldest_request(struct worker *w)
{
    struct list *node = w->http.next, *next;
    for (int tries = 0; tries < DROP_TRIES && node != &w->http; tries++, node = next) {
        struct conn *c = CONTAINER_OF(node, struct conn, link);
        next = node->next;
        if (c->admin || !is_idle(c)) continue;
        conn_read(c);
        if (c->state == CONN_DEAD || is_idle(c)) return c;
    }
    return NULL;
}

/* A flood of clients that never finish their request, or never hang up, must not lock out those who
 * would: where descriptors are short, one that has been told to go goes now, else the oldest
 * request. False: there is none. */
static bool drop_one(struct worker *w)
{
    struct conn *farewell = oldest_farewell(w);
    struct conn *oldest = farewell ? farewell : oldest_request(w);
    if (!oldest) return false;
    log_warn("conn", farewell ? "farewell cut short" : "oldest request dropped",
             kv_str("why", "descriptors are short"), kv_u64("limit", fds_limit()));
    die(oldest, sock_close);
    return true;
}

static bool is_short(const struct worker *w, bool admin)
{
    uint64_t spare = w->server->n_workers + (admin ? 0 : ADMIN_DESCRIPTORS);
    return fds_in_use() + spare > fds_limit();
}

static void on_ready(struct io *io, uint32_t events);
static void want_events(struct conn *c);

static struct conn *begin(struct worker *w, int fd, bool admin)
{
    struct conn *c = mem_zalloc(sizeof *c);
    if (!c) {
        sock_close(fd);
        return NULL;
    }
    c->magic = CONN_MAGIC;
    c->worker = w;
    c->admin = admin;
    c->state = CONN_DEAD;
    c->io = (struct io) { .on_ready = on_ready, .fd = fd };
    c->seen_ms = loop_now_ms(w->loop);
    if (!conn_http_init(c) || poller_add(w->poller, &c->io, IO_READ)) {
        conn_http_fini(c);
        sock_close(fd);
        mem_free(c);
        return NULL;
    }
    enter_state(c, CONN_HTTP);
    conn_set_timer(c);
    return c;
}

static void begin_accepted(struct worker *w, int fd, bool admin)
{
    if (begin(w, fd, admin)) count_add(&w->counts.accepted, 1);
}

struct conn *conn_new_inside(struct worker *w, int fd)
{
    return begin(w, fd, true);
}

void conn_new(struct worker *w, int fd, bool admin)
{
    if (is_short(w, admin)) drop_one(w);
    conn_give_room(w);
    begin_accepted(w, fd, admin);
}

void conn_new_last(struct worker *w, int fd, bool admin)
{
    /* Nobody here to go for it: another worker has one, and this one's listener waits so long. */
    if (!drop_one(w)) atomic_fetch_add_explicit(&w->server->fds_wanted, 1, memory_order_relaxed);
    begin_accepted(w, fd, admin);
}

void conn_give_room(struct worker *w)
{
    _Atomic unsigned *wanted = &w->server->fds_wanted;
    if (atomic_load_explicit(wanted, memory_order_relaxed) == 0) return;
    unsigned n = atomic_exchange_explicit(wanted, 0, memory_order_relaxed);
    bool short_of = is_short(w, false);
    while (n > 0 && short_of && drop_one(w)) n--;
    if (n > 0 && short_of) atomic_fetch_add_explicit(wanted, n, memory_order_relaxed);
}

/* --- ending --- */

static void leave_protocol(struct conn *c)
{
    if (c->state == CONN_HTTP) conn_http_fini(c);
    if (c->state == CONN_WS) conn_ws_fini(c);
    conn_input_drop(c);
}

void conn_end(struct conn *c, uint16_t ending_ms)
{
    if (c->state == CONN_ENDING || c->state == CONN_DEAD) return;
    leave_protocol(c);
    enter_state(c, CONN_ENDING);
    bool stops = c->worker->phase == WORKER_FINISHES;
    c->ending_ms = stops && ending_ms > CONN_STOP_ENDING_MS ? CONN_STOP_ENDING_MS : ending_ms;
    poller_set(c->worker->poller, &c->io, IO_READ);
    if (!list_linked(&c->turn)) list_push(&c->worker->dirty, &c->turn);
    conn_set_timer(c);
}

struct span conn_address(const struct conn *c, char text[SOCK_ADDR_TEXT_MAX])
{
    struct sock_addr peer;
    if (c->told_address) return span_str(c->told_address);
    if (!sock_peer(c->io.fd, &peer)) return (struct span) { NULL, 0 };
    return sock_addr_text(&peer, text);
}

void conn_hurry(struct conn *c)
{
    CHECK(c->state == CONN_ENDING);
    uint64_t lasts_ms = now_of(c) - c->since_ms + CONN_STOP_ENDING_MS;
    if (c->ending_ms <= lasts_ms) return;
    c->ending_ms = (uint16_t)lasts_ms;
    conn_set_timer(c);
}

static void die(struct conn *c, void (*close_fd)(int fd))
{
    if (c->state == CONN_DEAD) return;
    struct worker *w = c->worker;
    leave_protocol(c);
    enter_state(c, CONN_DEAD);
    wheel_clear(&w->wheel, &c->timer);
    poller_del(w->poller, &c->io);
    close_fd(c->io.fd);
    set_pending(c, 0);
    out_fini(&c->out);
    list_remove(&c->turn);
    list_push(&w->dead, &c->turn);
    loop_again(w->loop);
}

void conn_kill(struct conn *c)
{
    die(c, sock_close_reset);
}

/* The peer will send nothing more: requests that are complete are still answered, and what is
 * queued goes out; then it is over. */
void conn_hung_up(struct conn *c)
{
    if (out_empty(&c->out) && !c->wait_answer) {
        die(c, sock_close);
        return;
    }
    c->eof = true;
    if (c->state == CONN_HTTP)
        c->hangup = true;
    else
        conn_end(c, CONN_ENDING_MS);
    want_events(c);
}

void conn_free_dead(struct worker *w)
{
    struct list *head = &w->dead;
    for (struct list *node = head->next, *next; node != head; node = next) {
        next = node->next;
        struct conn *c = CONTAINER_OF(node, struct conn, turn);
        if (c->hub.pins > 0 || c->wait_answer) continue; /* somebody still points here */
        list_remove(node);
        c->magic = 0;
        mem_free(c);
    }
}

/* --- input --- */

/* What an ending connection still sends is not looked at; closing with unread input would reset the
 * connection and lose what we sent last. */
static void discard_input(struct conn *c)
{
    for (int i = 0; i < 16; i++) {
        size_t n;
        switch (sock_recv(c->io.fd, c->worker->read_buf, WORKER_READ_BYTES, &n)) {
        case SOCK_OK:
            continue;
        case SOCK_AGAIN:
            return;
        case SOCK_CLOSED:
            conn_hung_up(c);
            return;
        case SOCK_ERROR:
            conn_kill(c);
            return;
        }
    }
}

/* What was kept comes first, and goes on by itself, unless he must read before. */
static void has_input(struct conn *c, uint32_t events)
{
    if (c->state == CONN_ENDING)
        discard_input(c);
    else if (!c->kept)
        conn_read(c);
    else if ((events & IO_GONE) && conn_is_stuck(c))
        conn_kill(c);
}

static void on_ready(struct io *io, uint32_t events)
{
    struct conn *c = CONTAINER_OF(io, struct conn, io);
    CHECK_MAGIC(c, CONN_MAGIC);
    if (c->state == CONN_DEAD) return;
    if ((events & IO_GONE) && c->eof) { /* reading would only tell the end again, in each turn */
        conn_kill(c);
        return;
    }
    if ((events & IO_WRITE) && !list_linked(&c->turn)) list_push(&c->worker->dirty, &c->turn);
    if (events & (IO_READ | IO_GONE)) has_input(c, events);
    if (conn_must_shed(c->worker)) conn_shed(c->worker);
}

/* --- output --- */

static void mark_dirty(struct conn *c)
{
    if (!list_linked(&c->turn)) list_push(&c->worker->dirty, &c->turn);
}

void conn_send_msg(struct conn *c, struct msg *msg)
{
    if (c->state == CONN_DEAD) return;
    /* In the middle of a fan-out nobody may leave a channel: the flush ends it. */
    if (out_borrow(&c->out, msg)) c->no_memory = true;
    mark_dirty(c);
}

static size_t no_head(uint8_t out[MSG_HEAD_MAX], size_t len)
{
    (void)out;
    (void)len;
    return 0;
}

void conn_send_bytes(struct conn *c, struct buf *b)
{
    struct msg *msg = msg_finish(b, no_head);
    if (c->state == CONN_DEAD) {
        msg_unref(msg);
        return;
    }
    if (!msg || out_take(&c->out, msg)) {
        conn_kill(c);
        return;
    }
    mark_dirty(c);
}

/* --- slow consumers (docs/internals/server.md) --- */

static void cut(struct conn *c, const char *why, const char *option, uint64_t limit)
{
    struct worker *w = c->worker;
    count_add(&w->counts.slow_cut, 1);
    bool ws = c->state == CONN_WS;
    char id[SOCKET_ID_MAX];
    log_warn("conn", "slow consumer cut", kv_str("why", why), kv_u64("waiting_bytes", c->out.bytes),
             kv_str("option", option), kv_u64("limit", limit),
             kv_span("app", ws ? c->hub.app->s->id : SPAN("")),
             kv_span("socket_id", span_of(id, ws ? socket_id_write(c->hub.socket_id, id) : 0)));
    uint64_t waited_bytes = c->out.bytes;
    out_drop_unsent(&c->out);
    set_pending(c, c->out.bytes); /* else judge_speed() would kill it for what was just dropped */
    if (ws) {
        struct buf text = { 0 };
        buf_add_fmt(&text, "Too slow: messages waited for you beyond %s (%llu).", option,
                    (unsigned long long)limit);
        note_cut(c, buf_span(&text), waited_bytes - c->out.bytes);
        conn_ws_refuse_within(c, 4100, buf_span(&text), CONN_SLOW_ENDING_MS);
        buf_fini(&text);
    }
    conn_end(c, CONN_SLOW_ENDING_MS);
}

/* Where limits.pending_total_bytes is used up, those go who hold more than half of the average: the
 * others together hold less than half of it, and did not cause it. Here one large message counts,
 * too: many connections with one each fill the memory as well. */
static bool holds_too_much(const struct conn *c)
{
    const struct server *s = c->worker->server;
    uint64_t total = config_of(c)->limits.pending_total_bytes, n = 0;
    if (total == 0 || atomic_load_explicit(&s->pending_bytes, memory_order_relaxed) <= total)
        return false;
    for (unsigned i = 0; i < s->n_workers; i++)
        n += count_get(&s->workers[i].counts.n_ws) + count_get(&s->workers[i].counts.n_http);
    return c->out.bytes > total / 2 / (n ? n : 1);
}

/* After a flush that left something. One message alone never makes a connection slow, while there
 * is memory for all. */
static void judge_speed(struct conn *c, bool progress)
{
    const struct config *cfg = config_of(c);
    uint64_t limit = cfg->limits.pending_bytes, excess = out_excess(&c->out);
    if (holds_too_much(c)) {
        cut(c, "memory for waiting output is used up", "limits.pending_total_bytes",
            cfg->limits.pending_total_bytes);
        /* What is sent in part has to be sent whole before any last words: no time for that now. */
        if (holds_too_much(c)) conn_kill(c);
    } else if (limit == 0 || excess <= limit) {
        c->slow_ms = 0;
    } else if (excess > SLOW_FACTOR * limit) {
        cut(c, "far over the limit", "limits.pending_bytes", limit);
    } else if (c->slow_ms == 0 || progress) {
        c->slow_ms = now_of(c);
        conn_set_timer(c);
    } else if (now_of(c) - c->slow_ms >= cfg->slow_consumer_grace_ms) {
        cut(c, "over the limit without progress for slow_consumer_grace_ms", "limits.pending_bytes",
            limit);
    }
}

/* Who does not read what we send is not read from: his requests would only make it more. */
bool conn_is_stuck(const struct conn *c)
{
    uint64_t limit = config_of(c)->limits.pending_bytes;
    if (c->state == CONN_ENDING) return false;
    return (limit && c->out.bytes > limit) || out_count(&c->out) > STUCK_MESSAGES;
}

static void want_events(struct conn *c)
{
    uint32_t events = conn_is_stuck(c) || c->wait_answer || c->eof ? 0 : IO_READ;
    if (!out_empty(&c->out)) events |= IO_WRITE;
    poller_set(c->worker->poller, &c->io, events);
}

static void after_all_sent(struct conn *c)
{
    c->slow_ms = 0;
    if (c->state == CONN_HTTP && c->hangup && !c->wait_answer) conn_end(c, CONN_HTTP_ENDING_MS);
    if (c->state != CONN_ENDING) return;
    if (c->eof)
        die(c, sock_close);
    else if (!c->shut)
        sock_shutdown_write(c->io.fd);
    c->shut = true;
}

/* While we do not read from a peer, that he takes what we send is his sign of life. */
static void note_progress(struct conn *c)
{
    if (c->state == CONN_HTTP) conn_http_progress(c);
    if (c->state == CONN_WS && conn_is_stuck(c)) conn_ws_progress(c);
}

static void flush(struct conn *c)
{
    if (c->no_memory) {
        conn_kill(c);
        return;
    }
    size_t sent = 0;
    enum sock_status status = out_flush(&c->out, c->io.fd, &c->worker->batch, &sent);
    if (status == SOCK_ERROR || status == SOCK_CLOSED) {
        conn_kill(c);
        return;
    }
    set_pending(c, c->out.bytes);
    count_add(&c->worker->counts.octets_out, (int64_t)sent);
    if (sent > 0) note_progress(c);
    if (out_empty(&c->out))
        after_all_sent(c);
    else if (c->state != CONN_ENDING)
        judge_speed(c, sent > 0);
    if (c->state == CONN_DEAD) return;
    out_own(&c->out);
    if (c->kept) conn_resume(c);
    want_events(c);
}

void conn_flush_all(struct worker *w)
{
    /* A flush may make its own connection dirty again (a cut appends the last words): that is sent
     * in the same phase, and no connection comes back more than once. */
    for (struct list *node; (node = list_pop(&w->dirty));)
        flush(CONTAINER_OF(node, struct conn, turn));
    out_batch_forget(&w->batch);
}

/* --- time --- */

static uint64_t deadline_of(const struct conn *c)
{
    if (c->state == CONN_ENDING) return c->since_ms + c->ending_ms;
    uint64_t at = c->state == CONN_HTTP ? conn_http_deadline(c) : conn_ws_deadline(c);
    uint64_t slow = c->slow_ms ? c->slow_ms + config_of(c)->slow_consumer_grace_ms : WHEEL_NEVER;
    return slow < at ? slow : at;
}

void conn_set_timer(struct conn *c)
{
    if (c->state == CONN_DEAD) return;
    wheel_set(&c->worker->wheel, &c->timer, deadline_of(c));
}

void conn_on_timer(struct timer *t, void *worker)
{
    (void)worker;
    struct conn *c = CONTAINER_OF(t, struct conn, timer);
    CHECK_MAGIC(c, CONN_MAGIC);
    uint64_t now = now_of(c);
    if (c->state == CONN_ENDING) {
        conn_kill(c);
        return;
    }
    if (c->slow_ms) judge_speed(c, false);
    if (c->state == CONN_HTTP && conn_http_deadline(c) <= now) conn_http_timeout(c);
    if (c->state == CONN_WS && c->session) conn_ws_check_session(c);
    if (c->state == CONN_WS && conn_ws_deadline(c) <= now) conn_ws_timeout(c);
    conn_set_timer(c);
}
