/* SPDX-License-Identifier: MIT
 *
 * server/conn.h: one client socket: HTTP first, a WebSocket after the upgrade.
 *
 *     HTTP ──upgrade──> WS ──conn_end──> ENDING ──sent, peer gone or time over──> DEAD ──> freed
 *       └───────────────conn_end───────────^                                       ^
 *       └───────────────conn_kill (reset, error)───────────────────────────────────┘
 *
 * The only place that sees the network and the protocols at once. A connection belongs to one
 * worker for life. An idle one owns no buffer. Freed in the loop's close phase only, so every
 * pointer to it is good for the rest of the turn.
 */
#ifndef SERVER_CONN_H
#define SERVER_CONN_H
#include "server/out.h"
#include "server/worker.h"

#define CONN_ENDING_MS 1000      /* to take the close frame and hang up */
#define CONN_SLOW_ENDING_MS 2000 /* to read what was in the way of it */
#define CONN_HTTP_ENDING_MS 5000 /* to notice the answer while still sending a body */
#define CONN_STOP_ENDING_MS 500  /* no longer than this while the server stops */

enum conn_state { CONN_HTTP, CONN_WS, CONN_ENDING, CONN_DEAD };

struct http_conn;  /* conn_http.c */
struct kept_input; /* conn_input.c */

struct conn {
    uint32_t magic;
    uint8_t state;        /* enum conn_state */
    bool admin;           /* came by the admin listener */
    bool shut;            /* our direction is shut down */
    bool eof;             /* the peer's is */
    bool pinged;          /* a ping of ours is unanswered */
    bool counted;         /* holds a place under the app's limits.connections */
    bool wait_answer;     /* an admin request is being answered by other workers */
    bool no_memory;       /* a message for it could not be queued: the flush ends it */
    bool hangup;          /* HTTP: no further request after this response */
    bool held_signed;     /* `held` is of a request whose signature is right */
    uint16_t ending_ms;   /* how long ENDING may last */
    uint16_t scope;       /* a watcher: may see the app of this index + 1 only; 0: all */
    uint8_t client;       /* what it says it is: server/notes.h */
    bool told_end;        /* its end is remembered */
    union {               /* of a watcher over the main listener */
        uint32_t session; /* logged in: server/sessions.h; 0: nobody */
        uint32_t until_s; /* scope > 0: when his token ends, by the loop's clock */
    };
    struct io io;
    struct timer timer;
    struct list link; /* worker's http, ws or ending */
    struct list turn; /* worker's dirty or dead */
    struct worker *worker;
    struct out out;
    uint32_t pending;        /* octets counted in server->pending_bytes */
    uint32_t held;           /* octets counted in server->held_bytes */
    struct kept_input *kept; /* conn_input.c: read and not yet carried out; mostly NULL */
    uint64_t seen_ms;        /* when the peer last sent something */
    uint64_t since_ms;       /* of the state */
    uint64_t slow_ms;  /* since when it is over limits.pending_bytes, unmoving; 0: it is not */
    uint64_t begun_ms; /* WS: when the unfinished message began; 0: there is none */
    union {
        struct http_conn *http; /* CONN_HTTP */
        struct ws_dec dec;      /* CONN_WS */
    } in;
    char *told_address;  /* WS: the client's, as a proxy that we trust has told it; or NULL */
    struct hub_conn hub; /* CONN_WS and later */
};
/* A million of them fit into a small machine. */
_Static_assert(sizeof(struct conn) <= 360, "struct conn grew: see docs/internals/server.md");

static inline struct conn *conn_of_hub(struct hub_conn *hub)
{
    return CONTAINER_OF(hub, struct conn, hub);
}

/* The HTTP part is gone, the WebSocket begins: moves between the lists and counts. */
void conn_upgraded(struct conn *c);
/* Takes the descriptor. Without memory it is closed. */
void conn_new(struct worker *w, int fd, bool admin);
/* The same for the last descriptor that there was: another connection goes for it. */
void conn_new_last(struct worker *w, int fd, bool admin);
/* One of the server's own, over a pair of sockets; conn_ws_open_inside() is to follow. Takes the
 * descriptor. NULL: no memory. */
struct conn *conn_new_inside(struct worker *w, int fd);
/* Drops a connection where another worker needs its descriptor and has none to drop. */
void conn_give_room(struct worker *w);

/* --- the one way out --- */
/* Borrows `msg` until the end of the turn. */
void conn_send_msg(struct conn *c, struct msg *msg);
/* Takes the content of `b`, made with msg_begin(): bytes as they are, without a frame. */
void conn_send_bytes(struct conn *c, struct buf *b);
/* Flush phase: writes all of `w->dirty`. */
void conn_flush_all(struct worker *w);

/* --- ending --- */
/* No more input counts; what is queued is sent, then our direction shut, then the peer's end is
 * awaited for `ending_ms`. */
void conn_end(struct conn *c, uint16_t ending_ms);
/* At once, with a reset. */
void conn_kill(struct conn *c);
/* Of the client, for people: what a trusted proxy said, else the peer's with its port; p == NULL:
 * it is gone. `text` may hold it. */
struct span conn_address(const struct conn *c, char text[SOCK_ADDR_TEXT_MAX]);
/* The server stops: an end that has begun lasts CONN_STOP_ENDING_MS at most from now on. */
void conn_hurry(struct conn *c);
/* Close phase. */
void conn_free_dead(struct worker *w);

void conn_on_timer(struct timer *t, void *worker); /* wheel_expire */
/* Sets the timer to the connection's next deadline. */
void conn_set_timer(struct conn *c);
/* The peer will send nothing more. */
void conn_hung_up(struct conn *c);
/* He does not read what we send: he is not read from, and what he has said waits. */
bool conn_is_stuck(const struct conn *c);

/* --- conn_input.c --- */
#define WORK_MESSAGE 1
#define WORK_REQUEST 8
/* Reads once and carries out what has come, as far as the connection's share of the turn goes. */
void conn_read(struct conn *c);
/* Asked between two messages or requests: whether the next one may be carried out now. */
bool conn_may_go_on(const struct conn *c);
/* One was carried out; `waited_bytes`: c->out.bytes before it. */
void conn_worked(struct conn *c, unsigned units, uint64_t waited_bytes);
/* What was kept goes on in the next turn, if the peer reads. */
void conn_resume(struct conn *c);
/* Before the mailbox: goes on with what was kept. */
void conn_resume_all(struct worker *w);
void conn_input_turn_end(struct worker *w);
/* Nothing is kept for the connection any more. */
void conn_input_drop(struct conn *c);
/* Its unfinished input is too much: tells so and lets it go. */
void conn_refuse_held(struct conn *c);
/* Lets go of those who hold most, if it is still too much. */
void conn_shed(struct worker *w);
static inline bool conn_must_shed(const struct worker *w)
{
    return atomic_load_explicit(&w->to_shed, memory_order_relaxed);
}

/* --- conn_http.c --- */
bool conn_http_init(struct conn *c);
void conn_http_fini(struct conn *c);
/* How many octets were carried out; ends early where conn_may_go_on() says so. */
size_t conn_http_input(struct conn *c, char *in, size_t n);
/* Whether there will be a further request. */
bool conn_http_reads(const struct conn *c);
/* Memory of the request under way; whether its signature is right; since when it is awaited. */
size_t conn_http_held(const struct conn *c);
bool conn_http_signed(const struct conn *c);
uint64_t conn_http_since_ms(const struct conn *c);
/* Answers the unfinished request with an error, forgets it, and hangs up. Takes `text`. */
void conn_http_refuse(struct conn *c, unsigned status, struct buf *text);
uint64_t conn_http_deadline(const struct conn *c);
void conn_http_timeout(struct conn *c);
/* The answer that other workers made: sends it and goes on. Takes the body. */
void conn_http_answer(struct conn *c, unsigned status, struct buf *body);
/* The same with an answer that `write` appends; not called where nobody waits any more. */
typedef enum err conn_http_writer(void *ctx, const struct http1_req *req, struct http1_reply to,
                                  struct buf *out);
void conn_http_answer_with(struct conn *c, conn_http_writer *write, void *ctx);
/* The kernel took octets of an answer, so the client is still reading. */
void conn_http_progress(struct conn *c);
/* While stopping: no request is under way and none will be read. */
bool conn_http_idle(const struct conn *c);

/* --- conn_ws.c --- */
struct ws_open {
    struct span key;    /* raw path segment */
    struct span origin; /* p == NULL: not sent */
    struct span client; /* address, for logs */
    bool client_told;   /* by a proxy */
    struct span query;  /* of the request */
    enum watch_entry watch;
    uint16_t scope;   /* WATCH_ONE: as in struct conn */
    uint32_t until_s; /* likewise */
};
/* After the 101: admits the client or tells it why not. */
void conn_ws_open(struct conn *c, const struct ws_open *open);
/* The same for one of the server's own, without a request: `app` is internal. */
void conn_ws_open_inside(struct conn *c, struct app *app);
size_t conn_ws_input(struct conn *c, uint8_t *in, size_t n); /* how many were carried out */
uint64_t conn_ws_since_ms(const struct conn *c);             /* its unfinished message */
/* The kernel took octets for a peer whom we do not read from: he is alive. */
void conn_ws_progress(struct conn *c);
uint64_t conn_ws_deadline(const struct conn *c);
void conn_ws_timeout(struct conn *c);
/* A watcher whose log-in or token is over is told so. */
void conn_ws_check_session(struct conn *c);
/* pusher:error and a close frame with `code`, then the end. `text` is UTF-8. */
void conn_ws_refuse(struct conn *c, unsigned code, struct span text);
/* The same, with `ending_ms` instead of CONN_ENDING_MS. */
void conn_ws_refuse_within(struct conn *c, unsigned code, struct span text, uint16_t ending_ms);
void conn_ws_fini(struct conn *c);
extern const struct hub_sink conn_hub_sink;
#endif
