/* SPDX-License-Identifier: MIT
 *
 * server/admin_explain.c: what is remembered, and why it was so. Facts and tallies lie with the
 * workers: the first round collects the facts, the second what each worker knows of them. The rest
 * is the directory's, which is asked at once; then src/watch/ explains.
 */
#include "base/clock.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "server/admin_call.h"
#include "server/admin_known.h"
#include "server/ask.h"
#include "server/server_priv.h"
#include <stdlib.h>

#define USUAL_LIMIT 100
#define MAX_TRIES 200 /* rounds for a publish of our own to be handed out */

static void free_question(void *ctx)
{
    struct question *q = ctx;
    for (unsigned i = 0; i < q->n_copies; i++) buf_fini(&q->copies[i]);
    mem_free(q->copies);
    mem_free(q->facts);
    mem_free(q->by_id);
    mem_free(q->tallies);
    mem_free(q->after);
    mem_free(q->last);
    buf_fini(&q->text);
    mem_free(q);
}

/* --- the first round: the facts --- */

static bool is_wanted(const struct question *q, const struct fact *f)
{
    unsigned worker = (unsigned)(f->id >> FACT_ID_WORKER_SHIFT);
    if (q->id) return f->id == q->id;
    if (q->after && worker < q->n_after && f->id <= q->after[worker]) return false;
    return watch_filter_fits_fact(&q->filter, f);
}

/* What each worker's part begins with. */
struct part_head {
    uint64_t since_ms, last_id;
};

static void collect_facts(struct worker *w, const struct ask *ask, struct buf *out)
{
    const struct question *q = ask->ctx;
    struct facts *facts = hub_facts(w->hub);
    const struct part_head head = { facts_since_ms(facts), facts_last_id(facts) };
    buf_add(out, &head, sizeof head);
    for (enum fact_ring ring = 0; ring < (q->failed ? FACT_RING_OK : FACT_N_RINGS); ring++) {
        uint32_t pos = 0;
        size_t n = 0;
        for (const struct fact *f; n < q->limit && (f = facts_next(facts, ring, &pos));) {
            if (!is_wanted(q, f)) continue;
            known_add_fact(f, out);
            n++;
        }
    }
}

static int newest_first(const void *a, const void *b)
{
    const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;
    if (x->at_ms != y->at_ms) return x->at_ms < y->at_ms ? 1 : -1;
    return x->id < y->id ? 1 : -1;
}

static int by_id(const void *a, const void *b)
{
    const struct fact_index *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static bool add_facts(struct question *q, const struct buf *got)
{
    struct buf_reader r = { got->p + sizeof(struct part_head), got->p + got->n };
    for (const struct fact *f; (f = known_next_fact(&r));) {
        const struct fact **facts = mem_realloc(q->facts, (q->n + 1) * sizeof *facts);
        if (!facts) return false;
        q->facts = facts;
        q->facts[q->n++] = f;
    }
    return true;
}

/* Keeps the newest; false without memory. */
static bool sort_facts(struct question *q)
{
    qsort(q->facts, q->n, sizeof *q->facts, newest_first);
    if (q->n > q->limit) q->n = q->limit;
    q->by_id = mem_alloc(q->n * sizeof *q->by_id);
    q->tallies = mem_zalloc(q->n * sizeof *q->tallies);
    if (!q->by_id || !q->tallies) return false;
    for (size_t i = 0; i < q->n; i++)
        q->by_id[i] = (struct fact_index) { q->facts[i]->id, (uint32_t)i };
    qsort(q->by_id, q->n, sizeof *q->by_id, by_id);
    return true;
}

/* Takes over what was collected, the newest first; false without memory. */
static bool take_facts(struct ask *ask, struct question *q)
{
    q->copies = mem_zalloc(ask->n_parts * sizeof *q->copies);
    q->last = mem_zalloc(ask->n_parts * sizeof *q->last);
    if (!q->copies || !q->last) return false;
    q->n_copies = ask->n_parts;
    for (unsigned i = 0; i < ask->n_parts; i++) {
        struct buf *got = &ask->parts[i].got;
        struct part_head head;
        if (buf_failed(got) || got->n < sizeof head) return false;
        memcpy(&head, got->p, sizeof head);
        if (head.since_ms > q->since_ms) q->since_ms = head.since_ms;
        q->last[i] = head.last_id;
        buf_take(&q->copies[i], got);
        if (!add_facts(q, &q->copies[i])) return false;
    }
    return q->n == 0 || sort_facts(q);
}

/* --- the second round for a list: tallies --- */

struct indexed_tally {
    struct fact_tally tally;
    uint64_t index;
};

static void collect_tallies(struct worker *w, const struct ask *ask, struct buf *out)
{
    const struct question *q = ask->ctx;
    uint32_t pos = 0;
    if (q->n == 0) return;
    for (const struct fact_tally *t; (t = facts_next_tally(hub_facts(w->hub), &pos));) {
        const struct fact_index key = { .id = t->fact };
        const struct fact_index *at = bsearch(&key, q->by_id, q->n, sizeof key, by_id);
        if (!at) continue;
        const struct indexed_tally found = { *t, at->index };
        buf_add(out, &found, sizeof found);
    }
}

static void add_tallies(struct question *q, const struct buf *got)
{
    struct indexed_tally found;
    for (size_t at = 0; at + sizeof found <= got->n; at += sizeof found) {
        memcpy(&found, got->p + at, sizeof found);
        known_add_tally(&q->tallies[found.index], &found.tally);
    }
}

static void write_last(const struct question *q, struct buf *b)
{
    char text[FACT_ID_TEXT_MAX];
    json_key(b, SPAN("last"));
    json_open(b, '[');
    for (unsigned i = 0; i < q->n_copies; i++)
        json_string(b, span_of(text, watch_fact_write(q->last[i], text)));
    json_close(b, ']');
}

static void answer_facts(struct ask *ask)
{
    struct question *q = ask->ctx;
    const struct show_clock clock = { loop_now_ms(ask->home->loop), clock_unix_ms() };
    struct buf b = { 0 };
    for (unsigned i = 0; i < ask->n_parts; i++) add_tallies(q, &ask->parts[i].got);
    json_open(&b, '{');
    json_key(&b, SPAN("facts"));
    json_open(&b, '[');
    for (size_t i = 0; i < q->n; i++) show_fact(q->facts[i], &q->tallies[i], &clock, &b);
    json_close(&b, ']');
    json_key(&b, SPAN("kept"));
    json_open(&b, '{');
    watch_key_u64(&b, "ok", facts_kept(FACT_RING_OK));
    watch_key_u64(&b, "failed", facts_kept(FACT_RING_FAILED));
    watch_key_u64(&b, "strangers", facts_kept(FACT_RING_STRANGERS));
    json_close(&b, '}');
    write_last(q, &b);
    watch_key_some(&b, "since", q->since_ms ? clock.unix_ms - (clock.mono_ms - q->since_ms) : 0);
    json_close(&b, '}');
    ask_answer(ask, 200, &b);
}

static void list_done(struct ask *ask)
{
    struct buf none = { 0 };
    buf_fail(&none);
    if (take_facts(ask, ask->ctx))
        ask_round(ask, collect_tallies, answer_facts);
    else
        ask_answer(ask, 503, &none);
}

/* --- explaining one --- */

static void answer_known(struct ask *ask)
{
    struct question *q = ask->ctx;
    struct buf json = { 0 };
    if (!known_is_done(ask) && q->tries > 0) {
        q->tries--;
        ask_round(ask, known_collect, answer_known);
        return;
    }
    if (known_explain(ask, &json)) buf_fail(&json);
    ask_answer(ask, 200, &json);
}

static void one_done(struct ask *ask)
{
    struct question *q = ask->ctx;
    struct buf none = { 0 };
    buf_fail(&none);
    if (!take_facts(ask, q)) {
        ask_answer(ask, 503, &none);
    } else if (q->n == 0) {
        ask_fail(ask, 404, SPAN("This fact is not remembered, or not any more."));
    } else {
        q->app = apps_find_id(ask->home->apps, fact_app(q->facts[0]));
        ask_round(ask, known_collect, answer_known);
    }
}

static struct question *new_question(size_t limit)
{
    struct question *q = mem_zalloc(sizeof *q);
    if (!q) return NULL;
    q->limit = limit;
    q->filter.kind = -1;
    return q;
}

static enum admin_result explain_one(struct conn *c, uint64_t id, uint64_t viewer, unsigned tries)
{
    struct question *q = new_question(1);
    if (!q) return ADMIN_FAILED;
    q->id = id;
    q->viewer = viewer;
    q->tries = tries;
    struct ask *ask = ask_new(c, q, free_question);
    if (!ask) return ADMIN_FAILED;
    ask_round(ask, collect_facts, one_done);
    return ADMIN_WAITS;
}

enum admin_result admin_explain_publish(struct conn *c, uint64_t fact)
{
    return explain_one(c, fact, 0, MAX_TRIES);
}

enum admin_result admin_explain(struct admin_call *call)
{
    enum admin_result result;
    uint64_t id, viewer;
    struct span text = admin_param(call, "id");
    if (!text.p || !watch_fact_read(text, &id))
        return admin_error(call, 400, SPAN("Say which fact: ?id=0-17."));
    if (!admin_socket(call, "socket", false, &viewer, &result)) return result;
    return explain_one(call->c, id, viewer, 0);
}

/* --- the list's filter --- */

static bool read_kind(struct admin_call *call, struct watch_filter *f)
{
    struct span kind = admin_param(call, "kind");
    if (!kind.p) return true;
    for (f->kind = 0; f->kind < FACT_N_KINDS; f->kind++)
        if (span_eq(kind, span_str(fact_kind_name((unsigned)f->kind)))) return true;
    return false;
}

static bool read_limit(struct admin_call *call, size_t *limit)
{
    struct span text = admin_param(call, "limit");
    uint64_t n = USUAL_LIMIT;
    if (text.p && (!span_to_u64(text, &n) || n == 0 || n > ADMIN_SHOWN_MAX)) return false;
    *limit = (size_t)n;
    return true;
}

/* The question outlives the request: its texts are copied, into room that is taken at once. */
static struct span keep(struct question *q, struct span text)
{
    size_t from = q->text.n;
    if (!text.p) return text;
    buf_add_span(&q->text, text);
    return span_skip(buf_span(&q->text), from);
}

/* `0-17,1-4`: the last known fact of each worker. ERR_SYNTAX, ERR_NOMEM. */
static enum err read_after(struct admin_call *call, struct question *q)
{
    struct span list = admin_param(call, "after"), one;
    if (!list.p) return ERR_OK;
    q->n_after = call->c->worker->server->n_workers;
    q->after = mem_zalloc(q->n_after * sizeof *q->after);
    if (!q->after) return ERR_NOMEM;
    while (span_cut(&list, ',', &one)) {
        uint64_t id;
        if (!watch_fact_read(one, &id)) return ERR_SYNTAX;
        uint64_t worker = id >> FACT_ID_WORKER_SHIFT;
        if (worker < q->n_after) q->after[worker] = id; /* else of before a restart */
    }
    return ERR_OK;
}

enum admin_result admin_facts(struct admin_call *call)
{
    enum admin_result result;
    struct watch_filter f = { .kind = -1 };
    size_t limit;
    if (!read_kind(call, &f)) return admin_error(call, 400, SPAN("There is no such kind."));
    if (!read_limit(call, &limit)) return admin_error(call, 400, SPAN("limit is 1 to 1000."));
    if (!admin_socket(call, "socket", false, &f.socket, &result)) return result;
    struct question *q = new_question(limit);
    if (!q) return ADMIN_FAILED;
    q->filter = f;
    enum err err = read_after(call, q);
    if (!err && !buf_room(&q->text, call->query.n + 1)) err = ERR_NOMEM;
    if (err) {
        free_question(q);
        return err == ERR_NOMEM ? ADMIN_FAILED
                                : admin_error(call, 400, SPAN("after is a list like 0-17,1-4."));
    }
    q->failed = span_eq(admin_param(call, "failed"), SPAN("1"));
    q->filter.app = keep(q, admin_param(call, "app"));
    q->filter.channel = keep(q, admin_param(call, "channel"));
    q->filter.event = keep(q, admin_param(call, "event"));
    q->filter.user = keep(q, admin_param(call, "user"));
    struct ask *ask = ask_new(call->c, q, free_question);
    if (!ask) return ADMIN_FAILED;
    ask_round(ask, collect_facts, list_done);
    return ADMIN_WAITS;
}
