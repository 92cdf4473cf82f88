/* SPDX-License-Identifier: MIT
 * tests/unit/api/test_api_event.c: which events may be published, and what the refusals say. */
#include "unit/api/ask.h"

#define BAD "The received data is incorrect: "
#define OF_APP " (event of app 'app-id')."
#define FOR_A " (event for channel 'a' of app 'app-id')."

static void post(struct rig *rig, const char *body)
{
    rig_post(rig, "/events", body);
}

/* Posts `before`, `n` times `c`, and `after`. */
static void post_long(struct rig *rig, const char *before, char c, size_t n, const char *after)
{
    struct buf b = { 0 };
    buf_add_span(&b, span_str(before));
    for (size_t i = 0; i < n; i++) buf_add_byte(&b, c);
    buf_add_span(&b, span_str(after));
    buf_add_byte(&b, '\0');
    post(rig, b.p);
    buf_fini(&b);
}

static void a_body_that_is_no_json_is_refused(void **state)
{
    struct rig *rig = *state;
    post(rig, "{\"name\":}");
    assert_int_equal(rig->status, 400);
    assert_true(rig_has(rig->body, BAD "the body is not JSON: "));
    assert_true(rig_has(rig->body, ", at byte 8 of 9 (request of app 'app-id')."));
    post(rig, "[]");
    assert_refused(rig, 400, BAD "an event must be a JSON object" OF_APP);
    post(rig, "null");
    assert_refused(rig, 400, BAD "an event must be a JSON object" OF_APP);
}

static void missing_fields_are_named(void **state)
{
    struct rig *rig = *state;
    post(rig, "");
    assert_refused(rig, 400, BAD "there is neither 'channels' nor 'channel'" OF_APP);
    post(rig, "{\"name\":\"e\",\"data\":\"x\",\"channels\":null,\"channel\":null}");
    assert_refused(rig, 400, BAD "there is neither 'channels' nor 'channel'" OF_APP);
    post(rig, "{\"channel\":\"a\",\"data\":\"x\"}");
    assert_refused(rig, 400, BAD "'name' is missing or empty" FOR_A);
    post(rig, "{\"name\":\"\",\"channel\":\"a\",\"data\":\"x\"}");
    assert_refused(rig, 400, BAD "'name' is missing or empty" FOR_A);
    post(rig, "{\"name\":\"e\",\"channel\":\"a\"}");
    assert_refused(rig, 400, BAD "'data' is missing" FOR_A);
    post(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":null}");
    assert_refused(rig, 400, BAD "'data' is missing" FOR_A);
    post(rig, "{\"name\":\"e\",\"channels\":[],\"data\":\"x\"}");
    assert_refused(rig, 400, BAD "'channels' is empty" OF_APP);
}

static void fields_of_the_wrong_type_are_named(void **state)
{
    struct rig *rig = *state;
    post(rig, "{\"name\":7,\"channel\":\"a\",\"data\":\"x\"}");
    assert_refused(rig, 400, BAD "the member 'name' must be a string" FOR_A);
    post(rig, "{\"name\":\"e\",\"channel\":[\"a\"],\"data\":\"x\"}");
    assert_refused(rig, 400, BAD "the member 'channel' must be a string" OF_APP);
    post(rig, "{\"name\":\"e\",\"channels\":[\"a\",7],\"data\":\"x\"}");
    assert_refused(rig, 400, BAD "'channels' must be an array of strings" FOR_A);
    post(rig, "{\"name\":\"e\",\"channels\":{},\"data\":\"x\"}");
    assert_refused(rig, 400, BAD "'channels' must be an array of strings" OF_APP);
    post(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"x\",\"socket_id\":1.2}");
    assert_refused(rig, 400, BAD "the member 'socket_id' must be a string" FOR_A);
    post(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"x\",\"info\":[]}");
    assert_refused(rig, 400, BAD "the member 'info' must be a string" FOR_A);
}

static void doubled_members_are_refused(void **state)
{
    struct rig *rig = *state;
    static const char *const names[] = {
        "name", "data", "channels", "channel", "socket_id", "info"
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char body[256], want[256];
        snprintf(body, sizeof body, "{\"%s\":\"a\",\"%s\":\"a\"}", names[i], names[i]);
        snprintf(want, sizeof want,
                 "{\"error\":\"" BAD "the member '%s' stands twice" OF_APP "\",\"code\":400}",
                 names[i]);
        post(rig, body);
        assert_answer(rig, 400, want);
    }
    post(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"x\",\"other\":1,\"other\":2}");
    assert_answer(rig, 200, "{}");
}

static void reserved_names_are_refused(void **state)
{
    struct rig *rig = *state;
    post(rig, "{\"name\":\"pusher:x\",\"channel\":\"a\",\"data\":\"x\"}");
    assert_refused(rig, 400,
                   "The event name 'pusher:x' is reserved: names that begin with pusher: or "
                   "pusher_internal: are the protocol's own" FOR_A);
    post(rig, "{\"name\":\"pusher_internal\\u003amember_added\",\"channel\":\"a\",\"data\":\"x\"}");
    assert_int_equal(rig->status, 400);
    assert_true(rig_has(rig->body, "'pusher_internal:member_added' is reserved"));
    post(rig, "{\"name\":\"pushers:x\",\"channel\":\"a\",\"data\":\"x\"}");
    assert_int_equal(rig->status, 200);
    post(rig, "{\"name\":\"client-x\",\"channel\":\"a\",\"data\":\"x\"}");
    assert_int_equal(rig->status, 200);
}

static void names_are_measured_in_characters(void **state)
{
    struct rig *rig = *state;
    const char *after = "\",\"channel\":\"a\",\"data\":\"x\"}";
    post_long(rig, "{\"name\":\"", 'n', 200, after);
    assert_int_equal(rig->status, 200);
    post_long(rig, "{\"name\":\"", 'n', 201, after);
    assert_refused(rig, 400,
                   "Event name is too long. Maximum allowed size is 200. It has 201 characters; "
                   "limits.event_name of app 'app-id' allows 200" FOR_A);
    post_long(rig, "{\"name\":\"\xc3\xa9\\u00e9", 'n', 198, after);
    assert_int_equal(rig->status, 200);
}

static void data_is_measured_after_unescaping(void **state)
{
    struct rig *rig = *state;
    const char *before = "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"";
    post_long(rig, before, 'd', 1000, "\"}");
    assert_int_equal(rig->status, 200);
    post_long(rig, before, 'd', 1001, "\"}");
    assert_refused(rig, 413,
                   "The event data of channel 'a' has 1001 bytes; limits.message_bytes of app "
                   "'app-id' allows 1000.");
    post_long(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"\\u0041\\u00e9", 'd', 997, "\"}");
    assert_int_equal(rig->status, 200); /* 1 + 2 + 997 */
    post_long(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"\\u0041\\u00e9", 'd', 998, "\"}");
    assert_int_equal(rig->status, 413);
    assert_true(rig_has(rig->body, "has 1001 bytes"));
    post_long(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":[1", '1', 998, "]}");
    assert_int_equal(rig->status, 413); /* as it stands: 1001 with its brackets */
    post_long(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":[1", '1', 997, "]}");
    assert_int_equal(rig->status, 200);
}

static void too_many_channels_are_counted(void **state)
{
    struct rig *rig = *state;
    struct buf b = { 0 };
    BUF_ADD_LIT(&b, "{\"name\":\"e\",\"data\":\"x\",\"channels\":[\"c0\"");
    for (int i = 1; i < 21; i++) buf_add_fmt(&b, ",\"c%d\"", i);
    BUF_ADD_LIT(&b, "]}");
    buf_add_byte(&b, '\0');
    post(rig, b.p);
    assert_refused(rig, 400,
                   "Cannot broadcast to more than 20 channels at once. 'channels' has 21; "
                   "limits.channels_per_publish of app 'app-id' allows 20" OF_APP);
    buf_fini(&b);
}

static void channel_names_are_checked(void **state)
{
    struct rig *rig = *state;
    post(rig, "{\"name\":\"e\",\"channels\":[\"ok\",\"not ok\"],\"data\":\"x\"}");
    assert_refused(rig, 400,
                   "The channel name has a character that is not allowed at offset 3. Allowed are "
                   "A-Z a-z 0-9 _ - = @ , . ; (option strict_channel_names) (event for channel "
                   "'not ok' of app 'app-id').");
    post(rig, "{\"name\":\"e\",\"channel\":\"\",\"data\":\"x\"}");
    assert_refused(rig, 400, "The channel name is empty (event for channel '' of app 'app-id').");
    post_long(rig, "{\"name\":\"e\",\"data\":\"x\",\"channel\":\"", 'c', 201, "\"}");
    assert_int_equal(rig->status, 400);
    assert_true(rig_has(rig->body, "allowed 200 characters. It has 201 (option "
                                   "limits.channel_name) (event for channel"));
    post(rig, "{\"name\":\"e\",\"channels\":[\"private-a\",\"presence-a\",\"#server-to-user-7\","
              "\"private-encrypted-cache-a\"],\"data\":\"x\"}");
    assert_answer(rig, 200, "{}");
}

static void malformed_socket_ids_are_refused(void **state)
{
    struct rig *rig = *state;
    static const char *const bad[] = { "", "12", "1.2.3", "a.b", "1.", "-1.2" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char body[128], want[256];
        snprintf(body, sizeof body,
                 "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"x\",\"socket_id\":\"%s\"}", bad[i]);
        snprintf(want, sizeof want,
                 "{\"error\":\"The socket_id '%s' is not of the form 123.456" FOR_A
                 "\",\"code\":400}",
                 bad[i]);
        post(rig, body);
        assert_answer(rig, 400, want);
    }
    post(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"x\",\"socket_id\":\"99999999999.1\"}");
    assert_int_equal(rig->status, 200);
    post(rig, "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"x\",\"socket_id\":null}");
    assert_int_equal(rig->status, 200);
}

static void parameters_may_stand_in_the_query(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2), *d = rig_connect(rig, 3, 4);
    rig_subscribe(rig, c, "a", NULL);
    rig_subscribe(rig, d, "b", NULL);
    rig_ask(rig, "POST", "/events", "name=my%20e&channel=a&data=%7B%22x%22:1%7D", NULL);
    assert_answer(rig, 200, "{}");
    assert_got(c, "{\"event\":\"my e\",\"channel\":\"a\",\"data\":\"{\\\"x\\\":1}\"}\n");
    rig_ask(rig, "POST", "/events", "name=e&channels[]=a&channels[]=b&data=&socket_id=3.4", NULL);
    assert_answer(rig, 200, "{}");
    assert_got(c, "{\"event\":\"e\",\"channel\":\"a\",\"data\":\"\"}\n");
    assert_got(d, "");
    rig_ask(rig, "POST", "/events", "name=other&socket_id=1.2",
            "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"x\"}");
    assert_answer(rig, 200, "{}");
    assert_got(c, "");
    rig_ask(rig, "POST", "/events", "name=%ff&channel=a&data=x", NULL);
    assert_refused(rig, 400, BAD "the parameter 'name' is not UTF-8" FOR_A);
}

static void a_bad_item_fails_the_whole_batch(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a", NULL);
    rig_post(rig, "/batch_events",
             "{\"batch\":[{\"name\":\"e\",\"channel\":\"a\",\"data\":\"1\"},"
             "{\"name\":\"e\",\"channel\":\"a b\",\"data\":\"2\"}]}");
    assert_int_equal(rig->status, 400);
    assert_got(c, "");
    rig_post(rig, "/batch_events",
             "{\"batch\":[{\"name\":\"e\",\"channel\":\"a\",\"data\":\"1\"},7]}");
    assert_refused(rig, 400, BAD "an event must be a JSON object" OF_APP);
    assert_got(c, "");
}

static void a_batch_must_be_an_array_within_the_limit(void **state)
{
    struct rig *rig = *state;
    struct buf b = { 0 };
    rig_post(rig, "/batch_events", "{}");
    assert_refused(rig, 400,
                   BAD "the body must be an object with an array 'batch' (request of app "
                       "'app-id').");
    rig_post(rig, "/batch_events", "[]");
    assert_int_equal(rig->status, 400);
    rig_post(rig, "/batch_events", "{\"batch\":[],\"batch\":[]}");
    assert_refused(rig, 400, BAD "the member 'batch' stands twice (request of app 'app-id').");
    rig_post(rig, "/batch_events", "{\"batch\":[]}");
    assert_answer(rig, 200, "{}");
    BUF_ADD_LIT(&b, "{\"batch\":[1");
    for (int i = 1; i < 11; i++) BUF_ADD_LIT(&b, ",1");
    BUF_ADD_LIT(&b, "]}");
    buf_add_byte(&b, '\0');
    rig_post(rig, "/batch_events", b.p);
    assert_refused(rig, 400,
                   "Cannot batch-send more than 10 messages at once. 'batch' has 11; limits.batch "
                   "of app 'app-id' allows 10.");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_body_that_is_no_json_is_refused),
        RIG_TEST(missing_fields_are_named),
        RIG_TEST(fields_of_the_wrong_type_are_named),
        RIG_TEST(doubled_members_are_refused),
        RIG_TEST(reserved_names_are_refused),
        RIG_TEST(names_are_measured_in_characters),
        RIG_TEST(data_is_measured_after_unescaping),
        RIG_TEST(too_many_channels_are_counted),
        RIG_TEST(channel_names_are_checked),
        RIG_TEST(malformed_socket_ids_are_refused),
        RIG_TEST(parameters_may_stand_in_the_query),
        RIG_TEST(a_bad_item_fails_the_whole_batch),
        RIG_TEST(a_batch_must_be_an_array_within_the_limit),
    };
    return RUN_TESTS(tests);
}
