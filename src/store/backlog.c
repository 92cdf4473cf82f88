/* SPDX-License-Identifier: MIT
 *
 * store/backlog.c: see backlog.h.
 */
#include "store/backlog.h"
#include "base/hash.h"
#include "base/map.h"

void backlog_init(struct backlog *b, size_t max)
{
    *b = (struct backlog) { .max = max };
    list_init(&b->rows);
}

void backlog_fini(struct backlog *b)
{
    stats_rows_free(&b->rows);
    b->n = 0;
}

static bool is_of_app(const void *entry, const void *app_id)
{
    return span_eq(stats_row_app(entry), *(const struct span *)app_id);
}

static bool fits(const struct stats_row *a, const struct stats_row *b)
{
    return a->counts.websocket_messages + b->counts.websocket_messages <= STATS_COUNT_MAX &&
           a->counts.api_messages + b->counts.api_messages <= STATS_COUNT_MAX;
}

/* The later row gets both, and its time is the end of both intervals. */
static void join(struct backlog *b, struct stats_row *earlier, struct stats_row *later)
{
    stats_counts_merge(&later->counts, &earlier->counts);
    list_remove(&earlier->link);
    stats_row_free(earlier);
    b->n--;
    b->n_summed++;
}

/* Joins each row with the one before it of the same app, unless that one is joined already. */
static void halve(struct backlog *b)
{
    struct map single = { 0 }; /* the last row of each app that has no partner */
    struct list *link = b->rows.next, *next;
    for (size_t left = b->n / 2; left > 0; left--, link = next) {
        struct stats_row *row = stats_row_of(link);
        struct span app_id = stats_row_app(row);
        uint64_t hash = hash_key(app_id);
        struct stats_row *earlier = map_find(&single, hash, is_of_app, &app_id);
        next = link->next;
        if (earlier) map_remove(&single, hash, earlier);
        if (earlier && fits(earlier, row))
            join(b, earlier, row);
        else if (map_add(&single, hash, row) != ERR_OK)
            break; /* no memory: another time */
    }
    map_fini(&single);
}

static void drop_oldest(struct backlog *b)
{
    stats_row_free(stats_row_of(list_pop(&b->rows)));
    b->n--;
    b->n_lost++;
}

void backlog_add(struct backlog *b, struct stats_row *row)
{
    list_push(&b->rows, &row->link);
    b->n++;
    if (b->n > b->max) halve(b);
    while (b->n > b->max * BACKLOG_HARD) drop_oldest(b);
}

size_t backlog_take(struct backlog *b, struct list *to, size_t n)
{
    size_t taken = 0;
    for (struct list *link; taken < n && (link = list_pop(&b->rows)); taken++) list_push(to, link);
    b->n -= taken;
    return taken;
}
