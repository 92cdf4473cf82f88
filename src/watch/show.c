/* SPDX-License-Identifier: MIT
 * watch/show.c: see show.h. */
#include "watch/show.h"
#include "base/json_write.h"
#include "watch/event.h"

static struct span or_null(struct span text)
{
    return text.n ? text : (struct span) { NULL, 0 };
}

static uint64_t unix_of(const struct show_clock *clock, uint64_t mono_ms)
{
    return clock->unix_ms - (clock->mono_ms - mono_ms);
}

/* A cut concerns several channels: they stand one on a line. */
static void write_channels(struct span lines, struct buf *out)
{
    struct span one;
    json_key(out, SPAN("channels"));
    json_open(out, '[');
    while (lines.n && span_cut(&lines, '\n', &one)) json_string(out, one);
    json_close(out, ']');
}

static void write_what(const struct fact *f, struct buf *out)
{
    bool cut = f->kind == FACT_CUT;
    watch_key_text(out, "kind", span_str(fact_kind_name(f->kind)));
    watch_key_text(out, "source", span_str(fact_source_name(f->source)));
    watch_key_text(out, "app", or_null(fact_app(f)));
    watch_key_text(out, "channel", cut ? (struct span) { NULL, 0 } : or_null(fact_channel(f)));
    if (cut) write_channels(fact_channel(f), out);
    watch_key_inside(out, "event", or_null(fact_event_raw(f)));
    watch_key_u64(out, "data_bytes", f->data_bytes);
    watch_key_socket(out, "socket_id", f->socket_id);
    watch_key_socket(out, "exclude", f->exclude);
    watch_key_fact(out, "request", f->request);
    watch_key_u64(out, "of", f->of);
    watch_key_some(out, "status", f->status);
    watch_key_some(out, "code", f->code);
    watch_key_text(out, "why", or_null(fact_why(f)));
    json_key(out, SPAN("shortened"));
    json_bool(out, f->shortened);
}

void show_fact(const struct fact *f, const struct known_tally *tally,
               const struct show_clock *clock, struct buf *out)
{
    struct buf summary = { 0 };
    enum explain_verdict verdict = explain_summary(f, tally, &summary);
    json_open(out, '{');
    watch_key_fact(out, "id", f->id);
    watch_key_u64(out, "time", unix_of(clock, f->at_ms));
    write_what(f, out);
    watch_key_u64(out, "subscriptions", f->n_subs);
    watch_key_u64(out, "workers", f->n_workers);
    watch_key_u64(out, "delivered", tally->delivered);
    watch_key_u64(out, "excluded", tally->excluded);
    watch_key_u64(out, "later", tally->later);
    json_key(out, SPAN("done"));
    json_bool(out, tally->n_workers >= f->n_workers);
    watch_key_text(out, "verdict", span_str(explain_verdict_name(verdict)));
    watch_key_text(out, "summary", buf_span(&summary));
    json_close(out, '}');
    if (buf_failed(&summary)) buf_fail(out);
    buf_fini(&summary);
}

static void write_steps(const struct explanation *ex, struct buf *out)
{
    json_key(out, SPAN("steps"));
    json_open(out, '[');
    for (size_t i = 0; i < ex->n_steps; i++) {
        const struct explain_step *s = &ex->steps[i];
        json_open(out, '{');
        watch_key_text(out, "step", span_str(s->step));
        json_key(out, SPAN("ok"));
        json_bool(out, s->ok);
        watch_key_text(out, "text", buf_span(&s->text));
        json_close(out, '}');
        if (buf_failed(&s->text)) buf_fail(out);
    }
    json_close(out, ']');
}

static void write_hints(const struct explanation *ex, struct buf *out)
{
    json_key(out, SPAN("hints"));
    json_open(out, '[');
    for (size_t i = 0; i < ex->n_hints; i++) {
        const struct explain_hint *h = &ex->hints[i];
        json_open(out, '{');
        watch_key_text(out, "code", span_str(h->code));
        watch_key_text(out, "text", buf_span(&h->text));
        if (h->channel.p) {
            watch_key_text(out, "channel", h->channel);
            watch_key_u64(out, "subscriptions", h->n_subs);
        }
        json_close(out, '}');
        if (buf_failed(&h->text)) buf_fail(out);
    }
    json_close(out, ']');
}

static void write_workers(const struct show_parts *parts, struct buf *out)
{
    json_key(out, SPAN("workers"));
    json_open(out, '[');
    for (size_t i = 0; i < parts->n_workers; i++) {
        const struct show_worker *w = &parts->workers[i];
        json_open(out, '{');
        watch_key_u64(out, "worker", w->worker);
        watch_key_u64(out, "delivered", w->tally.delivered);
        watch_key_u64(out, "excluded", w->tally.excluded);
        watch_key_u64(out, "later", w->tally.later);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void show_explanation(const struct known *k, const struct explanation *ex,
                      const struct show_parts *parts, struct buf *out)
{
    json_open(out, '{');
    json_key(out, SPAN("fact"));
    show_fact(k->fact, &k->tally, parts->clock, out);
    watch_key_text(out, "verdict", span_str(explain_verdict_name(ex->verdict)));
    watch_key_text(out, "summary", buf_span(&ex->summary));
    write_steps(ex, out);
    write_hints(ex, out);
    write_workers(parts, out);
    json_close(out, '}');
    if (buf_failed(&ex->summary)) buf_fail(out);
}
