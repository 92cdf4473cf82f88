/* SPDX-License-Identifier: MIT
 *
 * store/series.c: see series.h.
 */
#include "store/series.h"
#include "base/json_write.h"
#include "base/mem.h"

/* How many steps the range touches. */
static uint64_t count_steps(const struct series_range *r)
{
    return (r->to_s - 1) / r->step_s - r->from_s / r->step_s + 1;
}

bool series_range_ok(const struct series_range *r)
{
    return r->step_s > 0 && r->from_s < r->to_s && count_steps(r) <= SERIES_MAX_STEPS;
}

enum err series_init(struct series *s, const struct series_range *range)
{
    CHECK(series_range_ok(range));
    *s = (struct series) { .range = *range, .n = (size_t)count_steps(range) };
    s->steps = mem_zalloc(s->n * sizeof *s->steps);
    return s->steps ? ERR_OK : ERR_NOMEM;
}

void series_fini(struct series *s)
{
    mem_free(s->steps);
    *s = (struct series) { 0 };
}

void series_add(struct series *s, uint64_t at_s, const struct stats_counts *counts)
{
    const struct series_range *r = &s->range;
    if (at_s < r->from_s || at_s >= r->to_s) return;
    struct series_step *step = &s->steps[at_s / r->step_s - r->from_s / r->step_s];
    stats_counts_merge(&step->counts, counts);
    step->some = true;
}

uint64_t series_time(const struct series *s, size_t step)
{
    return (s->range.from_s / s->range.step_s + step) * s->range.step_s;
}

static void add(struct buf *out, struct span key, uint64_t v)
{
    json_key(out, key);
    json_u64(out, v);
}

void stats_counts_write(const struct stats_counts *counts, struct buf *out)
{
    add(out, SPAN("peak_connections"), counts->peak_connections);
    add(out, SPAN("websocket_messages"), counts->websocket_messages);
    add(out, SPAN("api_messages"), counts->api_messages);
}

void series_write(const struct series *s, struct span app_id, struct buf *out)
{
    json_open(out, '{');
    json_key(out, SPAN("app"));
    json_string(out, app_id);
    add(out, SPAN("from"), s->range.from_s);
    add(out, SPAN("to"), s->range.to_s);
    add(out, SPAN("step"), s->range.step_s);
    json_key(out, SPAN("rows"));
    json_open(out, '[');
    for (size_t i = 0; i < s->n; i++) {
        if (!s->steps[i].some) continue;
        json_open(out, '{');
        add(out, SPAN("time"), series_time(s, i));
        stats_counts_write(&s->steps[i].counts, out);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}
