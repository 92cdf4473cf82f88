/* SPDX-License-Identifier: MIT
 *
 * hub/app.h: one application: identity, secrets, limits (immutable settings), and its counters.
 *
 * `struct app_settings` is plain data, filled by the configuration. `struct app` is the stable slot
 * that connections and channels point at; it outlives them. Limits: 0 means no limit.
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

struct app {
    const struct app_settings *s; /* borrowed; outlives the app */
    struct hmac_key *_hmac[APP_MAX_SECRETS];
    struct peer_rules rules;          /* derived from the settings, for the peer */
    uint32_t index;                   /* position in the set */
    _Atomic uint32_t n_conns;         /* open WebSockets, all workers */
    _Atomic uint64_t cache_bytes;     /* held by cached events */
    _Atomic uint64_t _publish_window; /* see limit.h */
    _Atomic uint64_t n_published, n_refused;
};

/* All apps, found by key and by id. Immutable after apps_new, but for the counters in the apps. */
struct apps {
    struct app *all;
    size_t n;
    struct map _by_id, _by_key;
};

/* Borrows the settings for its whole life. `strict_names` is the option strict_channel_names.
 * ERR_EXISTS with a diag where two apps share an id or a key, ERR_RANGE where an app has no secret
 * or too many. */
enum err apps_new(struct apps **out, const struct app_settings *settings, size_t n,
                  bool strict_names, struct diag *diag) MUST_USE;
void apps_free(struct apps *apps); /* NULL allowed; no app may be in use */

/* NULL when there is none. Compare as octets: "007" and "7" differ. */
struct app *apps_find_key(const struct apps *apps, struct span key);
struct app *apps_find_id(const struct apps *apps, struct span id);

/* Takes one place under limits.connections; false when full. Any thread. */
bool app_conn_take(struct app *app);
void app_conn_drop(struct app *app);

/* Takes `points` under limits.publishes_per_second, or nothing. `*left`: what is left of this
 * second (0 where there is no limit). Any thread; `now_ms` monotonic. */
bool app_publish_take(struct app *app, uint64_t now_ms, uint32_t points, uint32_t *left);
#endif
