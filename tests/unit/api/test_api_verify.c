/* SPDX-License-Identifier: MIT
 * tests/unit/api/test_api_verify.c: signatures of requests: the vectors of the protocol page 3.3,
 * what libraries do differently, and which check a refusal names. */
#include "unit/api/ask.h"

#define AUTH "auth_key=app-key&auth_timestamp=1700000000&auth_version=1.0"
#define FAILED "The secret authentication failed: "
#define BODY_D                                                                                     \
    "{\"name\":\"order.shipped\",\"channels\":[\"orders\",\"private-orders.7\"],\"data\":\"{"      \
    "\\\"id\\\":7,\\\"ok\\\":true}\"}"
#define MD5_D "573403b777c2e9b3cff45f775a37e418"
#define SIGN_D "09cc2bdfaead7deec1735d23249e5c787b87574143db9f07818d0c2d5dfed84f"
#define SIGN_E "588fbe1cbc96a79509ea04babd1a58ef6aff37cb8da22ddb5dbe2dfb1cfcedf2"
#define SIGN_F "5c90601b7ede27346da725838a3837f982e9712e07d793968f91dbc6d56670ac"
#define SIGN_I "fb525d8085ba1283c78e8f7254f9e4abc55f25a5cc98587d1201336b300ba262"

static void vector_d_publishes(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(strlen(BODY_D), 97);
    rig_raw(rig, "POST", "/apps/app-id/events?" AUTH "&body_md5=" MD5_D "&auth_signature=" SIGN_D,
            BODY_D);
    assert_answer(rig, 200, "{}");
}

/* Writes the five parameters of vector D in one of their 120 orders, with `before` before the one
 * at `place` (5: behind the last). */
static void write_order(struct buf *target, unsigned order, const char *before, size_t place)
{
    const char *params[] = { "auth_key=app-key", "auth_timestamp=1700000000", "auth_version=1.0",
                             "body_md5=" MD5_D, "auth_signature=" SIGN_D };
    buf_clear(target);
    BUF_ADD_LIT(target, "/apps/app-id/events?");
    for (unsigned left = 5, i = 0; left; left--, i++) {
        unsigned take = order % left;
        order /= left;
        if (i) buf_add_byte(target, '&');
        if (i == place) buf_add_span(target, span_str(before));
        buf_add_span(target, span_str(params[take]));
        params[take] = params[left - 1];
    }
    if (place == 5) buf_add_span(target, span_str(before));
    buf_add_byte(target, '\0');
}

static void parameters_may_stand_in_any_order(void **state)
{
    struct rig *rig = *state;
    struct buf target = { 0 };
    for (unsigned order = 0; order < 120; order++) {
        write_order(&target, order, "", 0);
        rig_raw(rig, "POST", target.p, BODY_D);
        assert_answer(rig, 200, "{}");
        for (size_t place = 0; place <= 5; place++) { /* empty pairs are no parameters */
            write_order(&target, order, "&", place);
            rig_raw(rig, "POST", target.p, BODY_D);
            assert_answer(rig, 200, "{}");
        }
    }
    buf_fini(&target);
}

static void what_is_not_signed_is_refused_in_any_order(void **state)
{
    struct rig *rig = *state;
    struct buf target = { 0 };
    static const char other_body[] = BODY_D " ";
    for (unsigned order = 0; order < 120; order++) {
        write_order(&target, order, "", 0);
        rig_raw(rig, "POST", target.p, other_body);
        assert_int_equal(rig->status, 401);
        write_order(&target, order, order % 2 ? "&x=1" : "&x", 5);
        rig_raw(rig, "POST", target.p, BODY_D);
        assert_int_equal(rig->status, 401);
        write_order(&target, order, "body_md5=" MD5_D "&", order % 5);
        rig_raw(rig, "POST", target.p, BODY_D);
        assert_int_equal(rig->status, 401);
    }
    buf_fini(&target);
}

static void vector_e_with_raw_and_encoded_comma(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET",
            "/apps/app-id/channels?" AUTH "&filter_by_prefix=presence-"
            "&info=user_count,subscription_count&auth_signature=" SIGN_E,
            NULL);
    assert_answer(rig, 200, "{\"channels\":{}}");
    rig_raw(rig, "GET",
            "/apps/app-id/channels?auth_signature=" SIGN_E "&info=user_count%2Csubscription_count&"
            "filter_by_prefix=presence-&" AUTH,
            NULL);
    assert_answer(rig, 200, "{\"channels\":{}}");
}

static void vector_f_terminates(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "POST",
            "/apps/app-id/users/42/terminate_connections?" AUTH
            "&body_md5=99914b932bd37a50b983c5e7c90ae93b&auth_signature=" SIGN_F,
            "{}");
    assert_answer(rig, 200, "{}");
}

static void vector_i_arrays_case_and_space(void **state)
{
    struct rig *rig = *state;
    const char *queries[] = { "Name[]=x&Name[]=y&info=a%20b", "Name%5B%5D=x&Name%5b%5d=y&info=a+b",
                              "info=a%20b&Name[0]=x&Name[1]=y" };
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        char target[512];
        snprintf(target, sizeof target, "/apps/app-id/channels?%s&%s&auth_signature=%s", queries[i],
                 AUTH, SIGN_I);
        rig_raw(rig, "GET", target, NULL);
        assert_answer(rig, 200, "{\"channels\":{}}");
    }
}

/* Signs `string` and asks with the target. */
static void ask_signed(struct rig *rig, const char *target, const char *string)
{
    char hex[SHA256_HEX_LEN], whole[1024];
    auth_sign_string(&rig_app(rig)->rules->keys, span_str(string), hex);
    snprintf(whole, sizeof whole, "%s&auth_signature=%.*s", target, SHA256_HEX_LEN, hex);
    rig_raw(rig, "GET", whole, NULL);
}

static void what_libraries_sign_differently_is_accepted(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *target, *string;
    } cases[] = {
        /* keys not lower-cased */
        { "/apps/app-id/channels?" AUTH "&Info=x", "GET\n/apps/app-id/channels\nInfo=x&" AUTH },
        /* values raw */
        { "/apps/app-id/channels?" AUTH "&info=a%2Cb",
          "GET\n/apps/app-id/channels\n" AUTH "&info=a%2Cb" },
        /* the path decoded, and as sent */
        { "/apps/app-id/channels/a%2Cb?" AUTH, "GET\n/apps/app-id/channels/a,b\n" AUTH },
        { "/apps/app-id/channels/a%2Cb?" AUTH, "GET\n/apps/app-id/channels/a%2Cb\n" AUTH },
        /* + is itself, or a space */
        { "/apps/app-id/channels?" AUTH "&info=a+b",
          "GET\n/apps/app-id/channels\n" AUTH "&info=a+b" },
        { "/apps/app-id/channels?" AUTH "&info=a+b",
          "GET\n/apps/app-id/channels\n" AUTH "&info=a b" },
        /* names of route parameters are not signed */
        { "/apps/app-id/channels?" AUTH "&appId=app-id", "GET\n/apps/app-id/channels\n" AUTH },
        /* a lonely % means itself */
        { "/apps/app-id/channels?" AUTH "&info=50%",
          "GET\n/apps/app-id/channels\n" AUTH "&info=50%" },
        /* no body, but its md5 */
        { "/apps/app-id/channels?" AUTH "&body_md5=d41d8cd98f00b204e9800998ecf8427e",
          "GET\n/apps/app-id/channels\n" AUTH "&body_md5=d41d8cd98f00b204e9800998ecf8427e" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ask_signed(rig, cases[i].target, cases[i].string);
        if (rig->status != 200) print_error("%s\n", cases[i].string);
        assert_int_equal(rig->status, 200);
    }
}

static void a_prefix_may_be_signed_or_not(void **state)
{
    struct rig *rig = *state;
    api_free(rig->api);
    rig->set.path_prefix = SPAN("/ws");
    assert_int_equal(api_new(&rig->api, &rig->set), ERR_OK);
    ask_signed(rig, "/ws/apps/app-id/channels?" AUTH, "GET\n/apps/app-id/channels\n" AUTH);
    assert_int_equal(rig->status, 200);
    ask_signed(rig, "/ws/apps/app-id/channels?" AUTH, "GET\n/ws/apps/app-id/channels\n" AUTH);
    assert_int_equal(rig->status, 200);
    ask_signed(rig, "/ws/apps/app-id/channels?" AUTH, "GET\n/other/apps/app-id/channels\n" AUTH);
    assert_int_equal(rig->status, 401);
}

/* The value counts as it was signed: here %2D stands for itself, so no channel begins so. */
static void values_are_understood_as_they_were_signed(void **state)
{
    struct rig *rig = *state;
    rig_subscribe(rig, rig_connect(rig, 1, 2), "my-orders", NULL);
    const char *target = "/apps/app-id/channels?" AUTH "&filter_by_prefix=my%2D";
    ask_signed(rig, target, "GET\n/apps/app-id/channels\n" AUTH "&filter_by_prefix=my-");
    assert_true(rig_has(rig->body, "my-orders"));
    ask_signed(rig, target, "GET\n/apps/app-id/channels\n" AUTH "&filter_by_prefix=my%2D");
    assert_answer(rig, 200, "{\"channels\":{}}");
}

static void missing_and_doubled_parameters_are_named(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET", "/apps/app-id/channels", NULL);
    assert_refused(rig, 401, FAILED "auth_key is missing in the query (request of app 'app-id').");
    rig_raw(rig, "GET", "/apps/app-id/channels?auth_key=app-key", NULL);
    assert_refused(rig, 401,
                   FAILED "auth_timestamp is missing in the query (request of app 'app-id').");
    rig_raw(rig, "GET", "/apps/app-id/channels?" AUTH, NULL);
    assert_refused(rig, 401,
                   FAILED "auth_signature is missing in the query (request of app 'app-id').");
    rig_raw(rig, "GET", "/apps/app-id/channels?" AUTH "&auth_key=app-key", NULL);
    assert_refused(rig, 401,
                   FAILED "auth_key is more than once in the query (request of app 'app-id').");
}

static void key_version_and_time_are_checked(void **state)
{
    struct rig *rig = *state;
    const char *tail = "&auth_signature=" SIGN_E;
    char target[512];
    snprintf(target, sizeof target, "/apps/app-id/channels?auth_key=other&%s%s",
             "auth_timestamp=1700000000&auth_version=1.0", tail);
    rig_raw(rig, "GET", target, NULL);
    assert_refused(rig, 401, FAILED "auth_key 'other' is not the key (request of app 'app-id').");
    snprintf(target, sizeof target, "/apps/app-id/channels?auth_key=app-key&%s%s",
             "auth_timestamp=1700000000&auth_version=2.0", tail);
    rig_raw(rig, "GET", target, NULL);
    assert_refused(rig, 401, FAILED "auth_version is not 1.0 (request of app 'app-id').");
    snprintf(target, sizeof target, "/apps/app-id/channels?auth_key=app-key&%s%s",
             "auth_timestamp=soon&auth_version=1.0", tail);
    rig_raw(rig, "GET", target, NULL);
    assert_refused(rig, 401,
                   FAILED "auth_timestamp is not a number of seconds (request of app 'app-id').");
}

static void the_skew_is_measured(void **state)
{
    struct rig *rig = *state;
    char target[] = "/apps/app-id/channels?" AUTH "&filter_by_prefix=presence-"
                    "&info=user_count,subscription_count&auth_signature=" SIGN_E;
    rig->unix_s = RIG_UNIX_S + 600;
    rig_raw(rig, "GET", target, NULL);
    assert_int_equal(rig->status, 200);
    rig->unix_s = RIG_UNIX_S + 601;
    rig_raw(rig, "GET", target, NULL);
    assert_refused(rig, 401,
                   FAILED "auth_timestamp is 601 s behind the server's clock; "
                          "auth_timestamp_window_s allows 600 (request of app 'app-id').");
    rig->unix_s = RIG_UNIX_S - 1000;
    rig_raw(rig, "GET", target, NULL);
    assert_refused(rig, 401,
                   FAILED "auth_timestamp is 1000 s ahead of the server's clock; "
                          "auth_timestamp_window_s allows 600 (request of app 'app-id').");
}

static void without_a_window_any_time_will_do(void **state)
{
    struct rig *rig = *state;
    api_free(rig->api);
    rig->set.auth_window_s = 0;
    assert_int_equal(api_new(&rig->api, &rig->set), ERR_OK);
    rig->unix_s = 5;
    rig_raw(rig, "POST", "/apps/app-id/events?" AUTH "&body_md5=" MD5_D "&auth_signature=" SIGN_D,
            BODY_D);
    assert_int_equal(rig->status, 200);
}

static void a_wrong_signature_is_refused_before_the_body(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "POST", "/apps/app-id/events?" AUTH "&body_md5=" MD5_D "&auth_signature=" SIGN_E,
            BODY_D);
    assert_true(rig->call.refused);
    assert_int_equal(rig->status, 401);
    assert_true(rig_has(rig->body, FAILED "auth_signature does not match."));
    assert_false(rig_has(rig->body, MD5_D)); /* not explained */
    assert_false(rig_has(rig->body, "app-secret"));
}

static void in_explain_mode_the_string_is_told(void **state)
{
    struct rig *rig = *state;
    api_free(rig->api);
    rig->set.explain = true;
    assert_int_equal(api_new(&rig->api, &rig->set), ERR_OK);
    rig_raw(rig, "POST", "/apps/app-id/events?" AUTH "&body_md5=" MD5_D "&auth_signature=" SIGN_E,
            BODY_D);
    assert_refused(rig, 401,
                   FAILED "auth_signature does not match. Is it made with the secret of this app? "
                          "Expected is the HMAC-SHA256, keyed with the secret, of the string "
                          "\\\"POST\\n/apps/app-id/events\\n" AUTH "&body_md5=" MD5_D
                          "\\\" (request of app 'app-id').");
}

static void a_secret_sent_as_the_key_is_not_repeated(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET",
            "/apps/app-id/channels?auth_key=app-secret&auth_timestamp=1700000000&auth_version=1.0"
            "&auth_signature=x",
            NULL);
    assert_int_equal(rig->status, 401);
    assert_true(rig_has(rig->body, "auth_key is an app's secret instead of its key"));
    assert_false(rig_has(rig->body, "app-secret"));
    assert_false(rig_has(api_why(rig->api), "app-secret"));
}

static void upper_case_and_short_signatures_are_refused(void **state)
{
    struct rig *rig = *state;
    char target[512];
    snprintf(target, sizeof target, "/apps/app-id/events?%s&body_md5=%s&auth_signature=%s", AUTH,
             MD5_D, SIGN_D);
    char *signature = strstr(target, SIGN_D);
    signature[2] = 'C'; /* 09c… */
    rig_raw(rig, "POST", target, BODY_D);
    assert_int_equal(rig->status, 401);
    signature[2] = 'c';
    rig_raw(rig, "POST", target, BODY_D);
    assert_int_equal(rig->status, 200);
    signature[63] = '\0';
    rig_raw(rig, "POST", target, BODY_D);
    assert_int_equal(rig->status, 401);
}

static void another_body_than_the_signed_one_is_refused(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "POST", "/apps/app-id/events?" AUTH "&body_md5=" MD5_D "&auth_signature=" SIGN_D,
            "{}");
    assert_refused(rig, 401,
                   FAILED "body_md5 is '" MD5_D "'; the MD5 of the body that arrived (2 bytes) is "
                          "99914b932bd37a50b983c5e7c90ae93b (request of app 'app-id').");
    rig_raw(rig, "POST", "/apps/app-id/events?" AUTH "&body_md5=" MD5_D "&auth_signature=" SIGN_D,
            "");
    assert_int_equal(rig->status, 401);
}

static void a_body_without_body_md5_is_refused(void **state)
{
    struct rig *rig = *state;
    char hex[SHA256_HEX_LEN], target[512];
    auth_sign_string(&rig_app(rig)->rules->keys, SPAN("POST\n/apps/app-id/events\n" AUTH), hex);
    snprintf(target, sizeof target, "/apps/app-id/events?%s&auth_signature=%.*s", AUTH,
             SHA256_HEX_LEN, hex);
    rig_raw(rig, "POST", target, "{}");
    assert_refused(rig, 401,
                   FAILED "body_md5 is missing in the query; the MD5 of the body that arrived (2 "
                          "bytes) is 99914b932bd37a50b983c5e7c90ae93b (request of app 'app-id').");
}

static void too_many_parameters_are_refused(void **state)
{
    struct rig *rig = *state;
    static const int counts[] = { 65, 66, 200, 1000 };
    for (size_t n = 0; n < ARRAY_LEN(counts); n++) {
        struct buf target = { 0 };
        char said[160];
        BUF_ADD_LIT(&target, "/apps/app-id/channels?");
        for (int i = 0; i < counts[n]; i++) BUF_ADD_LIT(&target, "a=1&");
        buf_add_byte(&target, '\0');
        rig_raw(rig, "GET", target.p, NULL);
        buf_fini(&target);
        snprintf(said, sizeof said,
                 "{\"error\":\"The query has %d parameters; at most 64 are read, so that they can "
                 "be signed.\",\"code\":400}",
                 counts[n]);
        assert_answer(rig, 400, said);
    }
}

static void the_second_secret_verifies_too(void **state)
{
    struct rig *rig = *state;
    static struct span secrets[] = { { "new", 3 }, { "app-secret", 10 } };
    rig_stop(rig);
    rig_init(rig);
    rig->settings[0].secrets = (struct span_list) { secrets, 2 };
    rig_start(rig);
    rig_raw(rig, "POST", "/apps/app-id/events?" AUTH "&body_md5=" MD5_D "&auth_signature=" SIGN_D,
            BODY_D);
    assert_int_equal(rig->status, 200);
    rig_post(rig, "/events", BODY_D); /* signed with the first */
    assert_int_equal(rig->status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(vector_d_publishes),
        RIG_TEST(parameters_may_stand_in_any_order),
        RIG_TEST(what_is_not_signed_is_refused_in_any_order),
        RIG_TEST(vector_e_with_raw_and_encoded_comma),
        RIG_TEST(vector_f_terminates),
        RIG_TEST(vector_i_arrays_case_and_space),
        RIG_TEST(what_libraries_sign_differently_is_accepted),
        RIG_TEST(a_prefix_may_be_signed_or_not),
        RIG_TEST(values_are_understood_as_they_were_signed),
        RIG_TEST(missing_and_doubled_parameters_are_named),
        RIG_TEST(key_version_and_time_are_checked),
        RIG_TEST(the_skew_is_measured),
        RIG_TEST(without_a_window_any_time_will_do),
        RIG_TEST(a_wrong_signature_is_refused_before_the_body),
        RIG_TEST(in_explain_mode_the_string_is_told),
        RIG_TEST(a_secret_sent_as_the_key_is_not_repeated),
        RIG_TEST(upper_case_and_short_signatures_are_refused),
        RIG_TEST(another_body_than_the_signed_one_is_refused),
        RIG_TEST(a_body_without_body_md5_is_refused),
        RIG_TEST(too_many_parameters_are_refused),
        RIG_TEST(the_second_secret_verifies_too),
    };
    return RUN_TESTS(tests);
}
