/* SPDX-License-Identifier: MIT
 *
 * server/watchers.h: the live stream (docs/internals/watch.md): who watches, and what each worker
 * has gathered for them.
 *
 * Watchers are connections of an app of the server's own, which is in no set of apps: no list, no
 * limit, no API knows it. Workers hear that somebody watches by one flag. Each gathers what happens
 * for each filter, at most so much in 100 ms, and publishes it as one event; what does not fit is
 * counted. So watching costs the busiest server a bounded part of its time and memory.
 */
#ifndef SERVER_WATCHERS_H
#define SERVER_WATCHERS_H
#include "hub/hub.h"
#include "watch/filter.h"

#define WATCHERS_KEY "peal-internal"
#define WATCHERS_MAX_FILTERS 16

struct conn;
struct server;
struct worker;
struct ws_open;

/* Whether somebody may watch, by the way that he came. */
enum watch_entry {
    WATCH_NO,     /* he does not ask to */
    WATCH_ALL,    /* the admin listener */
    WATCH_ONE,    /* the main listener, with a token of one app */
    WATCH_DENIED, /* without a good one */
};
struct watchers;

enum err watchers_new(struct watchers **out) MUST_USE;
void watchers_free(struct watchers *ws); /* NULL allowed; after all connections */
struct app *watchers_app(const struct watchers *ws);

/* What one worker has gathered; in struct worker. Zeroed is idle. */
struct watch_part {
    bool used;
    struct buf channel, events; /* events: elements of a JSON array, behind its bracket */
    struct watch_filter filter;
    uint32_t n, skipped;
};
struct watch_out {
    uint64_t version; /* of the watchers' filters, as `parts` has them */
    struct watch_part parts[WATCHERS_MAX_FILTERS];
    uint64_t due_ms;    /* when what was gathered goes out; 0: nothing was */
    uint64_t sample_ms; /* when the last sample was taken; 0: nobody wants any */
    uint64_t cpu_ns, wall_ns, busy_max_ns;
};

/* Whether the raw segment of a path is the key of the stream. */
bool watch_is_key(struct span key);
/* Whether, of what and how long somebody with this key and query may watch over this connection's
 * listener: fills in what WATCH_ONE needs, too. */
void watch_judge(const struct conn *c, struct ws_open *open);

/* --- on the worker's thread --- */
/* Fills in what the hub tells watchers by. */
void watch_sink(struct worker *w, struct hub_sink *sink);
/* Something happened that the hub does not know of. Call it where hub_watched() only. */
void watch_tell(struct worker *w, struct watch_event *ev);
/* Timers phase: sends what is due. */
void watch_step(struct worker *w);
uint64_t watch_deadline_ms(const struct worker *w);
void watch_out_fini(struct watch_out *out);
#endif
