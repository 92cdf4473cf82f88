/* SPDX-License-Identifier: MIT
 *
 * watch/explain.c: verdict, summary and steps. Each step is said as far as the event came; the
 * hints are in hint*.c.
 */
#include "watch/explain_priv.h"

const char *explain_verdict_name(enum explain_verdict verdict)
{
    static const char *const names[] = {
#define X(id, name) name,
        VERDICTS(X)
#undef X
    };
    return names[verdict];
}

struct span shown_name(struct span text)
{
    return text.n ? shown(text) : SPAN("(none)");
}

void add_time(struct buf *out, uint64_t ms)
{
    if (ms < 2000)
        buf_add_fmt(out, "%llu ms", (unsigned long long)ms);
    else if (ms < 120000)
        buf_add_fmt(out, "%llu s", (unsigned long long)(ms / 1000));
    else
        buf_add_fmt(out, "%llu min", (unsigned long long)(ms / 60000));
}

struct explain_hint *hint_add(struct explanation *ex, const char *code)
{
    if (ex->n_hints == EXPLAIN_MAX_HINTS) buf_fini(&ex->hints[--ex->n_hints].text);
    struct explain_hint *hint = &ex->hints[ex->n_hints++];
    *hint = (struct explain_hint) { .code = code };
    return hint;
}

/* --- verdict --- */

static bool is_user(const struct fact *f)
{
    return chan_kind_of(fact_channel(f)).type == CHAN_USER;
}

static enum explain_verdict judge(const struct fact *f, const struct known_tally *t)
{
    if (f->kind == FACT_CUT) return EXPLAIN_CUT;
    if (f->kind != FACT_PUBLISH) return EXPLAIN_REFUSED;
    if (f->n_subs == 0) return f->cached ? EXPLAIN_CACHED : EXPLAIN_NOBODY;
    if (t->n_workers < f->n_workers) return EXPLAIN_UNDER_WAY;
    if (t->delivered == 0 && t->excluded > 0) return EXPLAIN_EXCLUDED;
    if (t->delivered == 0) return EXPLAIN_NOBODY;
    return t->delivered + t->excluded >= f->n_subs ? EXPLAIN_DELIVERED : EXPLAIN_PARTLY;
}

static void add_people(struct buf *out, const struct fact *f, uint32_t n)
{
    const char *what = is_user(f) ? "signed-in connection" : "subscription";
    buf_add_fmt(out, "%u %s%s", (unsigned)n, what, n == 1 ? "" : "s");
}

static void summarise_nobody(const struct fact *f, struct buf *out)
{
    struct span channel = fact_channel(f);
    if (is_user(f))
        buf_add_fmt(out, "No connection was signed in as user %.*s.",
                    SPAN_FMT(shown(chan_user_id(channel))));
    else if (f->n_subs)
        buf_add_fmt(out, "Whoever was subscribed to %.*s left while it was under way.",
                    SPAN_FMT(shown(channel)));
    else
        buf_add_fmt(out, "Nobody was subscribed to %.*s.", SPAN_FMT(shown(channel)));
}

static void summarise_delivery(const struct fact *f, const struct known_tally *t, struct buf *out)
{
    buf_add_fmt(out, "Delivered to %u of ", (unsigned)t->delivered);
    add_people(out, f, f->n_subs);
    if (t->excluded)
        buf_add_fmt(out,
                    f->source == FACT_SOURCE_CLIENT ? "; the sender does not get his own event"
                                                    : "; %u was excluded by socket_id",
                    (unsigned)t->excluded);
    uint32_t left =
        f->n_subs > t->delivered + t->excluded ? f->n_subs - t->delivered - t->excluded : 0;
    if (left) buf_add_fmt(out, "; %u left meanwhile", (unsigned)left);
    buf_add_byte(out, '.');
}

static void summarise_excluded(const struct fact *f, struct buf *out)
{
    if (f->source == FACT_SOURCE_CLIENT)
        BUF_ADD_LIT(out, "The only one on the channel was the sender, who does not get his own "
                         "event.");
    else
        BUF_ADD_LIT(out, "The only subscription was that of the socket_id that the request "
                         "excluded (toOthers()).");
}

static void summarise_refusal(const struct fact *f, struct buf *out)
{
    struct span why = fact_why(f);
    if (f->status)
        buf_add_fmt(out, "Refused with %u: ", (unsigned)f->status);
    else if (f->code)
        buf_add_fmt(out, "Refused with code %u: ", (unsigned)f->code);
    buf_add_span(out, why.n ? why : SPAN("no reason is remembered."));
}

enum explain_verdict explain_summary(const struct fact *f, const struct known_tally *t,
                                     struct buf *out)
{
    enum explain_verdict verdict = judge(f, t);
    switch (verdict) {
    case EXPLAIN_DELIVERED:
    case EXPLAIN_PARTLY:
        summarise_delivery(f, t, out);
        break;
    case EXPLAIN_EXCLUDED:
        summarise_excluded(f, out);
        break;
    case EXPLAIN_NOBODY:
        summarise_nobody(f, out);
        break;
    case EXPLAIN_REFUSED:
        summarise_refusal(f, out);
        break;
    case EXPLAIN_CACHED:
        BUF_ADD_LIT(out, "Nobody was there; the channel keeps it for those who subscribe later.");
        break;
    case EXPLAIN_UNDER_WAY:
        add_people(out, f, f->n_subs);
        buf_add_fmt(out, " matched; %u of %u workers have handed it out so far.",
                    (unsigned)t->n_workers, (unsigned)f->n_workers);
        break;
    case EXPLAIN_CUT:
        buf_add_fmt(out,
                    "The connection was ended for being slow; %u bytes that waited for it "
                    "were thrown away. ",
                    (unsigned)f->data_bytes);
        buf_add_span(out, fact_why(f));
        break;
    }
    return verdict;
}

/* --- steps --- */

static struct buf *add_step(struct explanation *ex, const char *step, bool ok)
{
    CHECK(ex->n_steps < EXPLAIN_MAX_STEPS);
    struct explain_step *s = &ex->steps[ex->n_steps++];
    *s = (struct explain_step) { .step = step, .ok = ok };
    return &s->text;
}

static const char *path_of(const struct fact *f)
{
    switch ((enum fact_source)f->source) {
    case FACT_SOURCE_API:
        return "POST /events";
    case FACT_SOURCE_BATCH:
        return "POST /batch_events";
    case FACT_SOURCE_USER:
        return "POST /users/ID/events";
    case FACT_SOURCE_CLIENT:
        return "A client event";
    case FACT_SOURCE_ADMIN:
        return "A publish through the admin listener";
    case FACT_SOURCE_NONE:
    case FACT_N_SOURCES:
        break;
    }
    return "A message";
}

/* Says the step; false where it was the one that failed. */
static bool step(const struct known *k, struct explanation *ex, const char *name, const char *good)
{
    const struct fact *f = k->fact;
    bool ok = f->kind == FACT_PUBLISH || strcmp(cause_step((enum fact_cause)f->cause), name) != 0;
    struct buf *text = add_step(ex, name, ok);
    buf_add_span(text, ok ? span_str(good) : buf_span(&ex->summary));
    return ok;
}

static void step_matched(const struct known *k, struct explanation *ex)
{
    const struct fact *f = k->fact;
    struct buf *text = add_step(ex, "matched", f->n_subs > 0 || f->cached);
    if (f->n_subs == 0) {
        buf_add_span(text, buf_span(&ex->summary));
        return;
    }
    add_people(text, f, f->n_subs);
    buf_add_fmt(text, " of %.*s", SPAN_FMT(shown(fact_channel(f))));
    if (!is_user(f))
        buf_add_fmt(text, " on %u worker%s", (unsigned)f->n_workers, f->n_workers == 1 ? "" : "s");
    buf_add_byte(text, '.');
    bool ok = ex->verdict == EXPLAIN_DELIVERED || ex->verdict == EXPLAIN_UNDER_WAY;
    buf_add_span(add_step(ex, "delivered", ok), buf_span(&ex->summary));
}

static bool is_client_event(const struct fact *f)
{
    return f->source == FACT_SOURCE_CLIENT || f->kind == FACT_CLIENT_EVENT_REFUSED;
}

static bool step_received(const struct known *k, struct explanation *ex)
{
    const struct fact *f = k->fact;
    char text[80];
    const char *what = is_client_event(f) ? "A client event" : path_of(f);
    if (f->kind != FACT_PUBLISH && f->kind != FACT_PUBLISH_REFUSED && !is_client_event(f))
        return true;
    snprintf(text, sizeof text, "%s, %u bytes.", what, (unsigned)f->data_bytes);
    return step(k, ex, "received", text);
}

static bool has_signature(const struct fact *f)
{
    if (f->kind == FACT_SUBSCRIBE_REFUSED) return true;
    return (f->kind == FACT_PUBLISH || f->kind == FACT_PUBLISH_REFUSED) && !is_client_event(f) &&
           f->source != FACT_SOURCE_ADMIN;
}

static void add_steps(const struct known *k, struct explanation *ex)
{
    const struct fact *f = k->fact;
    if (!step_received(k, ex)) return;
    if (!step(k, ex, "app", "The app is there and enabled.")) return;
    if (has_signature(f) && !step(k, ex, "signature", "The signature was right.")) return;
    if (f->kind == FACT_PUBLISH)
        step_matched(k, ex);
    else
        step(k, ex, "valid", "It was of the right form.");
}

/* --- all of it --- */

void explain(const struct known *k, struct explanation *ex)
{
    *ex = (struct explanation) { .n_steps = 0 };
    ex->verdict = explain_summary(k->fact, &k->tally, &ex->summary);
    add_steps(k, ex);
    hint_viewer(k, ex);
    hint_refused(k, ex);
    hint_audience(k, ex);
    hint_names(k, ex);
}

void explanation_fini(struct explanation *ex)
{
    buf_fini(&ex->summary);
    for (size_t i = 0; i < ex->n_steps; i++) buf_fini(&ex->steps[i].text);
    for (size_t i = 0; i < ex->n_hints; i++) buf_fini(&ex->hints[i].text);
    *ex = (struct explanation) { .n_steps = 0 };
}
