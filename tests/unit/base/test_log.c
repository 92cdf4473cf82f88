/* SPDX-License-Identifier: MIT
 *
 * tests/unit/base/test_log.c: log lines, read from a datagram socket, where one receive is exactly
 * one write(). Each test uses its own event names, since the rate limit is process-wide.
 */
#include "base/clock.h"
#include "base/json_read.h"
#include "base/log.h"
#include "unit/test.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static int fds[2]; /* the log writes to [1] */
static char text[2 * PIPE_BUF];

static int open_socket(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds);
}

static int close_socket(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT, STDERR_FILENO);
    return close(fds[0]) || close(fds[1]);
}

/* The next line without its line feed; empty when nothing was written. */
static struct span next_line(void)
{
    ssize_t n = recv(fds[0], text, sizeof text, MSG_DONTWAIT);
    if (n <= 0) return SPAN("");
    assert_true(n <= PIPE_BUF);
    assert_int_equal(text[n - 1], '\n');
    assert_null(memchr(text, '\n', (size_t)n - 1));
    return span_of(text, (size_t)n - 1);
}

/* Like next_line, without the time, whose form is checked. */
static struct span next_text(void)
{
    struct span line = next_line();
    if (line.n == 0) return line;
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
    assert_true(line.n >= sizeof form - 1);
    for (size_t i = 0; i < sizeof form - 1; i++) {
        bool digit = line.p[i] >= '0' && line.p[i] <= '9';
        assert_true(form[i] == 'd' ? digit : line.p[i] == form[i]);
    }
    return span_skip(line, sizeof form - 1);
}

static void a_text_line_has_time_level_event_and_values(void **state)
{
    (void)state;
    log_setup(LOG_DEBUG, LOG_TEXT, fds[1]);
    log_info("conn", "closed", kv_u64("code", 4201), kv_span("why", SPAN("no pong")));
    assert_span(next_text(), "info  conn closed code=4201 why=\"no pong\"");
    log_error("store", "broken", kv_i64("n", -7), kv_bool("retry", true), kv_i64("min", INT64_MIN));
    assert_span(next_text(), "error store broken n=-7 retry=true min=-9223372036854775808");
    log_warn("a", "b", kv_str("s", "x"), kv_bool("f", false));
    assert_span(next_text(), "warn  a b s=\"x\" f=false");
    log_debug("a", "c", kv_span("none", span_of(NULL, 0)), kv_str("null", NULL));
    assert_span(next_text(), "debug a c none=\"\" null=\"\"");
}

static void a_line_may_have_no_values(void **state)
{
    (void)state;
    log_setup(LOG_DEBUG, LOG_TEXT, fds[1]);
    log_error("bare", "e");
    log_warn("bare", "w");
    log_info("bare", "i");
    log_debug("bare", "d");
    assert_span(next_text(), "error bare e");
    assert_span(next_text(), "warn  bare w");
    assert_span(next_text(), "info  bare i");
    assert_span(next_text(), "debug bare d");
    assert_int_equal(next_line().n, 0);
}

static void the_time_is_now(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT, fds[1]);
    time_t before = (time_t)(clock_unix_ms() / 1000);
    log_info("time", "now");
    time_t after = (time_t)(clock_unix_ms() / 1000);
    struct tm tm = { 0 };
    struct span line = next_line();
    char stamp[20] = { 0 };
    memcpy(stamp, line.p, 19);
    assert_non_null(strptime(stamp, "%Y-%m-%dT%H:%M:%S", &tm));
    time_t logged = timegm(&tm);
    assert_true(before <= logged && logged <= after);
}

static void a_json_line_is_one_object(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_JSON, fds[1]);
    log_warn("conn", "json", kv_u64("code", 4201), kv_bool("ok", false),
             kv_str("why", "a \"quoted\"\nline\\ \x1b[0m \xc2\x9b \xc3\xab \xff"));
    struct json_field f[] = {
        { .name = "ts" },   { .name = "level" }, { .name = "subsystem" }, { .name = "event" },
        { .name = "code" }, { .name = "ok" },    { .name = "why" },
    };
    struct json_val root;
    assert_true(json_check(next_line(), 1, &root, NULL));
    assert_null(json_fields(root, f, ARRAY_LEN(f)));
    assert_int_equal(f[0].val.raw.n, 26);
    assert_span(f[1].val.raw, "\"warn\"");
    assert_span(f[2].val.raw, "\"conn\"");
    assert_span(f[3].val.raw, "\"json\"");
    assert_span(f[4].val.raw, "4201");
    assert_span(f[5].val.raw, "false");
    assert_true(json_str_eq(f[6].val, SPAN("a \"quoted\"\nline\\ \x1b[0m \xc2\x9b \xc3\xab "
                                           "\xef\xbf\xbd")));
    assert_null(memchr(f[6].val.raw.p, 0x1b, f[6].val.raw.n));
    log_info("conn", "json_bare");
    assert_true(json_check(next_line(), 1, NULL, NULL));
}

static void no_value_can_forge_a_line_or_drive_a_terminal(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT, fds[1]);
    log_info("esc", "aped",
             kv_span("v", SPAN("a\nb\r\t\"\\ \x1b[2J \x7f \0 \xc2\x9b \xe2\x82\xac \xff\xc3")));
    assert_span(next_text(), "info  esc aped v=\"a\\nb\\r\\t\\\"\\\\ \\u001b[2J \\u007f \\u0000 "
                             "\\u009b \xe2\x82\xac \\xff\\xc3\"");
}

static bool evaluated;

static uint64_t evaluate(void)
{
    evaluated = true;
    return 1;
}

static void a_level_that_is_off_costs_nothing(void **state)
{
    (void)state;
    log_setup(LOG_WARN, LOG_TEXT, fds[1]);
    assert_true(log_enabled(LOG_ERROR));
    assert_true(log_enabled(LOG_WARN));
    assert_false(log_enabled(LOG_INFO));
    log_info("off", "info", kv_u64("n", evaluate()));
    log_debug("off", "debug", kv_u64("n", evaluate()));
    assert_false(evaluated);
    assert_int_equal(next_line().n, 0);
    log_warn("off", "warn", kv_u64("n", evaluate()));
    assert_true(evaluated);
    assert_span(next_text(), "warn  off warn n=1");
}

/* What is left out is counted exactly, and other events are not affected. */
static void a_burst_is_cut_and_the_next_line_counts_what_is_missing(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT, fds[1]);
    uint64_t began_ms = clock_mono_ms(), sent = 0, seen = 0, missing = 0;
    while (missing == 0) { /* until the next second begins */
        log_info("flood", "event");
        sent++;
        assert_true(clock_mono_ms() - began_ms < 5000);
        struct span line = next_text();
        if (line.n == 0) continue;
        seen++;
        struct span head = SPAN("info  flood event suppressed=");
        if (span_starts(line, head)) assert_true(span_to_u64(span_skip(line, head.n), &missing));
    }
    assert_true(clock_mono_ms() - began_ms >= 1000);
    assert_int_equal(seen, LOG_BURST + 1);
    assert_int_equal(missing, sent - seen);
    log_info("flood", "other");
    assert_span(next_text(), "info  flood other");
    log_info("flood", "event");
    assert_span(next_text(), "info  flood event");
}

static void many_different_events_are_all_written(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT, fds[1]);
    for (int i = 0; i < 1000; i++) { /* more than are tracked at a time */
        char event[16];
        snprintf(event, sizeof event, "many%d", i);
        log_info("many", event);
        assert_true(next_line().n > 0);
    }
}

static void a_long_line_is_cut_between_values_and_says_so(void **state)
{
    (void)state;
    static char big[5000];
    memset(big, 'x', sizeof big);
    struct span v = span_of(big, sizeof big);
    log_setup(LOG_INFO, LOG_TEXT, fds[1]);
    log_info("long", "one", kv_span("v", v), kv_u64("n", 1));
    struct span line = next_text();
    assert_true(line.n > 1000 && line.n < 1100);
    assert_span(span_skip(line, line.n - 11), "xxx...\" n=1");
    log_info("long", "two", kv_span("a", v), kv_span("b", v), kv_span("c", v), kv_span("d", v),
             kv_u64("n", 1));
    line = next_text();
    assert_span(span_skip(line, line.n - 15), " truncated=true");

    memset(big, 1, sizeof big); /* six octets each */
    log_setup(LOG_INFO, LOG_JSON, fds[1]);
    log_info("long", "json", kv_u64("a", 1), kv_span("v", v));
    struct json_field f[] = { { .name = "a" }, { .name = "v" }, { .name = "truncated" } };
    struct json_val root;
    assert_true(json_check(next_line(), 1, &root, NULL));
    assert_null(json_fields(root, f, ARRAY_LEN(f)));
    assert_span(f[0].val.raw, "1");
    assert_int_equal(f[1].val.type, JSON_ABSENT);
    assert_int_equal(f[2].val.type, JSON_TRUE);
}

static void a_log_that_cannot_be_written_harms_nobody(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT, -1);
    errno = EAGAIN;
    log_info("bad", "fd");
    assert_int_equal(errno, EAGAIN);
}

static void *write_many(void *arg)
{
    const char *event = arg;
    for (uint64_t i = 0; i < LOG_BURST; i++)
        log_info("threads", event, kv_u64("i", i), kv_str("event", event));
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    (void)state;
    static char names[4][4] = { "t0", "t1", "t2", "t3" };
    static char all[65536]; /* what a pipe holds, and more than they write */
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    log_setup(LOG_INFO, LOG_JSON, pipe_fds[1]);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, names[i]), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    ssize_t n = read(pipe_fds[0], all, sizeof all);
    assert_true(n > 0);
    struct span rest = span_of(all, (size_t)n), line;
    size_t lines = 0;
    while (rest.n && span_cut(&rest, '\n', &line)) {
        assert_true(json_check(line, 1, NULL, NULL));
        lines++;
    }
    assert_int_equal(lines, (size_t)4 * LOG_BURST);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void a_log_that_nobody_reads_holds_nobody_up(void **state)
{
    (void)state;
    int pipe_fds[2];
    char page[PIPE_BUF];
    memset(page, '.', sizeof page);
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    assert_int_equal(fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK), 0);
    while (write(pipe_fds[1], page, sizeof page) > 0) continue;
    assert_int_equal(fcntl(pipe_fds[1], F_SETFL, 0), 0); /* from here on a write would wait */
    log_setup(LOG_INFO, LOG_TEXT, pipe_fds[1]);
    for (int i = 0; i < 3; i++) log_info("unit", "unread", kv_i64("i", i));
    assert_int_equal(fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK), 0);
    while (read(pipe_fds[0], page, sizeof page) > 0) continue;
    log_info("unit", "read again");
    ssize_t n = read(pipe_fds[0], page, sizeof page);
    assert_true(n > 0);
    assert_non_null(memmem(page, (size_t)n, "read again lost=3\n", 18));
    log_info("unit", "read on");
    n = read(pipe_fds[0], page, sizeof page);
    assert_null(memmem(page, (size_t)n, "lost", 4));
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_socket, close_socket)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_text_line_has_time_level_event_and_values),
        TEST(a_line_may_have_no_values),
        TEST(the_time_is_now),
        TEST(a_json_line_is_one_object),
        TEST(no_value_can_forge_a_line_or_drive_a_terminal),
        TEST(a_level_that_is_off_costs_nothing),
        TEST(a_burst_is_cut_and_the_next_line_counts_what_is_missing),
        TEST(many_different_events_are_all_written),
        TEST(a_long_line_is_cut_between_values_and_says_so),
        TEST(a_log_that_cannot_be_written_harms_nobody),
        TEST(lines_of_several_threads_do_not_mix),
        TEST(a_log_that_nobody_reads_holds_nobody_up),
    };
    return RUN_TESTS(tests);
}
