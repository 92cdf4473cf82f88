/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_statistics.c: what a server counts of each app, as its store has it
 * in the end. */
#include "base/mem.h"
#include "server/reload.h"
#include "server/statistics.h"
#include "store/db.h"
#include "unit/server/server_rig.h"
#include <sqlite3.h>
#include <stdlib.h>

#define MAIN "apps.app-id.key=app-key", "apps.app-id.secrets=app-secret"
#define SIDE "apps.side.key=side-key", "apps.side.secrets=side-secret"

struct place {
    char folder[40], file[64], setting[80];
};

static void make(struct place *p)
{
    snprintf(p->folder, sizeof p->folder, "/tmp/peal-statistics-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->file, sizeof p->file, "%s/peal.db", p->folder);
    snprintf(p->setting, sizeof p->setting, "store=sqlite:%s", p->file);
}

static void drop(const struct place *p)
{
    unlink(p->file);
    assert_int_equal(rmdir(p->folder), 0);
}

/* --- what was stored --- */

struct stored {
    size_t rows;
    struct stats_counts counts; /* of all rows */
    uint64_t last_peak;         /* of the newest */
    uint64_t last_s;
};

static void take(void *ctx, struct span app_id, uint64_t at_s, const struct stats_counts *counts)
{
    struct stored *s = ctx;
    (void)app_id;
    stats_counts_merge(&s->counts, counts);
    if (at_s >= s->last_s) s->last_peak = counts->peak_connections;
    if (at_s >= s->last_s) s->last_s = at_s;
    s->rows++;
}

static struct stored stored(const struct place *p, const char *app)
{
    struct stored s = { 0 };
    struct store_url url;
    struct db *db = NULL;
    struct diag d = { "" };
    const struct db_range range = { span_str(app), 0, UINT64_MAX };
    assert_int_equal(store_url_parse(span_str(p->setting + strlen("store=")), &url, &d), ERR_OK);
    enum err err = db_open(&db, &url, DB_LOOK, &d);
    store_url_fini(&url);
    if (err == ERR_ABSENT) return s;
    if (err || db_read(db, &range, take, &s, &d)) fail_msg("%s", d.text);
    db_close(&db);
    return s;
}

/* --- tests --- */

static void the_last_counts_are_written_at_the_end(void **state)
{
    (void)state;
    struct place p;
    struct rig rig;
    struct cl c[5];
    make(&p);
    START(&rig, "workers=3", MAIN, SIDE, p.setting);
    for (int i = 0; i < 5; i++) {
        cl_open(&c[i], &rig);
        cl_subscribe(&c[i], "room");
    }
    for (int i = 0; i < 3; i++) cl_close(&c[i]);
    for (int i = 0; i < 7; i++) assert_int_equal(rig_publish(&rig, "room", "x", 5), 200);
    assert_true(cl_hears(&c[3], "\"x\""));
    cl_close(&c[3]);
    cl_close(&c[4]);
    rig_settles(&rig);
    rig_stop(&rig);
    struct stored s = stored(&p, "app-id");
    assert_int_equal(s.rows, 1);
    assert_int_equal(s.counts.peak_connections, 5);
    assert_int_equal(s.counts.websocket_messages, 5);
    assert_int_equal(s.counts.api_messages, 7);
    assert_int_equal(stored(&p, "side").rows, 0); /* nothing to say */
    drop(&p);
}

static void each_interval_has_a_row_of_its_own(void **state)
{
    (void)state;
    struct place p;
    struct rig rig;
    struct cl c[3];
    make(&p);
    START(&rig, "workers=2", p.setting, "statistics.interval_seconds=1");
    struct store *store = statistics_store(rig.server);
    for (int i = 0; i < 3; i++) cl_open(&c[i], &rig);
    UNTIL((statistics_beat(rig.server), atomic_load(&store_stats(store)->written) >= 1));
    assert_int_equal(stored(&p, "app-id").last_peak, 3);
    cl_close(&c[0]);
    cl_close(&c[1]);
    UNTIL(COUNT(&rig, n_ws) == 1);
    /* The next peak is what the interval began with, the one after it what was left. */
    UNTIL((statistics_beat(rig.server), stored(&p, "app-id").last_peak == 1));
    cl_subscribe(&c[2], "room");
    uint64_t written = atomic_load(&store_stats(store)->written);
    UNTIL((statistics_beat(rig.server), atomic_load(&store_stats(store)->written) > written));
    assert_int_equal(stored(&p, "app-id").counts.websocket_messages, 1);
    assert_true(statistics_wait_ms(rig.server) <= 1000);
    cl_close(&c[2]);
    rig_stop(&rig);
    assert_int_equal(stored(&p, "app-id").counts.websocket_messages, 1);
    drop(&p);
}

/* A connection that is refused is none, and one of many at the limit does not count twice. */
static void a_peak_is_not_above_the_limit(void **state)
{
    (void)state;
    struct place p;
    struct rig rig;
    struct cl c[4];
    make(&p);
    START(&rig, "workers=2", p.setting, "app_defaults.limits.connections=2");
    cl_open(&c[0], &rig);
    cl_open(&c[1], &rig);
    for (int i = 2; i < 4; i++) {
        cl_open_with(&c[i], &rig, "app-key", 0);
        assert_int_equal(cl_closed_well(&c[i]), 4100);
    }
    for (int i = 0; i < 4; i++) cl_close(&c[i]);
    rig_settles(&rig);
    rig_stop(&rig);
    assert_int_equal(stored(&p, "app-id").counts.peak_connections, 2);
    drop(&p);
}

/* --- reload --- */

struct source {
    const char *settings[RIG_FLAGS];
};

static enum err load(void *ctx, struct config **out, struct diag *d)
{
    const struct source *source = ctx;
    struct rig rig;
    (void)d;
    rig_load(&rig, source->settings);
    *out = rig.cfg;
    return ERR_OK;
}

static void set(struct source *source, const char *const *settings)
{
    size_t n = 0;
    for (; settings[n]; n++) source->settings[n] = settings[n];
    source->settings[n] = NULL;
}
#define SET(source, ...) set((source), (const char *const[]) { __VA_ARGS__, NULL })
#define RELOAD(rig, source, ...) (SET(source, __VA_ARGS__), reload_run((rig)->server))

static void an_app_that_goes_leaves_its_counts(void **state)
{
    (void)state;
    struct place p;
    struct source source;
    struct rig rig;
    struct cl c;
    make(&p);
    SET(&source, p.setting, MAIN, SIDE);
    rig_load(&rig, source.settings);
    rig_start(&rig);
    rig.server->origin.load = load;
    rig.server->origin.ctx = &source;
    struct store *store = statistics_store(rig.server);
    cl_open_with(&c, &rig, "side-key", 0);
    cl_subscribe(&c, "room");
    RELOAD(&rig, &source, p.setting, MAIN);
    UNTIL(atomic_load(&store_stats(store)->written) == 1);
    assert_int_equal(stored(&p, "side").counts.websocket_messages, 1);
    assert_int_equal(stored(&p, "side").counts.peak_connections, 1);
    cl_close(&c);
    /* It comes back, and counts go on from there. */
    RELOAD(&rig, &source, p.setting, MAIN, SIDE);
    cl_open_with(&c, &rig, "side-key", 0);
    cl_subscribe(&c, "room");
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
    assert_int_equal(stored(&p, "side").rows, 2);
    assert_int_equal(stored(&p, "side").counts.websocket_messages, 2);
    drop(&p);
}

static void an_app_may_be_left_out_and_taken_in(void **state)
{
    (void)state;
    struct place p;
    struct source source;
    struct rig rig;
    struct cl c;
    make(&p);
    SET(&source, p.setting, MAIN, SIDE, "app_defaults.statistics=false", "apps.side.statistics=yes",
        "statistics.interval_seconds=1");
    rig_load(&rig, source.settings);
    rig_start(&rig);
    rig.server->origin.load = load;
    rig.server->origin.ctx = &source;
    struct store *store = statistics_store(rig.server);
    cl_open(&c, &rig);
    cl_subscribe(&c, "one");
    assert_int_equal(rig_publish(&rig, "one", "x", 1), 200);
    UNTIL(statistics_wait_ms(rig.server) == 0);
    statistics_beat(rig.server);
    RELOAD(&rig, &source, p.setting, MAIN, SIDE, "statistics.interval_seconds=1");
    cl_subscribe(&c, "two");
    UNTIL((statistics_beat(rig.server), atomic_load(&store_stats(store)->written) > 0));
    cl_close(&c);
    rig_stop(&rig);
    struct stored s = stored(&p, "app-id");
    assert_int_equal(s.counts.websocket_messages, 1); /* of the time since then */
    assert_int_equal(s.counts.api_messages, 0);
    drop(&p);
}

static void without_a_store_nothing_is_kept(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "store=none");
    assert_null(statistics_store(rig.server));
    assert_int_equal(statistics_wait_ms(rig.server), -1);
    statistics_beat(rig.server);
    cl_open(&c, &rig);
    cl_close(&c);
    rig_stop(&rig);
}

/* A place where no database can be: the server does not mind. */
static void a_store_that_is_away_stops_nothing(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "store=sqlite:/dev/null/peal.db", "statistics.interval_seconds=1");
    cl_open(&c, &rig);
    cl_subscribe(&c, "room");
    const struct store_stats *stats = store_stats(statistics_store(rig.server));
    UNTIL((statistics_beat(rig.server), atomic_load(&stats->failures) > 0));
    assert_int_equal(rig_publish(&rig, "room", "x", 5), 200);
    assert_true(cl_hears(&c, "\"x\""));
    cl_close(&c);
    rig_stop(&rig);
}

/* --- GET /admin/statistics --- */

static void write_one(const struct place *p, const char *app, uint64_t at_s)
{
    struct store_url url;
    struct db *db = NULL;
    struct diag d = { "" };
    struct list rows;
    bool unsure;
    list_init(&rows);
    struct stats_row *row = stats_row_new(span_str(app));
    assert_non_null(row);
    row->at_s = at_s;
    row->counts = (struct stats_counts) { 7, 8, 9 };
    list_push(&rows, &row->link);
    assert_int_equal(store_url_parse(span_str(p->setting + strlen("store=")), &url, &d), ERR_OK);
    assert_int_equal(db_open(&db, &url, DB_WRITE, &d), ERR_OK);
    assert_int_equal(db_write(db, &rows, &unsure, &d), ERR_OK);
    stats_rows_free(&rows);
    db_close(&db);
    store_url_fini(&url);
}

static void what_is_stored_may_be_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        unsigned status;
        const char *text;
    } rows[] = {
        { "/admin/statistics?app=shop&from=1200&to=4800&step=600", 200,
          "{\"app\":\"shop\",\"from\":1200,\"to\":4800,\"step\":600,\"rows\":[{\"time\":1800,"
          "\"peak_connections\":7,\"websocket_messages\":8,\"api_messages\":9}]}" },
        { "/laravel-websockets/admin/statistics?app=nobody&from=0&to=9999", 200, "\"rows\":[]}" },
        { "/admin/statistics?app=shop", 200, "\"step\":60,\"rows\":[]}" },
        { "/admin/statistics", 400, "app" },
        { "/admin/statistics?app=shop&from=x", 400, "seconds" },
        { "/admin/statistics?app=shop&from=10&to=10", 400, "before" },
        { "/admin/statistics?app=shop&from=0&to=99999999", 400, "10000 steps" },
        { "/admin/statistics?app=shop&step=0", 400, "step" },
    };
    struct place p;
    struct rig rig;
    make(&p);
    write_one(&p, "shop", 1999);
    START(&rig, "workers=2", p.setting);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cl c;
        unsigned status = admin_get(&c, &rig, rows[i].path);
        if (status != rows[i].status || !cl_text_has(&c, rows[i].text))
            fail_msg("%s: %u %.*s", rows[i].path, status, SPAN_FMT(c.text));
        cl_close(&c);
    }
    rig_stop(&rig);
    START(&rig, "store=none");
    struct cl c;
    assert_int_equal(admin_get(&c, &rig, "/admin/statistics?app=shop"), 404);
    cl_close(&c);
    rig_stop(&rig);
    drop(&p);
}

/* A database that does not answer: the worker serves meanwhile, who asked may leave, and the server
 * may end. */
static void nobody_waits_for_a_question(void **state)
{
    (void)state;
    struct place p;
    struct rig rig;
    struct cl asker, gone, other;
    sqlite3 *lock = NULL;
    make(&p);
    /* Somebody's own database, without a write-ahead log: who writes keeps readers out. */
    assert_int_equal(sqlite3_open(p.file, &lock), SQLITE_OK);
    sqlite3_busy_timeout(lock, RIG_WAIT_MS); /* the server may be reading still */
    assert_int_equal(sqlite3_exec(lock, "CREATE TABLE t (i)", NULL, NULL, NULL), SQLITE_OK);
    START(&rig, "workers=1", p.setting);
    assert_int_equal(admin_get(&asker, &rig, "/admin/statistics?app=a"), 200);
    cl_close(&asker);
    assert_int_equal(sqlite3_exec(lock, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    const char *request = "GET /admin/statistics?app=a HTTP/1.1\r\nHost: localhost\r\n\r\n";
    cl_dial(&asker, rig.admin_port);
    cl_says(&asker, request);
    cl_dial(&gone, rig.admin_port);
    cl_says(&gone, request);
    cl_open(&other, &rig); /* both are under way by now, or will be */
    cl_subscribe(&other, "room");
    cl_reset(&gone);
    assert_int_equal(rig_publish(&rig, "room", "x", 5), 200);
    assert_true(cl_hears(&other, "\"x\""));
    cl_close(&other);
    assert_int_equal(sqlite3_exec(lock, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(cl_response(&asker), 200);
    assert_int_equal(sqlite3_exec(lock, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    cl_says(&asker, request);
    cl_dial(&gone, rig.admin_port);
    cl_says(&gone, request);
    cl_open(&other, &rig);
    cl_close(&other);
    server_end_workers(rig.server); /* the questions are under way, or wait */
    sqlite3_close(lock);
    cl_close(&asker);
    cl_close(&gone);
    rig_stop(&rig);
    drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_counts_are_written_at_the_end),
        cmocka_unit_test(each_interval_has_a_row_of_its_own),
        cmocka_unit_test(a_peak_is_not_above_the_limit),
        cmocka_unit_test(an_app_that_goes_leaves_its_counts),
        cmocka_unit_test(an_app_may_be_left_out_and_taken_in),
        cmocka_unit_test(without_a_store_nothing_is_kept),
        cmocka_unit_test(a_store_that_is_away_stops_nothing),
        cmocka_unit_test(what_is_stored_may_be_asked_for),
        cmocka_unit_test(nobody_waits_for_a_question),
    };
    return RUN_TESTS(tests);
}
