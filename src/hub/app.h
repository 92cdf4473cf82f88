/* SPDX-License-Identifier: MIT
 *
 * hub/app.h: one application: identity, secrets, limits (immutable settings), and its counters.
 *
 * `struct app_settings` is plain data, filled by the configuration. `struct app` is the stable slot
 * that connections and channels point at; it outlives them, and its settings may be replaced while
 * it is in use. Limits: 0 means no limit.
 */
#ifndef HUB_APP_H
#define HUB_APP_H
#include "base/map.h"
#include "pusher/peer.h"
#include <stdatomic.h>

#define APP_MAX_SECRETS 8

struct app_settings {
    struct span id, key;
    struct span_list secrets; /* 1 to APP_MAX_SECRETS; the first signs, any verifies */
    bool enabled;
    bool client_events;
    bool client_events_on_public_channels;
    bool subscription_count;
    bool watchlist;
    bool user_authentication;
    uint64_t user_authentication_timeout_ms;
    bool signin_failure_closes;
    struct span_list allowed_origins; /* empty: all */
    bool statistics;                  /* are kept */
    uint64_t activity_timeout_s, ping_interval_s, pong_timeout_s;
    uint64_t connection_limit_code; /* 4100 or 4004 */
    uint64_t cache_ttl_s;           /* 0: until replaced */
    struct {
        uint64_t connections;
        uint64_t message_bytes;
        uint64_t client_events_per_second;
        uint64_t publishes_per_second;
        uint64_t channels_per_publish;
        uint64_t batch;
        uint64_t presence_members;
        uint64_t presence_member_bytes;
        uint64_t channel_name;
        uint64_t event_name;
        uint64_t subscriptions;
        uint64_t cache_bytes;
    } limits;
};

/* What one worker counted of an app, for statistics and metrics (stat_add's rule: one writer,
 * relaxed; the peak is started anew by who reads it). Workers do not share cache lines here. Octets
 * are those of WebSocket messages and of HTTP bodies and answers. */
struct app_tally {
    _Alignas(64) _Atomic uint64_t websocket_messages; /* from clients */
    _Atomic uint64_t websocket_bytes;                 /* of these */
    _Atomic uint64_t delivered;                       /* events handed to connections */
    _Atomic uint64_t answers;                         /* other messages to connections */
    _Atomic uint64_t sent_bytes;                      /* of both */
    _Atomic uint64_t api_messages;                    /* one for each event and channel */
    _Atomic uint64_t opened;
    _Atomic uint32_t peak; /* connections on all workers, at the most */
    _Atomic uint64_t closed;
    _Atomic uint64_t requests, request_bytes, response_bytes; /* to the HTTP API */
};

struct app {
    /* The settings and what follows from them. They may be replaced at any moment (apps_publish);
     * what was read stays valid for the rest of the turn. An aligned load, no more. */
    const struct app_settings *_Atomic s;
    const struct peer_rules *_Atomic rules;
    struct app_tally *_tallies;       /* one for each worker; NULL: not counted */
    uint32_t index;                   /* of the slot, for ever */
    bool internal;                    /* the server's own: not counted, not recorded */
    _Atomic uint32_t n_conns;         /* open WebSockets, all workers */
    _Atomic uint64_t cache_bytes;     /* held by cached events */
    _Atomic uint64_t _publish_window; /* see limit.h */
    void *_tally_memory;
    struct app_settings _gone; /* while the configuration does not have it: its id, not enabled */
    struct peer_rules _gone_rules;
};

/* The apps of one configuration, found by key and by id; immutable. Slots outlive it: an app that
 * is in several sets has the same slot in each, and one that went and came back, too. */
struct apps {
    struct app *all; /* the slots that were made with this set */
    size_t n;
    struct map _by_key, _by_id;
    struct map _by_secret;         /* spans in the settings; each text once */
    struct app_version *_versions; /* what each app is in this set */
    size_t _n_versions;
    struct app_slots *_slots; /* shared by sets that follow each other */
};

/* Borrows the settings for its whole life. `strict_names` is the option strict_channel_names.
 * ERR_EXISTS with a diag where two apps share an id or a key, ERR_RANGE where an app has no secret
 * or too many. Published. */
enum err apps_new(struct apps **out, const struct app_settings *settings, size_t n,
                  bool strict_names, struct diag *diag) MUST_USE;
/* NULL allowed; no app may be in use whose present settings are this set's. Slots go with the last
 * set. */
void apps_free(struct apps *apps);

/* --- replacing (docs/internals/server.md); one thread at a time --- */
/* The set that is to follow `now`: the same as apps_new, but nothing is published yet. */
enum err apps_next(struct apps **out, const struct apps *now, const struct app_settings *settings,
                   size_t n, struct diag *diag) MUST_USE;
/* The step between: the apps of both. Those of `now` keep their settings, but signatures made with
 * a secret of either set are good. */
enum err apps_union(struct apps **out, const struct apps *now, const struct apps *next) MUST_USE;
/* From now on its apps are as this set says. What was before may still be in use until all threads
 * have come by. */
void apps_publish(const struct apps *apps);
/* Apps of `now` that `next` does not have lose their settings: not enabled, no secret is right. */
void apps_retire(const struct apps *now, const struct apps *next);

enum app_change {
    APP_STAYS,
    APP_ADDED,
    APP_REMOVED,
    APP_DISABLED,
    APP_REKEYED,
    APP_NEW_SECRETS, /* others, or in another order; the key is the same */
};
/* What becomes of the app in slot `index`, below apps_n_slots(next). `*app`: the slot. */
enum app_change apps_change(const struct apps *now, const struct apps *next, size_t index,
                            struct app **app);
size_t apps_n_slots(const struct apps *apps);

/* NULL when there is none. Compare as octets: "007" and "7" differ. */
struct app *apps_find_key(const struct apps *apps, struct span key);
struct app *apps_find_id(const struct apps *apps, struct span id);
/* The apps one by one; NULL from the end on. */
const struct app *apps_at(const struct apps *apps, size_t i);
/* Whether this is a secret of one of them: people put it where a key or an id belongs, and it must
 * reach no log. Found by a keyed hash, so that the time tells nothing about them. */
bool apps_have_secret(const struct apps *apps, struct span text);

/* The app's id, for as long as the slot lives. */
static inline struct span app_lasting_id(const struct app *app)
{
    return app->_gone.id;
}

/* Takes one place under limits.connections: how many there are now; 0 when full. Any thread. */
uint32_t app_conn_take(struct app *app);
void app_conn_drop(struct app *app);

/* --- statistics --- */
/* Counts the apps of the set from now on, on workers 0 to n - 1. Before any of them sees the app;
 * one that is counted already stays as it is. */
enum err apps_count(const struct apps *apps, unsigned n_workers) MUST_USE;
/* The worker's own; NULL: the app is not counted. */
static inline struct app_tally *app_tally(const struct app *app, unsigned worker)
{
    return app->_tallies ? &app->_tallies[worker] : NULL;
}
/* The sum over all workers of a counter: `at` is its offset in struct app_tally. Any thread. */
uint64_t app_count(const struct app *app, unsigned n_workers, size_t at);
/* The worker's thread: a place was taken, and there are `n` now. */
void app_count_peak(const struct app *app, unsigned worker, uint32_t n);

/* Takes `points` under limits.publishes_per_second, or nothing. `*left`: what is left of this
 * second (0 where there is no limit). Any thread; `now_ms` monotonic. */
bool app_publish_take(struct app *app, uint64_t now_ms, uint32_t points, uint32_t *left);
#endif
