/* SPDX-License-Identifier: MIT
 * tests/unit/cli/test_sign_check.c: right signatures, and which mistake made a wrong one. What is
 * given here is signed by the test itself, with what somebody did by mistake. */
#include "base/mem.h"
#include "cli/sign_check.h"
#include "unit/test.h"

static struct span secrets[] = { SPAN("app-secret"), SPAN("older-secret") };
static struct span other_secrets[] = { SPAN("other-secret") };
static struct app_settings apps[] = {
    { .id = SPAN("app-id"), .key = SPAN("app-key"), .secrets = { secrets, 2 } },
    { .id = SPAN("other"), .key = SPAN("other-key"), .secrets = { other_secrets, 1 } },
};
static const struct config cfg = { .apps = apps, .n_apps = 2, .path_prefix = { "", 0 } };
static const struct target target = {
    .id = SPAN("app-id"),
    .key = SPAN("app-key"),
    .secrets = { secrets, 2 },
    .app = &apps[0],
    .cfg = &cfg,
};

static const struct signing private_channel = {
    .kind = SIGNING_CHANNEL,
    .socket_id = SPAN("1234.5678"),
    .channel = SPAN("private-orders.7"),
};
static const struct signing presence_channel = {
    .kind = SIGNING_CHANNEL,
    .socket_id = SPAN("1234.5678"),
    .channel = SPAN("presence-room.1"),
    .data = SPAN("{\"user_id\":42,\"user_info\":{\"name\":\"Zoë 🚀 a/b\"}}"),
};
static const struct signing user = {
    .kind = SIGNING_USER,
    .socket_id = SPAN("1234.5678"),
    .data = SPAN("{\"id\":\"42\"}"),
};
#define QUERY "auth_key=app-key&auth_timestamp=1700000000&auth_version=1.0"
#define MD5_OF_BODY "99914b932bd37a50b983c5e7c90ae93b"
static const struct signing post = {
    .kind = SIGNING_REQUEST,
    .method = SPAN("POST"),
    .path = SPAN("/apps/app-id/events"),
    .query = SPAN(QUERY "&body_md5=" MD5_OF_BODY),
    .body = SPAN("{}"),
};
static const struct signing get = {
    .kind = SIGNING_REQUEST,
    .method = SPAN("GET"),
    .path = SPAN("/apps/app-id/channels"),
    .query = SPAN("info=a%2Cb&" QUERY),
};
static const struct signing webhook = { .kind = SIGNING_WEBHOOK, .body = SPAN("{\"a\": \"b/c\"}") };

#define NOBODY "0000000000000000000000000000000000000000000000000000000000000000"

/* "right" or "wrong", and all sentences. */
static const char *check(const struct signing *s, const char *given)
{
    static char said[4000];
    struct sign_check c = { .ok = false };
    assert_int_equal(sign_check_run(&c, &target, s, span_str(given)), ERR_OK);
    int n = snprintf(said, sizeof said, "%s", c.ok ? "right" : "wrong");
    for (size_t i = 0; i < c.reasons.n; i++)
        n += snprintf(said + n, sizeof said - (size_t)n, "|%.*s", SPAN_FMT(c.reasons.items[i]));
    sign_check_fini(&c);
    if (strstr(said, "-secret")) fail_msg("a secret was printed: %s", said);
    return said;
}

/* The signature of a string with a secret, behind `before`. */
static const char *made(const char *before, const char *secret, const char *string)
{
    static char out[200];
    struct hmac_key *key = hmac_key_new(span_str(secret));
    struct span text = span_str(string);
    char hex[SHA256_HEX_LEN];
    assert_non_null(key);
    hmac_sha256_hex(key, &text, 1, hex);
    hmac_key_free(key);
    snprintf(out, sizeof out, "%s%.*s", before, SHA256_HEX_LEN, hex);
    return out;
}

#define SAYS(s, given, ...)                                                                        \
    says(check(s, given), __LINE__, (const char *const[]) { __VA_ARGS__, NULL })
static void says(const char *said, int line, const char *const *words)
{
    for (; *words; words++)
        if (!strstr(said, *words)) fail_msg("line %d: no '%s' in: %s", line, *words, said);
}

/* The string that is signed with the app's secret by mistake. */
#define SIGNED(s, before, string, ...)                                                             \
    SAYS(s, made(before, "app-secret", string), "wrong", "another string was signed", __VA_ARGS__)

static void what_the_protocol_page_gives_is_right(void **state)
{
    (void)state;
    assert_string_equal(
        check(&private_channel,
              "app-key:dc19424a29b38517f4c6c1c59e921ce4a0cee1d403b94033cb50b395052470cf"),
        "right");
    assert_string_equal(check(&presence_channel,
                              "6f416874395bd890d2cd20f0838b07a14af5271aaf789f6e5e20b604093cd2d6"),
                        "right");
    assert_string_equal(
        check(&user, made("app-key:", "app-secret", "1234.5678::user::{\"id\":\"42\"}")), "right");
    assert_string_equal(
        check(&post,
              made("", "app-secret", "POST\n/apps/app-id/events\n" QUERY "&body_md5=" MD5_OF_BODY)),
        "right");
    assert_string_equal(check(&webhook, made("", "app-secret", "{\"a\": \"b/c\"}")), "right");
}

static void the_form_is_explained(void **state)
{
    (void)state;
    const char *good = made("app-key:", "app-secret", "1234.5678:private-orders.7");
    char text[300];
    snprintf(text, sizeof text, " \"%s\"\n", good);
    SAYS(&private_channel, text, "wrong|there are quotes or white space", "but for that");
    snprintf(text, sizeof text, "%s", good);
    for (char *c = text + 8; *c; c++)
        if (*c >= 'a' && *c <= 'f') *c = (char)(*c - 'a' + 'A');
    SAYS(&private_channel, text, "wrong|there are capitals", "but for that");
    SAYS(&private_channel, "app-key:abc", "64 hexadecimal digits, this one has 3");
    SAYS(&private_channel, "app-key:99914b932bd37a50b983c5e7c90ae93b", "MD5");
    SAYS(&private_channel, "app-key:xyz", "no hexadecimal digit");
    SAYS(&private_channel, "app-key:", "there is no signature");
    SAYS(&private_channel, "", "there is no signature");
    SAYS(&private_channel, "app-key:3BlCSimzhRf0xsHFnpIc5KDO4dQDuUAzy1CzlQUkcM8=", "it is base64",
         "but for that");
    SAYS(&user, made("app-key::user:", "app-secret", "1234.5678::user::{\"id\":\"42\"}"),
         "more than one colon", "but for that");
}

static void a_wrong_key_is_named_but_no_secret(void **state)
{
    (void)state;
    const char *string = "1234.5678:private-orders.7";
    SAYS(&private_channel, made("nobody:", "app-secret", string), "'nobody'", "'app-key'",
         "but for that");
    SAYS(&private_channel, made("app-id:", "app-secret", string), "the app's id");
    SAYS(&private_channel, made("other-key:", "app-secret", string), "key of the app 'other'");
    SAYS(&private_channel, made("app-secret:", "app-secret", string), "is a secret");
    SAYS(&private_channel, made("other-secret:", "app-secret", string), "is a secret");
}

static void the_secret_is_found(void **state)
{
    (void)state;
    const char *string = "1234.5678:private-orders.7";
    SAYS(&private_channel, made("", "older-secret", string), "right|", "secret 2 of the app");
    SAYS(&private_channel, made("", "other-secret", string), "wrong|", "the app 'other'");
    SAYS(&private_channel, made("", "app-key", string), "wrong|", "key instead of its secret");
    SAYS(&private_channel, made("", "app-id", string), "wrong|", "id instead of its secret");
    SAYS(&private_channel, made("", "app-secret\n", string), "wrong|", "line feed behind it");
    SAYS(&private_channel, made("", "\"app-secret\"", string), "wrong|", "double quotes");
    SAYS(&private_channel, made("", "", string), "wrong|", "an empty secret");
    SAYS(&private_channel, made("", "nobody's", string), "wrong|", "not known here");
}

static void the_string_of_a_channel_is_found(void **state)
{
    (void)state;
    const char *room = "1234.5678:presence-room.1";
    char text[300];
    SIGNED(&presence_channel, "", room, "without channel_data");
    snprintf(text, sizeof text,
             "%s:{\"user_id\":42,\"user_info\":{\"name\":\"Zo\\u00eb \\ud83d\\ude80 a\\/b\"}}",
             room);
    SIGNED(&presence_channel, "", text, "channel_data written again", "(\\/)", "\\uXXXX");
    snprintf(text, sizeof text,
             "%s:{\"user_id\": 42, \"user_info\": {\"name\": \"Zo\\u00eb \\ud83d\\ude80 a/b\"}}",
             room);
    SIGNED(&presence_channel, "", text, "a space behind each", "\\uXXXX");
    SIGNED(&private_channel, "", "1234.5678:orders.7", "without its prefix");
    SIGNED(&private_channel, "", "private-orders.7:1234.5678", "wrong order");
    SIGNED(&private_channel, "", "1234.5678:private-orders.7\n", "line feed behind it");
    SIGNED(&private_channel, "", "1234.5678::user::", "sign-in");
    SIGNED(&user, "", "1234.5678:user:{\"id\":\"42\"}", "one colon instead of two");
    SIGNED(&user, "", "1234.5678:{\"id\":\"42\"}", "without `::user::`");
    SIGNED(&user, "", "1234.5678::user::{\"id\": \"42\"}", "user_data written again");
    SIGNED(&user, "", "1234.5678::user::\"{\\\"id\\\":\\\"42\\\"}\"", "encoded as JSON twice");
    SIGNED(&webhook, "", "{\"a\":\"b/c\"}", "the body written again", "no spaces");
    SIGNED(&webhook, "", "{\"a\": \"b/c\"}\n", "line feed");
}

static void the_string_of_a_request_is_found(void **state)
{
    (void)state;
    const char *path = "/apps/app-id/events\n";
    char text[400];
#define POST(method, path, query)                                                                  \
    (snprintf(text, sizeof text, "%s\n%s%s", method, path, query), text)
    SIGNED(&post, "", POST("GET", path, QUERY "&body_md5=" MD5_OF_BODY), "another method");
    SIGNED(&post, "", POST("post", path, QUERY "&body_md5=" MD5_OF_BODY), "lower case");
    SIGNED(&post, "", POST("POST", path, QUERY), "without body_md5");
    SIGNED(&post, "", POST("POST", path, QUERY "&body_md5=d41d8cd98f00b204e9800998ecf8427e"),
           "empty body");
    SIGNED(&post, "", POST("POST", path, QUERY "&body_md5=8a80554c91d9fca8acb82f023de02f11"),
           "body with a line feed behind it");
    SIGNED(&post, "", POST("POST", "/apps/app-id/events/\n", QUERY "&body_md5=" MD5_OF_BODY),
           "slash at its end");
    SIGNED(&post, "", "POST\\n/apps/app-id/events\\n" QUERY "&body_md5=" MD5_OF_BODY,
           "backslash and an n");
    SIGNED(&get, "", "GET\n/apps/app-id/channels\ninfo=a%2Cb&" QUERY, "not sorted");
#undef POST
}

static void what_peal_takes_besides_is_right(void **state)
{
    (void)state;
    struct signing prefixed = post;
    prefixed.prefix = SPAN("/ws");
    SAYS(&prefixed,
         made("", "app-secret", "POST\n/ws/apps/app-id/events\n" QUERY "&body_md5=" MD5_OF_BODY),
         "right|", "with the prefix", "Peal accepts that");
    SAYS(&get, made("", "app-secret", "GET\n/apps/app-id/channels\n" QUERY "&info=a%2Cb"), "right|",
         "as they are encoded");
}

static void assert_says(const struct sentences *out, size_t i, const char *word)
{
    if (!memmem(out->items[i].p, out->items[i].n, word, strlen(word)))
        fail_msg("no '%s' in: %.*s", word, (int)out->items[i].n, out->items[i].p);
}

static void what_else_is_wrong_with_a_query_is_said(void **state)
{
    (void)state;
    struct signing s = post;
    struct sentences out = { .n = 0 };
    s.path = SPAN("/apps/nobody/events");
    s.query = SPAN("auth_key=x&auth_version=2&auth_timestamp=1700000000&body_md5=abc");
    sign_check_query(&target, &s, &out);
    sign_check_clock(&target, &s, 1700000000, &out);
    assert_int_equal(out.n, 4); /* the clock is right */
    assert_says(&out, 0, "auth_key");
    assert_says(&out, 1, "auth_version");
    assert_says(&out, 2, MD5_OF_BODY);
    assert_says(&out, 3, "nobody");
    sentences_fini(&out);
    struct config strict = cfg;
    struct target t = target;
    t.cfg = &strict;
    strict.auth_timestamp_window_s = 600;
    sign_check_clock(&t, &s, 1700000600, &out);
    assert_int_equal(out.n, 0);
    sign_check_clock(&t, &s, 1700000601, &out);
    buf_add_byte(&out.items[0], '\0');
    assert_says(&out, 0, "601 s behind");
    sentences_fini(&out);
}

/* Every allocation fails once; nothing leaks, and a verdict is either complete or none. */
static void without_memory_there_is_no_verdict(void **state)
{
    (void)state;
    static const struct signing *const all[] = { &presence_channel, &user, &post, &webhook };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        long n = 0, failed = 1;
        for (; failed && n < 20000; n += n < 200 ? 1 : 97) {
            struct sign_check c = { .ok = false };
            mem_fail_after(n, false);
            enum err err = sign_check_run(&c, &target, all[i], span_str(NOBODY));
            failed = mem_fail_count();
            mem_fail_after(-1, false);
            if (failed && err != ERR_NOMEM) fail_msg("kind %zu, allocation %ld", i, n);
            if (!failed) assert_int_equal(err, ERR_OK);
            sign_check_fini(&c);
        }
        assert_int_equal(failed, 0); /* it came to an end */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_protocol_page_gives_is_right),
        cmocka_unit_test(the_form_is_explained),
        cmocka_unit_test(a_wrong_key_is_named_but_no_secret),
        cmocka_unit_test(the_secret_is_found),
        cmocka_unit_test(the_string_of_a_channel_is_found),
        cmocka_unit_test(the_string_of_a_request_is_found),
        cmocka_unit_test(what_peal_takes_besides_is_right),
        cmocka_unit_test(what_else_is_wrong_with_a_query_is_said),
        cmocka_unit_test(without_memory_there_is_no_verdict),
    };
    return RUN_TESTS(tests);
}
