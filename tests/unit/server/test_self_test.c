/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_self_test.c: the event that goes round through the workers of a server,
 * and what /ready says when it does not come back. */
#include "server/health.h"
#include "server/metrics.h"
#include "unit/server/server_rig.h"
#include <ftw.h>
#include <semaphore.h>
#include <sys/stat.h>

/* A task that other threads wait for. */
struct job {
    struct task task;
    sem_t begun, go_on;
    uint64_t every_ms, late_ms;
};

static void run_pace(struct worker *w, struct task *t)
{
    struct job *job = CONTAINER_OF(t, struct job, task);
    struct self_test *st = w->server->self_test;
    st->every_ms = job->every_ms;
    st->late_ms = job->late_ms;
    st->next_ms = 0;
    CHECK(sem_post(&job->begun) == 0);
}

/* Worker 0's publish is refused from now on. */
static void run_disable(struct worker *w, struct task *t)
{
    w->server->self_test->app.settings.enabled = false;
    run_pace(w, t);
}

static void run_stall(struct worker *w, struct task *t)
{
    struct job *job = CONTAINER_OF(t, struct job, task);
    (void)w;
    CHECK(sem_post(&job->begun) == 0);
    CHECK(sem_wait(&job->go_on) == 0);
}

static void begin(struct job *job, const struct rig *rig, unsigned worker,
                  void (*run)(struct worker *w, struct task *t))
{
    CHECK(sem_init(&job->begun, 0, 0) == 0 && sem_init(&job->go_on, 0, 0) == 0);
    job->task.run = run;
    worker_post(&rig->server->workers[worker], &job->task);
    CHECK(sem_wait(&job->begun) == 0);
}

/* So that a test need not wait for seconds. */
static void quicken(const struct rig *rig, uint64_t late_ms)
{
    struct job job = { .every_ms = 20, .late_ms = late_ms };
    begin(&job, rig, 0, run_pace);
}

static uint64_t came_back(const struct rig *rig)
{
    return self_test_count(rig->server->self_test);
}

static void it_comes_back_through_any_number_of_workers(void **state)
{
    (void)state;
    static const char *const workers[] = { "workers=1", "workers=2", "workers=5" };
    for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
        struct rig rig;
        struct cl c;
        START(&rig, workers[i]);
        UNTIL(came_back(&rig) > 0);
        assert_int_equal(admin_get(&c, &rig, "/ready"), 200);
        assert_true(cl_text_has(&c, "\"text\":\"the last publish came back "));
        cl_close(&c);
        quicken(&rig, 10000);
        UNTIL(came_back(&rig) > 10);
        assert_int_equal(admin_get(&c, &rig, "/ready"), 200);
        cl_close(&c);
        assert_true(self_test_took_us(rig.server->self_test) > 0);
        rig_stop(&rig);
    }
}

static void it_is_in_no_count_and_in_no_list(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    struct buf out = { 0 };
    START(&rig);
    quicken(&rig, 10000);
    UNTIL(came_back(&rig) > 3);
    metrics_write(rig.server, METRICS_PROMETHEUS, &out);
    buf_add_byte(&out, '\0');
    static const char *const zero[] = {
        "peal_websockets",          "peal_websockets_opened_total", "peal_http_requests_total",
        "peal_messages_sent_total", "peal_messages_received_total", "peal_events_published_total",
        "peal_subscriptions_total", "peal_mailbox_messages_total",

    };
    for (size_t i = 0; i < ARRAY_LEN(zero); i++) {
        char line[80];
        snprintf(line, sizeof line, "\n%s{worker=\"1\"} 0\n", zero[i]);
        if (!strstr(out.p, line)) fail_msg("%s", zero[i]);
    }
    assert_null(strstr(out.p, "peal-self-test"));
    assert_int_equal(admin_get(&c, &rig, "/admin/facts"), 200);
    assert_false(cl_text_has(&c, "self-test"));
    cl_close(&c);
    assert_int_equal(admin_get(&c, &rig, "/admin/apps"), 200);
    assert_false(cl_text_has(&c, "self-test"));
    cl_close(&c);
    buf_fini(&out);
    rig_stop(&rig);
}

static void nobody_can_come_in_by_its_app(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig);
    cl_open_with(&c, &rig, "peal-self-test", 0);
    assert_int_equal(cl_closed_well(&c), 4001);
    cl_close(&c);
    rig_stop(&rig);
}

static void a_worker_that_hangs_makes_it_fail_until_it_goes_on(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    struct job stall = { .late_ms = 0 };
    START(&rig, "workers=3");
    UNTIL(came_back(&rig) > 0);
    begin(&stall, &rig, 1, run_stall);
    quicken(&rig, 200);
    UNTIL(!self_test_ok(rig.server->self_test));
    assert_int_equal(admin_get(&c, &rig, "/ready"), 503);
    assert_true(cl_text_has(&c, "{\"ready\":false,\"why\":\"self-test: no publish has come back "));
    assert_true(cl_text_has(&c, ": worker 1 does not pass it on\""));
    assert_true(cl_text_has(&c, "\"self_test\":{\"ok\":false,"));
    cl_close(&c);
    uint64_t before = came_back(&rig);
    CHECK(sem_post(&stall.go_on) == 0);
    UNTIL(came_back(&rig) > before);
    assert_int_equal(admin_get(&c, &rig, "/ready"), 200);
    cl_close(&c);
    rig_stop(&rig);
}

static void a_publish_that_is_refused_is_told_with_its_reason(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig);
    UNTIL(came_back(&rig) > 0);
    struct job off = { .every_ms = 20, .late_ms = 100 };
    begin(&off, &rig, 0, run_disable);
    UNTIL(!self_test_ok(rig.server->self_test));
    assert_int_equal(admin_get(&c, &rig, "/ready"), 503);
    assert_true(cl_text_has(&c, " answered 403: "));
    cl_close(&c);
    rig_stop(&rig);
}

static void usage_tells_of_memory_as_soketi_does(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig);
    assert_int_equal(admin_get(&c, &rig, "/usage"), 200);
    assert_true(cl_text_has(&c, "{\"memory\":{\"free\":"));
    assert_true(cl_text_has(&c, ",\"used\":"));
    assert_true(cl_text_has(&c, ",\"total\":"));
    assert_true(cl_text_has(&c, ",\"percent\":"));
    cl_close(&c);
    rig_stop(&rig);
}

/* --- control groups --- */

static void put(const char *root, const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        (void)mkdir(full, 0700);
        *at = '/';
    }
    FILE *file = fopen(full, "we");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void the_strictest_group_above_us_limits_memory(void **state)
{
    (void)state;
    char root[] = "/tmp/peal-test-XXXXXX";
    CHECK(mkdtemp(root));
    uint64_t machine = health_memory_limit(root);
    assert_true(machine > 0);
    put(root, "/proc/self/cgroup", "1:name=systemd:/x\n0::/system.slice/peal.service\n");
    put(root, "/sys/fs/cgroup/system.slice/peal.service/memory.max", "max\n");
    assert_true(health_memory_limit(root) == machine);
    put(root, "/sys/fs/cgroup/system.slice/memory.max", "50000000\n");
    assert_true(health_memory_limit(root) == 50000000);
    put(root, "/sys/fs/cgroup/system.slice/peal.service/memory.max", "20000000\n");
    assert_true(health_memory_limit(root) == 20000000);
    put(root, "/proc/self/cgroup", "0::/\n"); /* in a container's own namespace */
    put(root, "/sys/fs/cgroup/memory.max", "30000000\n");
    assert_true(health_memory_limit(root) == 30000000);
    assert_int_equal(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_through_any_number_of_workers),
        cmocka_unit_test(it_is_in_no_count_and_in_no_list),
        cmocka_unit_test(nobody_can_come_in_by_its_app),
        cmocka_unit_test(a_worker_that_hangs_makes_it_fail_until_it_goes_on),
        cmocka_unit_test(a_publish_that_is_refused_is_told_with_its_reason),
        cmocka_unit_test(usage_tells_of_memory_as_soketi_does),
        cmocka_unit_test(the_strictest_group_above_us_limits_memory),
    };
    return RUN_TESTS(tests);
}
