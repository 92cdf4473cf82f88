/* SPDX-License-Identifier: MIT
 * server/attempts.c: see attempts.h. */
#include "server/attempts.h"
#include "base/hash.h"
#include <arpa/inet.h>

static struct attempts_row *set_of(struct attempts *a, const struct attempts_who *who)
{
    uint64_t hash = hash_key2(who->device, span_of(who->key, sizeof who->key));
    return a->_rows[hash % ATTEMPTS_SETS];
}

static bool is_his(const struct attempts_row *row, const struct attempts_who *who)
{
    return row->forget_ms && row->device == who->device &&
           memcmp(row->key, who->key, sizeof row->key) == 0;
}

static struct attempts_row *find(struct attempts *a, const struct attempts_who *who)
{
    struct attempts_row *set = set_of(a, who);
    for (size_t i = 0; i < ATTEMPTS_WAYS; i++)
        if (is_his(&set[i], who)) return &set[i];
    return NULL;
}

/* The row that is forgotten soonest goes: it has failed least, or longest ago. */
static struct attempts_row *take_row(struct attempts *a, const struct attempts_who *who)
{
    struct attempts_row *row = find(a, who), *set = set_of(a, who);
    if (row) return row;
    row = set;
    for (size_t i = 1; i < ATTEMPTS_WAYS; i++)
        if (set[i].forget_ms < row->forget_ms) row = &set[i];
    *row = (struct attempts_row) { .device = who->device };
    memcpy(row->key, who->key, sizeof row->key);
    return row;
}

static void refill(struct attempts *a, uint64_t now_ms)
{
    uint64_t n = (now_ms - a->_refilled_ms) / ATTEMPTS_REFILL_MS;
    if (n >= a->_n_used) {
        a->_n_used = 0;
        a->_refilled_ms = now_ms;
        return;
    }
    a->_n_used -= (uint32_t)n;
    a->_refilled_ms += n * ATTEMPTS_REFILL_MS;
}

/* How long all addresses together leave him to wait. */
static uint64_t wait_for_all(struct attempts *a, const struct attempts_who *who, bool failed,
                             uint64_t now_ms)
{
    uint32_t may = failed ? ATTEMPTS_BURST / 2 : ATTEMPTS_BURST;
    if (who->device) return 0;
    refill(a, now_ms);
    if (a->_n_used < may) return 0;
    return a->_refilled_ms + (a->_n_used - may + 1) * (uint64_t)ATTEMPTS_REFILL_MS - now_ms;
}

static uint64_t wait_after(uint32_t n_failed)
{
    if (n_failed < ATTEMPTS_FREE) return 0;
    uint32_t doublings = n_failed - ATTEMPTS_FREE;
    uint64_t wait_ms = doublings < 20 ? (uint64_t)ATTEMPTS_FIRST_WAIT_MS << doublings : UINT64_MAX;
    return wait_ms < ATTEMPTS_MAX_WAIT_MS ? wait_ms : ATTEMPTS_MAX_WAIT_MS;
}

uint64_t attempts_try(struct attempts *a, const struct attempts_who *who, uint64_t now_ms)
{
    struct attempts_row *row = find(a, who);
    if (row && now_ms >= row->forget_ms)
        *row = (struct attempts_row) { .forget_ms = 0 }, row = NULL;
    if (row && now_ms < row->next_ms) return row->next_ms - now_ms;
    uint64_t wait_ms = wait_for_all(a, who, row && row->n_failed > 0, now_ms);
    if (wait_ms) return wait_ms;
    if (!who->device) a->_n_used++;
    row = take_row(a, who);
    if (row->n_failed < UINT32_MAX) row->n_failed++;
    row->next_ms = now_ms + wait_after(row->n_failed);
    row->forget_ms = row->next_ms + ATTEMPTS_FORGET_MS;
    return 0;
}

void attempts_good(struct attempts *a, const struct attempts_who *who)
{
    struct attempts_row *row = find(a, who);
    if (row) *row = (struct attempts_row) { .forget_ms = 0 };
    if (!who->device && a->_n_used) a->_n_used--;
}

void attempts_undo(struct attempts *a, const struct attempts_who *who)
{
    struct attempts_row *row = find(a, who);
    if (row && row->n_failed) row->n_failed--;
    if (row) row->next_ms = 0;
    if (!who->device && a->_n_used) a->_n_used--;
}

uint32_t attempts_failed(struct attempts *a, const struct attempts_who *who)
{
    const struct attempts_row *row = find(a, who);
    return row ? row->n_failed : 0;
}

struct attempts_who attempts_address(struct span text)
{
    struct attempts_who who = { .device = false };
    char name[INET6_ADDRSTRLEN];
    if (text.n == 0 || text.n >= sizeof name) return who;
    memcpy(name, text.p, text.n);
    name[text.n] = '\0';
    static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };
    if (inet_pton(AF_INET, name, who.key + 12) == 1) {
        memcpy(who.key, v4, sizeof v4);
        return who;
    }
    if (inet_pton(AF_INET6, name, who.key) == 1 && memcmp(who.key, v4, sizeof v4) != 0)
        memset(who.key + 8, 0, 8);
    return who;
}
