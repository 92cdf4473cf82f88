/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_reload.c: new settings for running workers, under load; and a
 * restart in place that does not come about. */
#include "base/mem.h"
#include "server/reload.h"
#include "unit/server/server_rig.h"
#include <sys/stat.h>

#define ROUNDS 60
#define SIDE_CLIENTS 4

/* Named, since the development app is there only while no other is. */
#define MAIN_KEY "apps.app-id.key=app-key"
#define MAIN MAIN_KEY, "apps.app-id.secrets=app-secret"
#define SIDE "apps.side.key=side-key", "apps.side.secrets=side-secret"

/* The next settings, as the reload reads them: `settings` beside the development app. */
struct source {
    const char *settings[RIG_FLAGS];
    unsigned n_loads;
    bool fails;
    const char *other_secret; /* of all apps, beside their own and before it; NULL: none */
    struct span pairs[2][2];  /* the lists of such settings, of which there is one at a time */
};

static enum err load(void *ctx, struct config **out, struct diag *d)
{
    struct source *source = ctx;
    struct rig rig;
    source->n_loads++;
    if (source->fails) return diag_set(d, ERR_CONFIG, "this is wrong");
    rig_load(&rig, source->settings);
    *out = rig.cfg;
    for (size_t i = 0; source->other_secret && i < rig.cfg->n_apps; i++) {
        struct app_settings *app = &rig.cfg->apps[i];
        struct span *both = source->pairs[i];
        CHECK(i < ARRAY_LEN(source->pairs));
        both[0] = span_str(source->other_secret);
        both[1] = app->secrets.items[0];
        app->secrets = (struct span_list) { both, 2 };
    }
    return ERR_OK;
}

static void set(struct source *source, const char *const *settings)
{
    size_t n = 0;
    for (; settings[n]; n++) source->settings[n] = settings[n];
    source->settings[n] = NULL;
}
#define SET(source, ...) set((source), (const char *const[]) { __VA_ARGS__, NULL })

static void start(struct rig *rig, struct source *source)
{
    rig_load(rig, source->settings);
    rig_start(rig);
    rig->server->origin.load = load;
    rig->server->origin.ctx = source;
}

/* The next settings, now. This thread is the main thread of the server. */
#define RELOAD(rig, source, ...) (SET(source, __VA_ARGS__), reload_run((rig)->server))

static void apps_come_and_go(void **state)
{
    (void)state;
    struct source source = { .n_loads = 0 };
    struct rig rig;
    struct cl main, side;
    SET(&source, "workers=3", MAIN);
    start(&rig, &source);
    cl_open(&main, &rig);
    cl_subscribe(&main, "room");
    RELOAD(&rig, &source, "workers=3", MAIN, SIDE);
    cl_open_with(&side, &rig, "side-key", 0);
    assert_true(cl_hears(&side, "connection_established"));
    RELOAD(&rig, &source, "workers=3", MAIN);
    assert_int_equal(cl_closed_well(&side), 4001);
    cl_close(&side);
    cl_open_with(&side, &rig, "side-key", 0);
    assert_int_equal(cl_closed_well(&side), 4001);
    cl_close(&side);
    RELOAD(&rig, &source, "workers=3", MAIN, SIDE);
    cl_open_with(&side, &rig, "side-key", 0);
    assert_true(cl_hears(&side, "connection_established"));
    RELOAD(&rig, &source, "workers=3", MAIN, SIDE, "apps.side.enabled=false");
    assert_int_equal(cl_closed_well(&side), 4003);
    assert_int_equal(rig_publish(&rig, "room", "still-here", 5), 200);
    assert_true(cl_hears(&main, "still-here"));
    cl_close(&side);
    cl_close(&main);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void what_is_wrong_changes_nothing(void **state)
{
    (void)state;
    struct source source = { .n_loads = 0 };
    struct rig rig;
    struct cl side;
    SET(&source, "workers=2", MAIN, SIDE);
    start(&rig, &source);
    const struct config *before = rig.server->cfg;
    cl_open_with(&side, &rig, "side-key", 0);
    assert_true(cl_hears(&side, "connection_established"));
    source.fails = true;
    RELOAD(&rig, &source, "workers=2", MAIN);
    assert_int_equal(source.n_loads, 1);
    assert_ptr_equal(rig.server->cfg, before);
    cl_subscribe(&side, "room");
    cl_close(&side);
    rig_stop(&rig);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    struct source source = { .n_loads = 0 };
    struct rig rig;
    struct config *cfg = NULL;
    struct apps *next = NULL, *both = NULL;
    SET(&source, "workers=1", MAIN, SIDE);
    start(&rig, &source);
    struct diag d;
    SET(&source, "workers=1", MAIN, "apps.other.key=other-key", "apps.other.secrets=other-secret");
    CHECK(load(&source, &cfg, &d) == ERR_OK && cfg);
    bool done = false;
    for (long n = 0; !done; n++) {
        mem_fail_after(n, false);
        enum err err = apps_next(&next, rig.server->apps, cfg->apps, cfg->n_apps, &d);
        if (!err && (err = apps_union(&both, rig.server->apps, next))) apps_free(next);
        mem_fail_after(-1, false);
        done = err == ERR_OK;
        if (!done) assert_int_equal(err, ERR_NOMEM);
    }
    apps_free(both);
    apps_free(next);
    config_free(&cfg);
    rig_stop(&rig);
}

static void options_that_need_a_restart_keep_their_values(void **state)
{
    (void)state;
    struct rig was, is;
    struct buf names = { 0 };
    static const char *const before[] = { "path_prefix=/old", "drain_ms=5", NULL };
    static const char *const after[] = { "path_prefix=/new", "drain_ms=7",
                                         "limits.reserved_descriptors=100", NULL };
    rig_load(&was, before);
    rig_load(&is, after);
    reload_keep(is.cfg, was.cfg, &names);
    assert_true(span_eq(buf_span(&names), SPAN("path_prefix limits.reserved_descriptors")));
    assert_true(span_eq(is.cfg->path_prefix, SPAN("/old")));
    assert_int_equal(is.cfg->limits.reserved_descriptors, 64);
    assert_int_equal(is.cfg->drain_ms, 7);
    buf_fini(&names);
    config_free(&is.cfg);
    config_free(&was.cfg);
}

/* --- under load --- */

struct load_thread {
    struct rig *rig;
    pthread_t thread;
    _Atomic bool stop;
    unsigned n; /* events published, or visits made */
};

static void *publish_on(void *arg)
{
    struct load_thread *t = arg;
    struct cl c;
    cl_dial(&c, t->rig->port);
    while (!atomic_load(&t->stop)) {
        char name[16];
        snprintf(name, sizeof name, "e%u.", t->n++);
        CHECK(cl_publish(&c, "room", name, 5) == 200);
    }
    cl_close(&c);
    return NULL;
}

/* Whatever a visitor of the app that comes and goes is told, he is told it. */
static void *visit(void *arg)
{
    struct load_thread *t = arg;
    for (; !atomic_load(&t->stop); t->n++) {
        struct cl c;
        cl_open_with(&c, t->rig, "side-key", 0);
        struct ws_ev ev = cl_event(&c);
        CHECK(ev.kind == WS_EV_MESSAGE);
        if (cl_text_has(&c, "connection_established")) {
            const char text[] = "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"x\"}}";
            cl_frame(&c, span_of(text, sizeof text - 1));
        }
        cl_reset(&c);
    }
    return NULL;
}

static void hears_all(struct cl *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "\"e%u.\"", i);
        struct ws_ev ev = cl_event(c);
        assert_int_equal(ev.kind, WS_EV_MESSAGE);
        assert_true(cl_text_has(c, name));
    }
}

static void nobody_else_notices_a_hundred_reloads(void **state)
{
    (void)state;
    struct source source = { .n_loads = 0 };
    struct rig rig;
    struct cl c[SIDE_CLIENTS];
    SET(&source, "workers=3", MAIN);
    start(&rig, &source);
    struct load_thread publisher = { .rig = &rig }, visitor = { .rig = &rig };
    for (int i = 0; i < SIDE_CLIENTS; i++) {
        cl_open(&c[i], &rig);
        cl_subscribe(&c[i], "room");
    }
    CHECK(pthread_create(&publisher.thread, NULL, publish_on, &publisher) == 0);
    CHECK(pthread_create(&visitor.thread, NULL, visit, &visitor) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        source.other_secret = i % 2 ? "second" : "third";
        RELOAD(&rig, &source, "workers=3", MAIN, SIDE);
        source.other_secret = NULL;
        RELOAD(&rig, &source, "workers=3", MAIN, SIDE, "apps.side.enabled=false",
               "limits.mailbox_bytes=1GiB");
        RELOAD(&rig, &source, "workers=3", MAIN, "app_defaults.ping_interval_s=61");
    }
    atomic_store(&publisher.stop, true);
    atomic_store(&visitor.stop, true);
    CHECK(pthread_join(publisher.thread, NULL) == 0);
    CHECK(pthread_join(visitor.thread, NULL) == 0);
    assert_true(publisher.n > 0 && visitor.n > 0);
    for (int i = 0; i < SIDE_CLIENTS; i++) {
        hears_all(&c[i], publisher.n);
        cl_close(&c[i]);
    }
    rig_settles(&rig);
    rig_stop(&rig);
}

/* --- a restart in place that fails at its last step --- */

static void where_exec_fails_the_workers_come_back(void **state)
{
    (void)state;
    char folder[] = "/tmp/peal-restart-XXXXXX", program[64];
    static char *const no_args[] = { NULL };
    struct rig rig;
    struct cl c, admin;
    assert_non_null(mkdtemp(folder));
    snprintf(program, sizeof program, "%s/peal", folder);
    START(&rig, "workers=2");
    rig.server->origin.path = program;
    rig.server->origin.args = no_args;
    rig_serve(&rig);
    for (int i = 1; i <= 3; i++) {
        FILE *f = fopen(program, "we"); /* says yes, and is not there when it is needed */
        CHECK(f && fputs("#!/bin/sh\nrm -f \"$0\"\n", f) >= 0 && fclose(f) == 0);
        CHECK(chmod(program, 0700) == 0);
        cl_open(&c, &rig);
        cl_subscribe(&c, "room");
        CHECK(kill(getpid(), SIGUSR2) == 0);
        assert_int_equal(cl_closed_well(&c), 4100);
        cl_close(&c);
        char failures[32];
        snprintf(failures, sizeof failures, "\"failures\":%d", i);
        do assert_int_equal(admin_get(&admin, &rig, "/live"), 200);
        while (!cl_text_has(&admin, failures) && (cl_close(&admin), true));
        assert_true(cl_text_has(&admin, "\"ok\":false"));
        assert_true(cl_text_has(&admin, "cannot become"));
        assert_true(cl_text_has(&admin, "\"generation\":1"));
        cl_close(&admin);
        assert_int_equal(rig_publish(&rig, "room", "e", 5), 200);
    }
    rig_signal();
    rig_join(&rig);
    assert_int_equal(rig.code, 0);
    rig_stop(&rig);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apps_come_and_go),
        cmocka_unit_test(what_is_wrong_changes_nothing),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(options_that_need_a_restart_keep_their_values),
        cmocka_unit_test(nobody_else_notices_a_hundred_reloads),
        cmocka_unit_test(where_exec_fails_the_workers_come_back),
    };
    return RUN_TESTS(tests);
}
