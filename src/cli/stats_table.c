/* SPDX-License-Identifier: MIT
 *
 * cli/stats_table.c: see stats_table.h. Ids come from a database that others write to, too: they
 * are printed as text_add_safe() leaves them.
 */
#include "cli/stats_table.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/text.h"
#include "store/when.h"
#include <stdlib.h>

#define FIRST_MIN 19 /* columns: a time */
#define FIRST_MAX 60

/* --- totals --- */

static bool is_of_app(const void *entry, const void *app_id)
{
    return span_eq(stats_row_app(entry), *(const struct span *)app_id);
}

static bool make_room(struct stats_totals *t)
{
    if (t->n < t->_room) return true;
    size_t room = t->_room ? t->_room * 2 : 16;
    struct stats_row **apps = mem_realloc(t->apps, room * sizeof(struct stats_row *));
    if (!apps) return false;
    t->apps = apps;
    t->_room = room;
    return true;
}

static struct stats_row *find_or_make(struct stats_totals *t, struct span app_id)
{
    uint64_t hash = hash_key(app_id);
    struct stats_row *row = map_find(&t->_by_id, hash, is_of_app, &app_id);
    if (row) return row;
    row = make_room(t) ? stats_row_new(app_id) : NULL;
    if (!row) return NULL;
    if (map_add(&t->_by_id, hash, row)) {
        stats_row_free(row);
        return NULL;
    }
    t->apps[t->n++] = row;
    return row;
}

void stats_totals_add(struct stats_totals *t, struct span app_id, const struct stats_counts *c)
{
    struct stats_row *row = find_or_make(t, app_id);
    if (row)
        stats_counts_merge(&row->counts, c);
    else
        t->failed = true;
}

void stats_totals_fini(struct stats_totals *t)
{
    for (size_t i = 0; i < t->n; i++) stats_row_free(t->apps[i]);
    map_fini(&t->_by_id);
    mem_free(t->apps);
    *t = (struct stats_totals) { 0 };
}

static int compare(const void *a, const void *b)
{
    struct span x = stats_row_app(*(struct stats_row *const *)a);
    struct span y = stats_row_app(*(struct stats_row *const *)b);
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

static void sort(struct stats_totals *t)
{
    if (t->n) qsort(t->apps, t->n, sizeof(struct stats_row *), compare);
}

/* --- a table --- */

static void add_when(uint64_t at_s, struct buf *out)
{
    char text[WHEN_TEXT_MAX];
    buf_add_span(out, when_text(at_s, text));
}

static void add_range(const struct series_range *r, struct buf *out)
{
    add_when(r->from_s, out);
    BUF_ADD_LIT(out, " to ");
    add_when(r->to_s, out);
    BUF_ADD_LIT(out, " UTC\n");
}

static void pad(size_t from, size_t to, struct buf *out)
{
    for (; from < to; from++) buf_add_byte(out, ' ');
}

static void add_head(const char *first, size_t width, struct buf *out)
{
    buf_add_fmt(out, "%s", first);
    pad(strlen(first), width, out);
    BUF_ADD_LIT(out, "  most connections  WebSocket messages  API messages\n");
}

static void add_line(struct span first, size_t width, const struct stats_counts *c, struct buf *out)
{
    struct buf safe = { 0 };
    text_add_safe(&safe, first);
    buf_add_span(out, buf_span(&safe));
    pad(utf8_count(buf_span(&safe)), width, out);
    buf_add_fmt(out, "  %16llu  %18llu  %12llu\n", (unsigned long long)c->peak_connections,
                (unsigned long long)c->websocket_messages, (unsigned long long)c->api_messages);
    if (buf_failed(&safe)) buf_fail(out);
    buf_fini(&safe);
}

void stats_totals_print(struct stats_totals *t, const struct series_range *range, struct buf *out)
{
    size_t width = 0;
    sort(t);
    for (size_t i = 0; i < t->n; i++)
        if (t->apps[i]->id_n > width) width = t->apps[i]->id_n;
    if (width > FIRST_MAX) width = FIRST_MAX;
    if (width < 3) width = 3;
    add_range(range, out);
    if (t->n == 0) BUF_ADD_LIT(out, "nothing was stored in this time\n");
    if (t->n > 0) add_head("app", width, out);
    for (size_t i = 0; i < t->n; i++)
        add_line(stats_row_app(t->apps[i]), width, &t->apps[i]->counts, out);
    if (t->failed) buf_fail(out);
}

void stats_series_print(const struct series *s, struct span app_id, struct buf *out)
{
    struct stats_counts all = { 0 };
    size_t n = 0;
    BUF_ADD_LIT(out, "app ");
    text_add_safe(out, app_id);
    BUF_ADD_LIT(out, ", ");
    add_range(&s->range, out);
    for (size_t i = 0; i < s->n; i++) {
        char text[WHEN_TEXT_MAX];
        const struct series_step *step = &s->steps[i];
        if (!step->some) continue;
        if (n++ == 0) add_head("from", FIRST_MIN, out);
        add_line(when_text(series_time(s, i), text), FIRST_MIN, &step->counts, out);
        stats_counts_merge(&all, &step->counts);
    }
    if (n == 0)
        BUF_ADD_LIT(out, "nothing was stored in this time\n");
    else
        add_line(SPAN("all"), FIRST_MIN, &all, out);
}

/* --- JSON --- */

void stats_totals_json(struct stats_totals *t, const struct series_range *range, struct buf *out)
{
    sort(t);
    json_open(out, '{');
    json_key(out, SPAN("from"));
    json_u64(out, range->from_s);
    json_key(out, SPAN("to"));
    json_u64(out, range->to_s);
    json_key(out, SPAN("apps"));
    json_open(out, '[');
    for (size_t i = 0; i < t->n; i++) {
        struct buf safe = { 0 };
        text_add_safe(&safe, stats_row_app(t->apps[i]));
        json_open(out, '{');
        json_key(out, SPAN("app"));
        json_string(out, buf_span(&safe));
        stats_counts_write(&t->apps[i]->counts, out);
        json_close(out, '}');
        if (buf_failed(&safe)) buf_fail(out);
        buf_fini(&safe);
    }
    json_close(out, ']');
    json_close(out, '}');
    buf_add_byte(out, '\n');
    if (t->failed) buf_fail(out);
}
