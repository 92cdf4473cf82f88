/* SPDX-License-Identifier: MIT
 * tests/unit/api/test_api_guess.c: what a wrong signature is told about itself, and how often. */
#include "unit/api/ask.h"

#define AUTH "auth_key=app-key&auth_timestamp=1700000000&auth_version=1.0"
#define OF_POST "d971503b2891abed9a29da8474799e7940ec4449c80757968465094766a0c627"
#define NO_SECRET "215cffdb41530287c0ca918061fc3641c1b31af7766aa87efe923e9bfd1d0827"

static void get_signed(struct rig *rig, const char *signature)
{
    char target[512];
    snprintf(target, sizeof target, "/apps/app-id/channels?info=user_count&%s&auth_signature=%s",
             AUTH, signature);
    rig_raw(rig, "GET", target, NULL);
    assert_int_equal(rig->status, 401);
}

static void assert_told(struct rig *rig, const char *words)
{
    if (!rig_has(rig->body, words)) fail_msg("%s: %.*s", words, SPAN_FMT(rig->body));
    assert_false(rig_has(rig->body, "app-secret"));
}

static void a_wrong_signature_is_told_which_part_differs(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *words, *signature;
    } rows[] = {
        { "It was made for the method POST, the request's is GET.", OF_POST },
        { "It was made for the path '/apps/app-id/channels/', the request's is "
          "'/apps/app-id/channels'.",
          "f1428f7eea2a2fb4cf1bfe64310d649cbaa3615762d7fde4197e5a74d36a6487" },
        { "It was made for the path 'apps/app-id/channels',",
          "18e8b8f27199b9c40a809392d077a26a0c28f7d4e153cffcb7aa0566af91c031" },
        { "It was made without the parameter 'info'.",
          "f5cc9dde83ebbd9328d72e076c2b869cdffad888c45f61285077cfc4ca1eca65" },
        { "It was made over parameters that are not sorted by their names.",
          "398edffaa34f8fc6686d3e3d82b0aea3a564b469b6d8f18860205adff4915de6" },
        { "It was made with the app's key instead of its secret.",
          "483486477e63899f2288732b8a40585c77b440c2433fba54bce497f164fbfad0" },
        { "It was made with the app's id instead of its secret.",
          "b5330ade329375b952382aec7a50980c8b250f5a627eb42c68cf5f3d20a2a1ae" },
        { "It is right but for its case: it must be lower-case hexadecimal.",
          "2E5EE67665E63D2E7BBC48DDAA6507ADDBDE830470CBCEEEFE1B0553B0ED9F01" },
        { "Is it made with the secret of this app?", NO_SECRET },
        { "It has 4 characters, an HMAC-SHA256 in hexadecimal has 64.", "abcd" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        get_signed(rig, rows[i].signature);
        assert_told(rig, rows[i].words);
    }
}

static void the_search_is_made_for_few_wrong_signatures_of_a_second(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < 10; i++) {
        get_signed(rig, OF_POST);
        assert_told(rig, "It was made for the method POST");
    }
    for (unsigned i = 0; i < 3; i++) {
        get_signed(rig, OF_POST);
        assert_told(rig, "Which part differs was not looked for: there are more than 10 wrong "
                         "signatures in this second. Expected is the HMAC-SHA256");
        assert_false(rig_has(rig->body, "method POST"));
    }
    rig->unix_s++;
    get_signed(rig, OF_POST);
    assert_told(rig, "It was made for the method POST");
}

static void what_costs_nothing_is_told_always(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < 11; i++) get_signed(rig, NO_SECRET);
    get_signed(rig, "abcd");
    assert_told(rig, "It has 4 characters, an HMAC-SHA256 in hexadecimal has 64.");
}

static void right_and_otherwise_wrong_requests_do_not_use_up_the_searches(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < 20; i++) {
        rig_get(rig, "/channels", NULL);
        assert_int_equal(rig->status, 200);
        rig_raw(rig, "GET", "/apps/app-id/channels?auth_key=other&auth_timestamp=1", NULL);
        assert_int_equal(rig->status, 401);
    }
    get_signed(rig, OF_POST);
    assert_told(rig, "It was made for the method POST");
}

static void explaining_is_no_reason_to_search_more_often(void **state)
{
    struct rig *rig = *state;
    rig->set.explain = true;
    api_change(rig->api, &rig->set);
    for (unsigned i = 0; i < 11; i++) get_signed(rig, OF_POST);
    assert_told(rig, "Which part differs was not looked for");
    assert_told(rig, "of the string \\\"GET\\n/apps/app-id/channels\\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_wrong_signature_is_told_which_part_differs),
        RIG_TEST(the_search_is_made_for_few_wrong_signatures_of_a_second),
        RIG_TEST(what_costs_nothing_is_told_always),
        RIG_TEST(right_and_otherwise_wrong_requests_do_not_use_up_the_searches),
        RIG_TEST(explaining_is_no_reason_to_search_more_often),
    };
    return RUN_TESTS(tests);
}
