/* SPDX-License-Identifier: MIT
 *
 * server/admin_statistics.c: GET /admin/statistics?app=ID[&from=S&to=S&step=S]: what is stored of
 * an app. The question goes to the store's thread, the answer comes back as a task of the worker
 * that was asked: its loop never waits.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "server/admin_call.h"
#include "server/server_priv.h"

#define APP_ID_MAX 255
#define USUAL_RANGE_S 3600
#define USUAL_STEP_S 60

struct question {
    struct task reply;
    struct store_query query;
    struct conn *conn; /* of `home`; waits until it is answered */
    struct worker *home;
};

static void send_answer(struct worker *w, struct task *t)
{
    struct question *q = CONTAINER_OF(t, struct question, reply);
    struct buf json = { 0 };
    (void)w;
    if (q->query.err)
        http1_error_json(&json, 503, SPAN("The database does not answer; the log says why."));
    else
        series_write(&q->query.series, q->query.app_id, &json);
    conn_http_answer(q->conn, q->query.err ? 503 : 200, &json);
    series_fini(&q->query.series);
    mem_free(q);
}

/* On the store's thread, or where the server ends. */
static void post_answer(struct store_query *query)
{
    struct question *q = CONTAINER_OF(query, struct question, query);
    worker_post(q->home, &q->reply);
}

/* Keeps `*out` where the parameter is absent; false: it is no number. */
static bool read_number(struct admin_call *call, const char *key, uint64_t *out)
{
    struct span text = admin_param(call, key);
    return !text.p || span_to_u64(text, out);
}

static bool read_range(struct admin_call *call, struct series_range *r)
{
    r->to_s = clock_unix_s() + 1;
    r->step_s = USUAL_STEP_S;
    if (!read_number(call, "to", &r->to_s)) return false;
    r->from_s = r->to_s > USUAL_RANGE_S ? r->to_s - USUAL_RANGE_S : 0;
    return read_number(call, "from", &r->from_s) && read_number(call, "step", &r->step_s) &&
           series_range_ok(r);
}

static struct question *make(const struct admin_call *call, struct span app_id,
                             const struct series_range *range)
{
    struct question *q = mem_zalloc(sizeof *q + app_id.n);
    if (!q) return NULL;
    char *copy = (char *)(q + 1);
    memcpy(copy, app_id.p, app_id.n);
    q->reply.run = send_answer;
    q->conn = call->c;
    q->home = call->c->worker;
    q->query.app_id = span_of(copy, app_id.n);
    q->query.range = *range;
    q->query.done = post_answer;
    return q;
}

static enum admin_result ask(struct admin_call *call, struct store *store, struct span app_id,
                             const struct series_range *range)
{
    struct question *q = make(call, app_id, range);
    if (!q) return ADMIN_FAILED;
    if (store_ask(store, &q->query) == ERR_OK) return ADMIN_WAITS;
    mem_free(q);
    return admin_error(call, 503, SPAN("Too many questions wait for the database; try again."));
}

/* Rows may be there of an app that is not configured (any more). */
enum admin_result admin_statistics(struct admin_call *call)
{
    struct store *store = statistics_store(call->c->worker->server);
    struct span app_id = admin_param(call, "app");
    struct series_range range;
    if (!app_id.p || app_id.n > APP_ID_MAX)
        return admin_error(call, 400, SPAN("Say which app: ?app=ID."));
    if (!read_range(call, &range))
        return admin_error(
            call, 400,
            SPAN("from, to and step are seconds; from is before to, and there are at "
                 "most 10000 steps."));
    if (!store)
        return admin_error(call, 404, SPAN("No statistics are kept: the option store is none."));
    return ask(call, store, app_id, &range);
}
