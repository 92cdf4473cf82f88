/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_metrics.c: what /metrics says of a server that has done something.
 */
#include "server/metrics.h"
#include "unit/server/server_rig.h"

static const char *text_of(const struct rig *rig, enum metrics_form form, struct buf *out)
{
    buf_clear(out);
    metrics_write(rig->server, form, out);
    buf_add_byte(out, '\0');
    assert_false(buf_failed(out));
    return out->p;
}

/* The sum of all samples that begin so. */
static double sum_of(const char *text, const char *begin)
{
    double sum = 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, begin, strlen(begin)) != 0) continue;
        const char *end = strchr(line, '\n');
        const char *at = end;
        while (at > line && *at != ' ') at--;
        sum += strtod(at, NULL);
    }
    return sum;
}

static void what_happened_is_counted(void **state)
{
    (void)state;
    struct rig rig;
    struct cl a, b;
    struct buf out = { 0 };
    START(&rig);
    cl_open(&a, &rig);
    cl_open(&b, &rig);
    cl_subscribe(&a, "room");
    cl_subscribe(&b, "room");
    assert_int_equal(rig_publish(&rig, "room", "hello", 100), 200);
    assert_true(cl_hears(&a, "hello"));
    assert_true(cl_hears(&b, "hello"));
    const char *text = text_of(&rig, METRICS_PROMETHEUS, &out);
    assert_true(sum_of(text, "peal_websockets{") == 2);
    assert_true(sum_of(text, "peal_websockets_opened_total{") == 2);
    assert_true(sum_of(text, "peal_subscriptions_total{") == 2);
    assert_true(sum_of(text, "peal_messages_received_total{") == 2);
    assert_true(sum_of(text, "peal_messages_sent_total{") == 2);
    assert_true(sum_of(text, "peal_events_published_total{") == 1);
    assert_true(sum_of(text, "peal_http_responses_total{") == 1);
    assert_true(sum_of(text, "peal_http_request_seconds_count{") == 1);
    assert_true(sum_of(text, "peal_event_data_bytes_count{") == 1);
    assert_true(sum_of(text, "peal_event_data_bytes_sum{") >= 100);
    assert_true(sum_of(text, "peal_app_connections{app_id=\"app-id\"}") == 2);
    assert_true(sum_of(text, "peal_turn_seconds_count{") > 0);
    assert_true(sum_of(text, "peal_received_bytes_total{") > 300);
    assert_true(sum_of(text, "peal_sent_bytes_total{") > 300);
    assert_true(sum_of(text, "peal_ready ") == 1);
    cl_close(&a);
    cl_close(&b);
    buf_fini(&out);
    rig_stop(&rig);
}

static void refusals_and_closes_are_counted_by_their_codes(void **state)
{
    (void)state;
    struct rig rig;
    struct cl wrong, c;
    struct buf out = { 0 };
    START(&rig);
    cl_open_with(&wrong, &rig, "nobody", 0);
    assert_int_equal(cl_closed_well(&wrong), 4001);
    cl_close(&wrong);
    cl_open(&c, &rig);
    cl_frame(&c, SPAN("{\"event\":\"client-x\",\"channel\":\"private-none\",\"data\":{}}"));
    assert_true(cl_hears(&c, "pusher:error"));
    cl_close(&c);
    const char *text = text_of(&rig, METRICS_PROMETHEUS, &out);
    assert_non_null(strstr(text, "peal_websocket_closes_total{worker=\""));
    assert_non_null(strstr(text, ",code=\"4001\"} 1\n"));
    assert_true(sum_of(text, "peal_client_refusals_total{") == 1);
    buf_fini(&out);
    rig_stop(&rig);
}

static void openmetrics_is_written_where_it_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(metrics_form_of((struct span) { NULL, 0 }, METRICS_NAMES_PEAL),
                     METRICS_PROMETHEUS);
    assert_int_equal(metrics_form_of(SPAN("text/plain, */*;q=0.1"), METRICS_NAMES_PEAL),
                     METRICS_PROMETHEUS);
    assert_int_equal(metrics_form_of(SPAN("text/plain;q=0.5, Application/OpenMetrics-Text;"
                                          "version=1.0.0;q=0.9"),
                                     METRICS_NAMES_PEAL),
                     METRICS_OPEN);
    struct rig rig;
    struct buf out = { 0 };
    START(&rig);
    const char *text = text_of(&rig, METRICS_OPEN, &out);
    assert_non_null(strstr(text, "# TYPE peal_connections_accepted counter\n"));
    assert_non_null(strstr(text, "peal_connections_accepted_total{"));
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    text = text_of(&rig, METRICS_PROMETHEUS, &out);
    assert_non_null(strstr(text, "# TYPE peal_connections_accepted_total counter\n"));
    assert_null(strstr(text, "# EOF"));
    buf_fini(&out);
    rig_stop(&rig);
}

static void the_admin_listener_serves_them(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig);
    assert_int_equal(admin_get(&c, &rig, "/metrics"), 200);
    assert_true(cl_text_has(&c, "peal_build_info{version="));
    cl_close(&c);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happened_is_counted),
        cmocka_unit_test(refusals_and_closes_are_counted_by_their_codes),
        cmocka_unit_test(openmetrics_is_written_where_it_is_asked_for),
        cmocka_unit_test(the_admin_listener_serves_them),
    };
    return RUN_TESTS(tests);
}
