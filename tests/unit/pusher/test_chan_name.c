/* SPDX-License-Identifier: MIT
 * tests/unit/pusher/test_chan_name.c: kinds and rules of channel names (protocol page 2.1, 2.2). */
#include "pusher/chan_name.h"
#include "unit/test.h"

static void expect_kind(const char *name, enum chan_type type, bool cache, bool encrypted)
{
    struct chan_kind kind = chan_kind_of(span_str(name));
    if (kind.type == type && kind.cache == cache && kind.encrypted == encrypted) return;
    fail_msg("%s: type %d cache %d encrypted %d", name, kind.type, kind.cache, kind.encrypted);
}

static void the_prefix_gives_the_kind(void **state)
{
    (void)state;
    expect_kind("orders", CHAN_PUBLIC, false, false);
    expect_kind("", CHAN_PUBLIC, false, false);
    expect_kind("cache-btc", CHAN_PUBLIC, true, false);
    expect_kind("private-orders.7", CHAN_PRIVATE, false, false);
    expect_kind("private-cache-x", CHAN_PRIVATE, true, false);
    expect_kind("private-encrypted-vault", CHAN_PRIVATE, false, true);
    expect_kind("private-encrypted-cache-vault", CHAN_PRIVATE, true, true);
    expect_kind("presence-room.1", CHAN_PRESENCE, false, false);
    expect_kind("presence-cache-room", CHAN_PRESENCE, true, false);
    expect_kind("#server-to-user-42", CHAN_USER, false, false);
}

static void a_prefix_counts_at_the_start_and_with_its_dash_only(void **state)
{
    (void)state;
    const char *names[] = { "my-private-x",      "xcache-y",     "privateer",      "cachet",
                            "presences",         "a-presence-b", "Private-x",      "private",
                            "presence",          "cache",        "server-to-user", "#server-to",
                            "x#server-to-user-1" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) expect_kind(names[i], CHAN_PUBLIC, false, false);
    expect_kind("private-encryptedx", CHAN_PRIVATE, false, false);
    expect_kind("private-cachex", CHAN_PRIVATE, false, false);
    expect_kind("presence-cachex", CHAN_PRESENCE, false, false);
}

static void private_and_presence_need_a_signature(void **state)
{
    (void)state;
    assert_true(chan_needs_auth(chan_kind_of(SPAN("private-encrypted-cache-x"))));
    assert_true(chan_needs_auth(chan_kind_of(SPAN("presence-cache-x"))));
    assert_false(chan_needs_auth(chan_kind_of(SPAN("cache-x"))));
    assert_false(chan_needs_auth(chan_kind_of(SPAN("#server-to-user-1"))));
}

static void a_user_channel_names_its_user(void **state)
{
    (void)state;
    struct buf b = { 0 };
    chan_user_name(&b, SPAN("42"));
    assert_buf(&b, "#server-to-user-42");
    assert_span(chan_user_id(buf_span(&b)), "42");
    buf_fini(&b);
}

static const struct chan_name_rules strict = { .limit = 200, .strict = true };
static const struct chan_name_rules lenient = { .limit = 200, .strict = false };

static bool accepts(struct chan_name_rules rules, struct span name)
{
    struct buf why = { 0 };
    bool ok = chan_name_ok(name, rules, &why);
    assert_true(ok == (why.n == 0)); /* a refusal says why */
    buf_fini(&why);
    return ok;
}

static void strict_names_have_the_documented_characters(void **state)
{
    (void)state;
    assert_true(accepts(strict, SPAN("private-App.Models.User.1")));
    assert_true(accepts(strict, SPAN("Az09_-=@,.;")));
    assert_true(accepts(strict, SPAN("#server-to-user-a@b.c")));
    const char *bad[] = { "",
                          "a b",
                          "a:b",
                          "a/b",
                          "#x",
                          "a#",
                          "caf\xc3\xa9",
                          "a\x01",
                          "#server-to-user-",
                          " ",
                          "a\"",
                          "#server-to-user-#",
                          "#server-to-user-a b" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (accepts(strict, span_str(bad[i]))) fail_msg("accepted \"%s\"", bad[i]);
    assert_false(accepts(strict, SPAN("a\0b")));
}

static void lenient_names_have_any_printable_character(void **state)
{
    (void)state;
    const char *good[] = { "a b", "a:b/c", "#x", "caf\xc3\xa9", "\xf0\x9f\x9a\x80", "\xc2\xa0" };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!accepts(lenient, span_str(good[i]))) fail_msg("refused \"%s\"", good[i]);
    const char *bad[] = { "",         "a\nb",    "a\x7f",        "a\xc2\x85", "a\xc2\x9f",
                          "\xff",     "a\xc3",   "\xed\xa0\x80", "\xc0\xaf",  "#server-to-user-",
                          "\xe2\x82", "\xc2\x80" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (accepts(lenient, span_str(bad[i]))) fail_msg("accepted case %zu", i);
    assert_false(accepts(lenient, SPAN("a\0b")));
}

static void the_limit_counts_octets_and_is_named(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'x', sizeof name);
    struct buf why = { 0 };
    assert_true(chan_name_ok(span_of(name, 200), strict, &why));
    assert_false(chan_name_ok(span_of(name, 201), strict, &why));
    assert_buf(&why, "The channel name is longer than the allowed 200 characters. It has 201 "
                     "(option limits.channel_name).");
    buf_clear(&why);
    struct chan_name_rules no_limit = { .limit = 0, .strict = true };
    assert_true(chan_name_ok(span_of(name, sizeof name), no_limit, &why));
    buf_fini(&why);
}

static void a_bad_character_is_located(void **state)
{
    (void)state;
    struct buf why = { 0 };
    assert_false(chan_name_ok(SPAN("ab c"), strict, &why));
    assert_buf(&why, "The channel name has a character that is not allowed at offset 2. Allowed "
                     "are A-Z a-z 0-9 _ - = @ , . ; (option strict_channel_names).");
    buf_clear(&why);
    assert_false(chan_name_ok(SPAN("#server-to-user-a\tb"), lenient, &why));
    assert_buf(&why, "The channel name has an unprintable character at offset 17.");
    buf_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_prefix_gives_the_kind),
        cmocka_unit_test(a_prefix_counts_at_the_start_and_with_its_dash_only),
        cmocka_unit_test(private_and_presence_need_a_signature),
        cmocka_unit_test(a_user_channel_names_its_user),
        cmocka_unit_test(strict_names_have_the_documented_characters),
        cmocka_unit_test(lenient_names_have_any_printable_character),
        cmocka_unit_test(the_limit_counts_octets_and_is_named),
        cmocka_unit_test(a_bad_character_is_located),
    };
    return RUN_TESTS(tests);
}
