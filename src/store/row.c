/* SPDX-License-Identifier: MIT
 *
 * store/row.c: see row.h.
 */
#include "store/row.h"
#include "base/mem.h"

struct stats_row *stats_row_new(struct span app_id)
{
    struct stats_row *row = mem_zalloc(sizeof *row + app_id.n + 1);
    if (!row) return NULL;
    row->id_n = app_id.n;
    if (app_id.n) memcpy(row->id, app_id.p, app_id.n);
    return row;
}

void stats_row_free(struct stats_row *row)
{
    mem_free(row);
}

void stats_rows_free(struct list *rows)
{
    for (struct list *link; (link = list_pop(rows));) stats_row_free(stats_row_of(link));
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t out;
    return __builtin_add_overflow(a, b, &out) ? UINT64_MAX : out;
}

void stats_counts_merge(struct stats_counts *into, const struct stats_counts *more)
{
    if (more->peak_connections > into->peak_connections)
        into->peak_connections = more->peak_connections;
    into->websocket_messages = sum(into->websocket_messages, more->websocket_messages);
    into->api_messages = sum(into->api_messages, more->api_messages);
}
