/* SPDX-License-Identifier: MIT
 * tests/unit/pusher/test_auth.c: the vectors of the protocol page, section 3.3, and what must not
 * verify. */
#include "base/mem.h"
#include "pusher/auth.h"
#include "unit/pusher/app.h"

static const struct span absent = { NULL, 0 };

static int open_app(void **state)
{
    static struct app app;
    app_open(&app, "app-key", "app-secret", NULL);
    *state = &app;
    return 0;
}

static int close_app(void **state)
{
    app_close(*state);
    return 0;
}

/* --- channels and users --- */

struct vector {
    const char *channel;
    const char *data;
    const char *signature;
};

static const struct vector channel_vectors[] = {
    { "private-orders.7", NULL,
      "dc19424a29b38517f4c6c1c59e921ce4a0cee1d403b94033cb50b395052470cf" }, /* A */
    { "presence-room.1", "{\"user_id\":\"42\",\"user_info\":{\"name\":\"Ann Lee\"}}",
      "ce6e93ec63376bec3962c1eced6ed49a60c49b579ce3e45f9b6552f230224b0a" }, /* B */
    { "presence-room.1",
      "{\"user_id\":42,\"user_info\":{\"name\":\"Zo\\u00eb \\ud83d\\ude80 a\\/b\"}}",
      "59da05c7f04b9b7eb5e782052b623bcae041762423f217ff695e4e4576ca4239" }, /* B2 */
    { "presence-room.1",
      "{\"user_id\":42,\"user_info\":{\"name\":\"Zo\xc3\xab \xf0\x9f\x9a\x80 a/b\"}}",
      "6f416874395bd890d2cd20f0838b07a14af5271aaf789f6e5e20b604093cd2d6" }, /* B3 */
    { "private-encrypted-vault", NULL,
      "4053c190e5d8c41a6c0caea978423aba7191f9da573e8dd87bca52321a5b26b3" }, /* H */
};

#define USER_DATA "{\"id\":\"42\",\"user_info\":{\"name\":\"Ann Lee\"},\"watchlist\":[\"7\",\"9\"]}"
#define USER_AUTH "app-key:0fefadba66ae3b57e632310ad322f8981e0ce750fc799196c416d6763b91831e"

static void channel_vectors_sign_and_verify(void **state)
{
    const struct app *app = *state;
    for (size_t i = 0; i < ARRAY_LEN(channel_vectors); i++) {
        const struct vector *v = &channel_vectors[i];
        struct buf auth = { 0 };
        auth_sign_channel(&app->keys, SPAN(SOCKET_ID), span_str(v->channel), span_str(v->data),
                          &auth);
        assert_span(span_head(buf_span(&auth), 8), "app-key:");
        assert_span(span_skip(buf_span(&auth), 8), v->signature);
        assert_int_equal(auth_check_channel(&app->keys, buf_span(&auth), SPAN(SOCKET_ID),
                                            span_str(v->channel), span_str(v->data)),
                         AUTH_OK);
        buf_fini(&auth);
    }
}

static void one_flipped_bit_anywhere_fails(void **state)
{
    const struct app *app = *state;
    const struct vector *v = &channel_vectors[1];
    char auth[72 + 1], channel[32], data[64], socket_id[16];
    snprintf(auth, sizeof auth, "app-key:%s", v->signature);
    snprintf(channel, sizeof channel, "%s", v->channel);
    snprintf(data, sizeof data, "%s", v->data);
    snprintf(socket_id, sizeof socket_id, "%s", SOCKET_ID);
    char *parts[] = { auth, channel, data, socket_id };
    for (size_t part = 0; part < ARRAY_LEN(parts); part++) {
        for (char *at = parts[part]; *at; at++) {
            *at ^= 1;
            enum auth_verdict verdict = auth_check_channel(
                &app->keys, span_of(auth, 72), span_str(socket_id),
                span_of(channel, strlen(v->channel)), span_of(data, strlen(v->data)));
            *at ^= 1;
            if (verdict == AUTH_OK) fail_msg("part %zu, offset %td", part, at - parts[part]);
        }
    }
    assert_int_equal(auth_check_channel(&app->keys, span_str(auth), span_str(socket_id),
                                        span_str(channel), span_str(data)),
                     AUTH_OK);
}

static void the_user_vector_signs_and_verifies(void **state)
{
    const struct app *app = *state;
    struct buf auth = { 0 };
    auth_sign_user(&app->keys, SPAN(SOCKET_ID), SPAN(USER_DATA), &auth);
    assert_buf(&auth, USER_AUTH);
    buf_fini(&auth);
    assert_int_equal(auth_check_user(&app->keys, SPAN(USER_AUTH), SPAN(SOCKET_ID), SPAN(USER_DATA)),
                     AUTH_OK);
    assert_int_equal(
        auth_check_user(&app->keys, SPAN(USER_AUTH), SPAN("1234.5679"), SPAN(USER_DATA)),
        AUTH_MISMATCH);
}

static void the_vectors_of_the_official_pages_sign_the_same(void **state)
{
    (void)state;
    struct app app;
    app_open(&app, "278d425bdf160c739803", "7ad3773142a6692b25b8", NULL);
    struct buf auth = { 0 };
    auth_sign_channel(&app.keys, SPAN("1234.1234"), SPAN("private-foobar"), absent, &auth);
    assert_buf(&auth, "278d425bdf160c739803:"
                      "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4");
    buf_clear(&auth);
    auth_sign_user(&app.keys, SPAN("1234.1234"), SPAN("{\"id\":\"12345\"}"), &auth);
    assert_buf(&auth, "278d425bdf160c739803:"
                      "4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba");
    buf_fini(&auth);
    app_close(&app);
}

static void every_wrong_form_of_auth_has_its_verdict(void **state)
{
    const struct app *app = *state;
#define SIG_A "dc19424a29b38517f4c6c1c59e921ce4a0cee1d403b94033cb50b395052470cf"
    static const struct {
        const char *auth;
        enum auth_verdict verdict;
    } cases[] = {
        { "app-key:" SIG_A, AUTH_OK },
        { "", AUTH_MISSING },
        { SIG_A, AUTH_MALFORMED },
        { "app-key", AUTH_MALFORMED },
        { "app-key:", AUTH_MALFORMED },
        { "app-key:" SIG_A "0", AUTH_MALFORMED },
        { "app-key::" SIG_A, AUTH_MALFORMED },
        { "app-key:dc19", AUTH_MALFORMED },
        { "app-key:DC19424A29B38517F4C6C1C59E921CE4A0CEE1D403B94033CB50B395052470CF",
          AUTH_MALFORMED },
        { "app-key:gc19424a29b38517f4c6c1c59e921ce4a0cee1d403b94033cb50b395052470cf",
          AUTH_MALFORMED },
        { ":" SIG_A, AUTH_WRONG_KEY },
        { "App-key:" SIG_A, AUTH_WRONG_KEY },
        { "app-key2:" SIG_A, AUTH_WRONG_KEY },
        { "app-key:ec19424a29b38517f4c6c1c59e921ce4a0cee1d403b94033cb50b395052470cf",
          AUTH_MISMATCH },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum auth_verdict verdict = auth_check_channel(
            &app->keys, span_str(cases[i].auth), SPAN(SOCKET_ID), SPAN("private-orders.7"), absent);
        if (verdict != cases[i].verdict) fail_msg("\"%s\": %d", cases[i].auth, verdict);
        assert_true(strlen(auth_verdict_text(verdict)) > 10);
    }
    assert_int_equal(
        auth_check_channel(&app->keys, absent, SPAN(SOCKET_ID), SPAN("private-x"), absent),
        AUTH_MISSING);
}

/* Else the signature of the private channel `private-x:{…}` would be one for a member of
 * `private-x` (protocol page 2.2). */
static void channel_data_must_be_in_the_signature(void **state)
{
    const struct app *app = *state;
    struct buf auth = { 0 };
    auth_sign_channel(&app->keys, SPAN(SOCKET_ID), SPAN("private-x"), absent, &auth);
    struct span data = SPAN("{\"user_id\":\"1\"}");
    assert_int_equal(
        auth_check_channel(&app->keys, buf_span(&auth), SPAN(SOCKET_ID), SPAN("private-x"), data),
        AUTH_MISMATCH);
    assert_int_equal(auth_check_channel(&app->keys, buf_span(&auth), SPAN(SOCKET_ID),
                                        SPAN("private-x"), SPAN("")),
                     AUTH_OK);
    buf_fini(&auth);
}

static void any_secret_verifies_and_the_first_signs(void **state)
{
    (void)state;
    struct app rotated, old, other;
    app_open(&rotated, "app-key", "new-secret", "app-secret");
    app_open(&old, "app-key", "app-secret", NULL);
    app_open(&other, "app-key", "third-secret", NULL);
    struct span channel = SPAN("private-x"), id = SPAN(SOCKET_ID);
    struct buf by_old = { 0 }, by_new = { 0 };
    auth_sign_channel(&old.keys, id, channel, absent, &by_old);
    auth_sign_channel(&rotated.keys, id, channel, absent, &by_new);
    struct span o = buf_span(&by_old), n = buf_span(&by_new);
    assert_int_equal(auth_check_channel(&rotated.keys, o, id, channel, absent), AUTH_OK);
    assert_int_equal(auth_check_channel(&rotated.keys, n, id, channel, absent), AUTH_OK);
    assert_int_equal(auth_check_channel(&old.keys, n, id, channel, absent), AUTH_MISMATCH);
    assert_int_equal(auth_check_channel(&other.keys, o, id, channel, absent), AUTH_MISMATCH);
    buf_fini(&by_old);
    buf_fini(&by_new);
    app_close(&rotated);
    app_close(&old);
    app_close(&other);
}

/* --- API requests --- */

#define PARAM(k, v)                                                                                \
    {                                                                                              \
        SPAN(k), SPAN(v)                                                                           \
    }
#define AUTH_PARAMS                                                                                \
    PARAM("auth_key", "app-key"), PARAM("auth_timestamp", "1700000000"),                           \
        PARAM("auth_version", "1.0")
#define AUTH_TEXT "auth_key=app-key&auth_timestamp=1700000000&auth_version=1.0"

static void expect_text(struct auth_request req, const char *want)
{
    struct buf out = { 0 };
    assert_int_equal(auth_request_string(&req, &out), ERR_OK);
    assert_buf(&out, want);
    buf_fini(&out);
}

static struct auth_request request(const char *method, const char *path,
                                   const struct auth_param *params, size_t n)
{
    return (struct auth_request) { span_str(method), span_str(path), params, n, false };
}

static void expect_signed(const struct app *app, struct auth_request req, const char *want,
                          const char *signature)
{
    expect_text(req, want);
    char hex[SHA256_HEX_LEN];
    auth_sign_string(&app->keys, span_str(want), hex);
    assert_span(span_of(hex, sizeof hex), signature);
    assert_true(auth_check_string(&app->keys, span_str(signature), span_str(want)));
    hex[63] = hex[63] == '0' ? '1' : '0';
    assert_false(auth_check_string(&app->keys, span_of(hex, sizeof hex), span_str(want)));
    assert_false(auth_check_string(&app->keys, span_of(hex, 63), span_str(want)));
}

static void vector_d_publish(void **state)
{
    const struct auth_param params[] = { AUTH_PARAMS,
                                         PARAM("body_md5", "573403b777c2e9b3cff45f775a37e418"),
                                         PARAM("auth_signature", "whatever") };
    expect_signed(*state, request("POST", "/apps/app-id/events", params, ARRAY_LEN(params)),
                  "POST\n/apps/app-id/events\n" AUTH_TEXT
                  "&body_md5=573403b777c2e9b3cff45f775a37e418",
                  "09cc2bdfaead7deec1735d23249e5c787b87574143db9f07818d0c2d5dfed84f");
}

static void vector_e_any_order_of_parameters(void **state)
{
    const struct auth_param params[] = { PARAM("info", "user_count,subscription_count"),
                                         PARAM("filter_by_prefix", "presence-"),
                                         PARAM("auth_version", "1.0"),
                                         PARAM("auth_timestamp", "1700000000"),
                                         PARAM("auth_key", "app-key") };
    expect_signed(*state, request("GET", "/apps/app-id/channels", params, ARRAY_LEN(params)),
                  "GET\n/apps/app-id/channels\n" AUTH_TEXT
                  "&filter_by_prefix=presence-&info=user_count,subscription_count",
                  "588fbe1cbc96a79509ea04babd1a58ef6aff37cb8da22ddb5dbe2dfb1cfcedf2");
}

static void vector_f_terminate(void **state)
{
    const struct auth_param params[] = { AUTH_PARAMS,
                                         PARAM("body_md5", "99914b932bd37a50b983c5e7c90ae93b") };
    expect_signed(
        *state,
        request("POST", "/apps/app-id/users/42/terminate_connections", params, ARRAY_LEN(params)),
        "POST\n/apps/app-id/users/42/terminate_connections\n" AUTH_TEXT
        "&body_md5=99914b932bd37a50b983c5e7c90ae93b",
        "5c90601b7ede27346da725838a3837f982e9712e07d793968f91dbc6d56670ac");
}

static void vector_i_arrays_capitals_and_spaces(void **state)
{
    const struct auth_param params[] = { PARAM("Name[]", "x"), AUTH_PARAMS, PARAM("Name[]", "y"),
                                         PARAM("info", "a b") };
    expect_signed(*state, request("GET", "/apps/app-id/channels", params, ARRAY_LEN(params)),
                  "GET\n/apps/app-id/channels\n" AUTH_TEXT "&info=a b&name=x,y",
                  "fb525d8085ba1283c78e8f7254f9e4abc55f25a5cc98587d1201336b300ba262");
}

static void the_official_example_signs_the_same(void **state)
{
    (void)state;
    struct app app;
    app_open(&app, "278d425bdf160c739803", "7ad3773142a6692b25b8", NULL);
    const struct auth_param params[] = {
        PARAM("auth_key", "278d425bdf160c739803"),
        PARAM("auth_timestamp", "1353088179"),
        PARAM("auth_version", "1.0"),
        PARAM("body_md5", "ec365a775a4cd0599faeb73354201b6f"),
    };
    expect_signed(&app, request("POST", "/apps/3/events", params, ARRAY_LEN(params)),
                  "POST\n/apps/3/events\nauth_key=278d425bdf160c739803&auth_timestamp=1353088179"
                  "&auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f",
                  "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c");
    app_close(&app);
}

static void vector_g_webhook(void **state)
{
    const struct app *app = *state;
    char hex[SHA256_HEX_LEN];
    auth_sign_string(&app->keys,
                     SPAN("{\"time_ms\":1700000000123,\"events\":[{\"name\":\"channel_occupied\","
                          "\"channel\":\"orders\"}]}"),
                     hex);
    assert_span(span_of(hex, sizeof hex),
                "9a9643f2f8b0ed829a06db8607338a30675bf728a1b21e2f5186ef85d1f2f4a8");
}

static void keys_can_keep_their_case(void **state)
{
    (void)state;
    const struct auth_param params[] = { PARAM("b", "1"), PARAM("Z", "2"), PARAM("a", "3") };
    struct auth_request req = request("GET", "/", params, ARRAY_LEN(params));
    expect_text(req, "GET\n/\na=3&b=1&z=2");
    req.keep_case = true;
    expect_text(req, "GET\n/\nZ=2&a=3&b=1");
}

static void route_names_are_left_out(void **state)
{
    (void)state;
    const struct auth_param params[] = { PARAM("appId", "1"), PARAM("appKey", "2"),
                                         PARAM("channelName", "3"), PARAM("appid", "4") };
    expect_text(request("GET", "/", params, ARRAY_LEN(params)), "GET\n/\nappid=4");
    expect_text(request("GET", "/", NULL, 0), "GET\n/\n");
}

static void array_values_keep_their_order(void **state)
{
    (void)state;
    const struct auth_param params[] = { PARAM("x[1]", "b"), PARAM("x[0]", "a"),
                                         PARAM("y[]", ""),   PARAM("X[k][l]", "c"),
                                         PARAM("[]", "d"),   PARAM("z]", "e"),
                                         PARAM("", "f") };
    expect_text(request("GET", "/", params, ARRAY_LEN(params)), "GET\n/\n=f&[]=d&x=b,a,c&y=&z]=e");
}

static void a_shorter_key_sorts_before_its_extension(void **state)
{
    (void)state;
    const struct auth_param params[] = { PARAM("ab", "1"), PARAM("a", "2"), PARAM("a\xc3\xa9", "3"),
                                         PARAM("a_", "4") };
    expect_text(request("GET", "/", params, ARRAY_LEN(params)),
                "GET\n/\na=2&a_=4&ab=1&a\xc3\xa9=3");
}

static void too_many_parameters_are_refused(void **state)
{
    (void)state;
    struct auth_param params[AUTH_MAX_PARAMS + 1];
    for (size_t i = 0; i < ARRAY_LEN(params); i++)
        params[i] = (struct auth_param) { SPAN("a"), SPAN("") };
    struct buf out = { 0 };
    struct auth_request req = request("GET", "/", params, ARRAY_LEN(params));
    assert_int_equal(auth_request_string(&req, &out), ERR_LIMIT);
    assert_int_equal(out.n, 0);
    req.n_params--;
    assert_int_equal(auth_request_string(&req, &out), ERR_OK);
    buf_fini(&out);
}

static void no_memory_is_reported(void **state)
{
    (void)state;
    struct buf out = { 0 };
    struct auth_request req = request("GET", "/", NULL, 0);
    mem_fail_after(0, true);
    enum err err = auth_request_string(&req, &out);
    mem_fail_after(-1, false);
    assert_int_equal(err, ERR_NOMEM);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channel_vectors_sign_and_verify),
        cmocka_unit_test(one_flipped_bit_anywhere_fails),
        cmocka_unit_test(the_user_vector_signs_and_verifies),
        cmocka_unit_test(the_vectors_of_the_official_pages_sign_the_same),
        cmocka_unit_test(every_wrong_form_of_auth_has_its_verdict),
        cmocka_unit_test(channel_data_must_be_in_the_signature),
        cmocka_unit_test(any_secret_verifies_and_the_first_signs),
        cmocka_unit_test(vector_d_publish),
        cmocka_unit_test(vector_e_any_order_of_parameters),
        cmocka_unit_test(vector_f_terminate),
        cmocka_unit_test(vector_i_arrays_capitals_and_spaces),
        cmocka_unit_test(the_official_example_signs_the_same),
        cmocka_unit_test(vector_g_webhook),
        cmocka_unit_test(keys_can_keep_their_case),
        cmocka_unit_test(route_names_are_left_out),
        cmocka_unit_test(array_values_keep_their_order),
        cmocka_unit_test(a_shorter_key_sorts_before_its_extension),
        cmocka_unit_test(too_many_parameters_are_refused),
        cmocka_unit_test(no_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, open_app, close_app);
}
