/* SPDX-License-Identifier: MIT
 *
 * watch/hint_name.c: names of events. The server cannot know what a page listens for, but it knows
 * what it was sent before, and how Laravel Echo turns what is written in listen() into a name:
 * listen('X') means App\Events\X, listen('.x') means x.
 */
#include "base/near.h"
#include "watch/explain_priv.h"

#define NAMESPACE "App\\\\Events\\\\" /* as it stands inside a JSON string */

/* What follows the last backslash (two octets in JSON) or dot. */
static struct span last_part(struct span raw)
{
    size_t at = 0;
    for (size_t i = 0; i < raw.n; i++)
        if (raw.p[i] == '\\' || raw.p[i] == '.') at = i + 1;
    return span_skip(raw, at);
}

/* Names in sentences: a backslash stands once. */
static void add_name(struct buf *out, struct span raw)
{
    for (size_t i = 0; i < raw.n && i < TEXT_MAX; i++) {
        if (raw.p[i] == '\\' && i + 1 < raw.n && raw.p[i + 1] == '\\') i++;
        buf_add_byte(out, raw.p[i]);
    }
}

static bool is_protocol(struct span raw)
{
    return span_starts(raw, SPAN("client-")) || span_starts(raw, SPAN("pusher"));
}

/* How often clients were sent this very name, this event included. */
static uint32_t times_sent(const struct known *k, struct span raw)
{
    for (size_t i = 0; i < k->n_names; i++)
        if (span_eq(k->names[i].raw, raw)) return k->names[i].count;
    return 0;
}

static bool hint_dot(struct span raw, struct explanation *ex)
{
    if (raw.n < 2 || raw.p[0] != '.') return false;
    struct buf *text = &hint_add(ex, "leading-dot")->text;
    BUF_ADD_LIT(text, "The event's name begins with a dot. Echo's listen('");
    add_name(text, raw);
    BUF_ADD_LIT(text, "') takes the dot as \"no namespace\" and hears ");
    add_name(text, span_skip(raw, 1));
    BUF_ADD_LIT(text, ": publish (broadcastAs()) without the dot, listen with it.");
    return true;
}

/* Another name that ends alike is the one that clients usually get. */
static bool hint_namespace(const struct known *k, struct span raw, struct explanation *ex)
{
    const struct known_name *best = NULL;
    uint32_t mine = times_sent(k, raw);
    for (size_t i = 0; i < k->n_names; i++) {
        const struct known_name *n = &k->names[i];
        if (span_eq(n->raw, raw) || !span_eq(last_part(n->raw), last_part(raw))) continue;
        if (n->count > mine && (!best || n->count > best->count)) best = n;
    }
    if (!best) return false;
    struct buf *text = &hint_add(ex, "namespace")->text;
    BUF_ADD_LIT(text, "Clients of this app were sent ");
    add_name(text, best->raw);
    buf_add_fmt(text, " %u time%s; this event is ", (unsigned)best->count,
                best->count == 1 ? "" : "s");
    add_name(text, raw);
    BUF_ADD_LIT(text, ". Who listens for the one does not hear the other.");
    return true;
}

static bool hint_near_name(const struct known *k, struct span raw, struct explanation *ex)
{
    struct near near = { .word = last_part(raw) };
    uint32_t mine = times_sent(k, raw);
    const struct known_name *best = NULL;
    for (size_t i = 0; i < k->n_names; i++) {
        const struct known_name *n = &k->names[i];
        struct span before = near.best, last = last_part(n->raw);
        if (n->count <= mine || span_eq(n->raw, raw)) continue;
        /* What stands before must be the same, and is not compared: with a long namespace all of
         * its classes would be near each other. */
        if (!span_eq(span_head(n->raw, n->raw.n - last.n), span_head(raw, raw.n - near.word.n)))
            continue;
        near_try(&near, last);
        if (near.best.p != before.p) best = n;
    }
    if (!best) return false;
    struct buf *text = &hint_add(ex, "event-name")->text;
    BUF_ADD_LIT(text, "Clients of this app were sent the similar name ");
    add_name(text, best->raw);
    buf_add_fmt(text, " %u time%s before; is ", (unsigned)best->count, best->count == 1 ? "" : "s");
    add_name(text, raw);
    BUF_ADD_LIT(text, " what was meant?");
    return true;
}

/* What a page has to listen for. */
static void hint_listen(struct span raw, struct explanation *ex)
{
    bool class_name = span_starts(raw, SPAN(NAMESPACE));
    struct span rest = class_name ? span_skip(raw, sizeof NAMESPACE - 1) : raw;
    struct buf *text = &hint_add(ex, "listen-name")->text;
    BUF_ADD_LIT(text, "It was handed to connections. Where a page does nothing, it listens for "
                      "another name: with pusher-js bind('");
    add_name(text, raw);
    BUF_ADD_LIT(text, "'), with Laravel Echo listen('");
    if (!class_name) buf_add_byte(text, '.');
    for (size_t i = 0; i < rest.n && i < TEXT_MAX; i++) {
        bool separator = class_name && rest.p[i] == '\\' && i + 1 < rest.n;
        if (separator) i++;
        buf_add_byte(text, separator ? '.' : rest.p[i]);
    }
    BUF_ADD_LIT(text, "').");
}

void hint_names(const struct known *k, struct explanation *ex)
{
    struct span raw = fact_event_raw(k->fact);
    bool got = ex->verdict == EXPLAIN_DELIVERED || ex->verdict == EXPLAIN_PARTLY;
    if (k->fact->kind != FACT_PUBLISH || raw.n == 0 || is_protocol(raw)) return;
    bool said = hint_dot(raw, ex);
    if (!got) return;
    said |= hint_namespace(k, raw, ex);
    if (!said) hint_near_name(k, raw, ex);
    hint_listen(raw, ex);
}
