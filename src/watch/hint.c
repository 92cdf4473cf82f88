/* SPDX-License-Identifier: MIT
 *
 * watch/hint.c: who should have got an event and did not: other kinds of the channel, names that
 * are near, other apps, those who came too late or were refused, the excluded socket, slow clients;
 * and what became of one socket that somebody asks for.
 */
#include "base/near.h"
#include "watch/explain_priv.h"

#define RECENT_MS 600000 /* a refusal that long before or after may have to do with it */
#define CUT_MS 120000    /* a slow client may still have had the event in its queue */
#define MAX_KINDS 4

struct span channel_base(struct span name)
{
    static const struct span prefixes[] = {
        SPAN("private-encrypted-cache-"),
        SPAN("private-encrypted-"),
        SPAN("private-cache-"),
        SPAN("presence-cache-"),
        SPAN("private-"),
        SPAN("presence-"),
        SPAN("cache-"),
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (span_starts(name, prefixes[i])) return span_skip(name, prefixes[i].n);
    return name;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static void add_socket(struct buf *out, uint64_t id)
{
    char text[SOCKET_ID_MAX];
    buf_add(out, text, socket_id_write(id, text));
}

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

static const char *kind_word(struct span name)
{
    switch (chan_kind_of(name).type) {
    case CHAN_PUBLIC:
        return "public";
    case CHAN_PRIVATE:
        return "private";
    case CHAN_PRESENCE:
        return "presence";
    case CHAN_USER:
        return "user";
    }
    UNREACHABLE();
}

/* --- nobody was there --- */

static void hint_kinds(const struct known *k, struct explanation *ex)
{
    struct span name = fact_channel(k->fact), base = channel_base(name);
    for (size_t i = 0, n = 0; i < k->n_channels && n < MAX_KINDS; i++) {
        const struct known_channel *c = &k->channels[i];
        if (span_eq(c->name, name) || !span_eq(channel_base(c->name), base)) continue;
        struct explain_hint *hint = hint_add(ex, "other-kind");
        hint->channel = c->name;
        hint->n_subs = c->n_subs;
        buf_add_fmt(&hint->text,
                    "%.*s has %u subscription%s: the event went to the %s channel %.*s. In "
                    "Laravel, broadcastOn() must return the class of that kind (Channel, "
                    "PrivateChannel, PresenceChannel).",
                    SPAN_FMT(shown(c->name)), (unsigned)c->n_subs, plural(c->n_subs),
                    kind_word(name), SPAN_FMT(shown(name)));
        n++;
    }
}

static void hint_near(const struct known *k, struct explanation *ex)
{
    struct span name = fact_channel(k->fact), base = channel_base(name);
    struct near near = { .word = base };
    const struct known_channel *best = NULL;
    for (size_t i = 0; i < k->n_channels; i++) {
        struct span other = channel_base(k->channels[i].name), before = near.best;
        if (span_eq(other, base)) continue; /* another kind */
        near_try(&near, other);
        if (near.best.p != before.p) best = &k->channels[i];
    }
    if (!best) return;
    struct explain_hint *hint = hint_add(ex, "near-channel");
    hint->channel = best->name;
    hint->n_subs = best->n_subs;
    buf_add_fmt(&hint->text,
                "The nearest channel that somebody is on is %.*s, with %u "
                "subscription%s.",
                SPAN_FMT(shown(best->name)), (unsigned)best->n_subs, plural(best->n_subs));
    if (span_eq_nocase(channel_base(best->name), base))
        BUF_ADD_LIT(&hint->text, " Upper and lower case are different in names of channels.");
}

static void hint_other_app(const struct known *k, struct explanation *ex)
{
    for (size_t i = 0; i < k->n_apps; i++) {
        const struct known_channel *other = &k->apps[i];
        if (other->n_subs == 0 || span_eq(other->name, k->app)) continue;
        struct explain_hint *hint = hint_add(ex, "other-app");
        hint->channel = fact_channel(k->fact);
        hint->n_subs = other->n_subs;
        buf_add_fmt(&hint->text,
                    "The app %.*s has %u subscription%s of %.*s; the event was published to app "
                    "%.*s. Clients and back end use different credentials.",
                    SPAN_FMT(shown(other->name)), (unsigned)other->n_subs, plural(other->n_subs),
                    SPAN_FMT(shown(fact_channel(k->fact))), SPAN_FMT(shown(k->app)));
        return;
    }
}

static void hint_late(const struct known *k, struct explanation *ex)
{
    uint64_t at_ms = k->fact->at_ms;
    if (k->n_later == 0) return;
    struct explain_hint *hint = hint_add(ex, "before-subscribe");
    hint->channel = fact_channel(k->fact);
    hint->n_subs = k->n_later;
    buf_add_fmt(&hint->text, "%u subscription%s of it began after the event", (unsigned)k->n_later,
                plural(k->n_later));
    if (k->occupied_ms > at_ms) {
        BUF_ADD_LIT(&hint->text, ", the first ");
        add_time(&hint->text, k->occupied_ms - at_ms);
        BUF_ADD_LIT(&hint->text, " later");
    }
    BUF_ADD_LIT(&hint->text, ". An event reaches those who are there at that moment; a cache- "
                             "channel keeps the last one for those who come.");
}

static void hint_left(const struct known *k, struct explanation *ex)
{
    uint64_t at_ms = k->fact->at_ms;
    if (!k->vacated.at_ms || at_ms - k->vacated.at_ms > RECENT_MS) return;
    struct explain_hint *hint = hint_add(ex, "left-before");
    hint->channel = fact_channel(k->fact);
    BUF_ADD_LIT(&hint->text, "The last one who was on it, ");
    add_socket(&hint->text, k->vacated.socket_id);
    BUF_ADD_LIT(&hint->text, ", left ");
    add_time(&hint->text, at_ms - k->vacated.at_ms);
    BUF_ADD_LIT(&hint->text, " before the event: a page that is closed, loaded anew or connected "
                             "anew misses what comes meanwhile. A cache- channel keeps the last "
                             "event for those who come.");
}

static void hint_refused_subscribers(const struct known *k, struct explanation *ex)
{
    const struct fact *newest = NULL;
    uint32_t n = 0;
    for (size_t i = 0; i < k->n_related; i++) {
        const struct fact *f = k->related[i];
        if (f->kind != FACT_SUBSCRIBE_REFUSED || apart(f->at_ms, k->fact->at_ms) > RECENT_MS)
            continue;
        if (!span_eq(channel_base(fact_channel(f)), channel_base(fact_channel(k->fact)))) continue;
        if (!newest) newest = f;
        n++;
    }
    if (!newest) return;
    struct explain_hint *hint = hint_add(ex, "subscribe-refused");
    hint->channel = fact_channel(newest);
    hint->n_subs = n;
    buf_add_fmt(&hint->text, "%u attempt%s to subscribe to %.*s %s refused: %.*s", (unsigned)n,
                plural(n), SPAN_FMT(shown(fact_channel(newest))), n == 1 ? "was" : "were",
                SPAN_FMT(span_head(fact_why(newest), 400)));
}

static void hint_refused_connections(const struct known *k, struct explanation *ex)
{
    for (size_t i = 0; i < k->n_related; i++) {
        const struct fact *f = k->related[i];
        if (f->kind != FACT_CONNECT_REFUSED || apart(f->at_ms, k->fact->at_ms) > RECENT_MS)
            continue;
        struct explain_hint *hint = hint_add(ex, "connect-refused");
        BUF_ADD_LIT(&hint->text, "A client could not connect ");
        add_time(&hint->text, apart(f->at_ms, k->fact->at_ms));
        buf_add_fmt(&hint->text, " %s the event: %.*s",
                    f->at_ms <= k->fact->at_ms ? "before" : "after",
                    SPAN_FMT(span_head(fact_why(f), 400)));
        return;
    }
}

static void hint_user(const struct known *k, struct explanation *ex)
{
    struct explain_hint *hint = hint_add(ex, "user-offline");
    struct span id = chan_user_id(fact_channel(k->fact));
    hint->n_subs = k->n_now;
    if (k->n_now)
        buf_add_fmt(&hint->text, "User %.*s has signed in since: %u connection%s now.",
                    SPAN_FMT(shown(id)), (unsigned)k->n_now, plural(k->n_now));
    else
        buf_add_fmt(
            &hint->text,
            "User %.*s is signed in nowhere: clients must call pusher.signin(), and the "
            "id must be the text that the back end signs there (\"7\" and 7 are one, \"07\" "
            "is another).",
            SPAN_FMT(shown(id)));
}

/* --- the excluded socket --- */

static void hint_excluded(const struct known *k, struct explanation *ex)
{
    const struct known_socket *s = &k->excluded;
    char id[SOCKET_ID_MAX];
    struct span text = span_of(id, socket_id_write(s->id, id));
    if (ex->verdict == EXPLAIN_EXCLUDED) {
        buf_add_fmt(&hint_add(ex, "excluded-only")->text,
                    "%.*s was the only subscription, and the request excluded it (toOthers(), "
                    "X-Socket-ID): open a second browser, or leave toOthers() away to see it.",
                    SPAN_FMT(text));
        return;
    }
    if (k->tally.excluded > 0) return;
    if (s->state == SOCKET_NOWHERE)
        buf_add_fmt(&hint_add(ex, "excluded-unknown")->text,
                    "The request excluded the socket_id %.*s, which no connection has: the page "
                    "may have sent an old one from before a reconnect, so its user gets his own "
                    "event.",
                    SPAN_FMT(text));
    else if (s->state == SOCKET_ENDED)
        buf_add_fmt(&hint_add(ex, "excluded-ended")->text,
                    "The request excluded the socket_id %.*s, whose connection has ended: after a "
                    "reconnect the id is another one.",
                    SPAN_FMT(text));
    else if (!span_eq(s->app, k->app))
        buf_add_fmt(&hint_add(ex, "excluded-elsewhere")->text,
                    "The request excluded the socket_id %.*s, which is connected to the app %.*s "
                    "and not to %.*s.",
                    SPAN_FMT(text), SPAN_FMT(shown(s->app)), SPAN_FMT(shown(k->app)));
    else if (!s->subscribed)
        buf_add_fmt(&hint_add(ex, "excluded-elsewhere")->text,
                    "The request excluded the socket_id %.*s, which is not subscribed to the "
                    "channel.",
                    SPAN_FMT(text));
}

/* --- slow clients --- */

/* Names of channels of a cut stand one on a line. */
static bool was_on(const struct fact *cut, struct span channel)
{
    struct span rest = fact_channel(cut), one;
    while (span_cut(&rest, '\n', &one))
        if (span_eq(one, channel)) return true;
    return false;
}

static void hint_slow(const struct known *k, struct explanation *ex)
{
    uint64_t at_ms = k->fact->at_ms;
    uint32_t n = 0;
    for (size_t i = 0; i < k->n_related; i++) {
        const struct fact *f = k->related[i];
        if (f->kind != FACT_CUT || f->at_ms < at_ms || f->at_ms - at_ms > CUT_MS) continue;
        n += was_on(f, fact_channel(k->fact));
    }
    if (n == 0) return;
    struct explain_hint *hint = hint_add(ex, "slow");
    hint->n_subs = n;
    buf_add_fmt(&hint->text,
                "%u subscriber%s of the channel %s ended soon afterwards for not reading "
                "(limits.pending_bytes); what waited for %s was thrown away, this event perhaps "
                "with it.",
                (unsigned)n, plural(n), n == 1 ? "was" : "were", n == 1 ? "it" : "them");
}

static void hint_encrypted(const struct known *k, struct explanation *ex)
{
    if (!chan_kind_of(fact_channel(k->fact)).encrypted) return;
    buf_add_span(&hint_add(ex, "encrypted")->text,
                 SPAN("The channel is end-to-end encrypted: the server cannot read the data. "
                      "Clients drop it silently where the master keys differ; bind to "
                      "pusher:error or look into the browser's console."));
}

void hint_audience(const struct known *k, struct explanation *ex)
{
    const struct fact *f = k->fact;
    if (f->kind != FACT_PUBLISH) return;
    bool nobody = ex->verdict == EXPLAIN_NOBODY || ex->verdict == EXPLAIN_CACHED;
    bool user = chan_kind_of(fact_channel(f)).type == CHAN_USER;
    if (nobody && user) hint_user(k, ex);
    if (nobody && !user) {
        hint_kinds(k, ex);
        hint_late(k, ex);
        hint_left(k, ex);
        hint_refused_subscribers(k, ex);
        hint_other_app(k, ex);
        hint_near(k, ex);
        hint_refused_connections(k, ex);
    }
    if (ex->verdict == EXPLAIN_CACHED)
        buf_add_span(&hint_add(ex, "cached")->text,
                     SPAN("Whoever subscribes within cache_ttl_s gets it at once, after "
                          "subscription_succeeded."));
    if (f->exclude) hint_excluded(k, ex);
    if (!nobody) {
        hint_slow(k, ex);
        hint_encrypted(k, ex);
    }
}

/* --- one socket --- */

static void hint_absent(const struct known *k, struct explanation *ex)
{
    const struct known_socket *s = &k->viewer;
    struct buf *text = &hint_add(ex, "socket-absent")->text;
    BUF_ADD_LIT(text, "The connection ");
    add_socket(text, s->id);
    if (s->state == SOCKET_NOWHERE) {
        BUF_ADD_LIT(text, " is not known: it ended long ago, or was on another server.");
        return;
    }
    if (s->state == SOCKET_OPEN) {
        buf_add_fmt(text, " is connected to the app %.*s and gets nothing of %.*s.",
                    SPAN_FMT(shown(s->app)), SPAN_FMT(shown(k->app)));
        return;
    }
    bool before = s->ended_ms <= k->fact->at_ms;
    BUF_ADD_LIT(text, " ended ");
    add_time(text, apart(s->ended_ms, k->fact->at_ms));
    buf_add_fmt(text, before ? " before the event" : " after the event");
    if (s->code) buf_add_fmt(text, ", with code %u", s->code);
    BUF_ADD_LIT(text, ".");
}

void hint_viewer(const struct known *k, struct explanation *ex)
{
    const struct known_socket *s = &k->viewer;
    if (!s->id || k->fact->kind != FACT_PUBLISH || ex->verdict == EXPLAIN_REFUSED) return;
    if (s->state != SOCKET_OPEN || !span_eq(s->app, k->app)) {
        hint_absent(k, ex);
        return;
    }
    const char *code, *what;
    if (k->fact->exclude == s->id || k->fact->socket_id == s->id) {
        code = "socket-excluded";
        what = " is the one that was excluded: it sent the event or asked not to get it.";
    } else if (!s->subscribed) {
        code = "socket-not-subscribed";
        what = " is not subscribed to the channel.";
    } else if (s->later) {
        code = "socket-later";
        what = " subscribed after the event.";
    } else {
        code = "socket-reached";
        what =
            " was subscribed when the event came, and got it. If the page does not show it, look "
            "for the event's name there.";
    }
    struct buf *text = &hint_add(ex, code)->text;
    BUF_ADD_LIT(text, "The connection ");
    add_socket(text, s->id);
    buf_add_span(text, span_str(what));
}
