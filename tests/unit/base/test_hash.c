/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_hash.c: digests and encodings against published vectors. */
#include "base/hash.h"
#include "base/mem.h"
#include "unit/test.h"

static void assert_signature(struct span secret, struct span text, const char *want)
{
    struct hmac_key *key = hmac_key_new(secret);
    assert_non_null(key);
    char hex[SHA256_HEX_LEN];
    for (size_t cut = 0; cut <= text.n; cut += text.n / 7 + 1) { /* parts do not matter */
        struct span parts[] = { span_head(text, cut), span_skip(text, cut) };
        hmac_sha256_hex(key, parts, ARRAY_LEN(parts), hex);
        assert_span(span_of(hex, sizeof hex), want);
    }
    hmac_key_free(key);
}

/* Signatures as Pusher's libraries make them: key app-key, secret app-secret, socket 1234.5678. */
static void channel_and_user_signatures_match_the_worked_examples(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "1234.5678:private-orders.7",
          "dc19424a29b38517f4c6c1c59e921ce4a0cee1d403b94033cb50b395052470cf" },
        { "1234.5678:presence-room.1:{\"user_id\":\"42\",\"user_info\":{\"name\":\"Ann Lee\"}}",
          "ce6e93ec63376bec3962c1eced6ed49a60c49b579ce3e45f9b6552f230224b0a" },
        { "1234.5678:presence-room.1:{\"user_id\":42,\"user_info\":{\"name\":\"Zo\\u00eb "
          "\\ud83d\\ude80 a\\/b\"}}",
          "59da05c7f04b9b7eb5e782052b623bcae041762423f217ff695e4e4576ca4239" },
        { "1234.5678:presence-room.1:{\"user_id\":42,\"user_info\":{\"name\":\"Zo\xc3\xab "
          "\xf0\x9f\x9a\x80 a/b\"}}",
          "6f416874395bd890d2cd20f0838b07a14af5271aaf789f6e5e20b604093cd2d6" },
        { "1234.5678::user::{\"id\":\"42\",\"user_info\":{\"name\":\"Ann Lee\"},\"watchlist\":"
          "[\"7\",\"9\"]}",
          "0fefadba66ae3b57e632310ad322f8981e0ce750fc799196c416d6763b91831e" },
        { "1234.5678:private-encrypted-vault",
          "4053c190e5d8c41a6c0caea978423aba7191f9da573e8dd87bca52321a5b26b3" },
        { "{\"time_ms\":1700000000123,\"events\":[{\"name\":\"channel_occupied\",\"channel\":"
          "\"orders\"}]}",
          "9a9643f2f8b0ed829a06db8607338a30675bf728a1b21e2f5186ef85d1f2f4a8" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_signature(SPAN("app-secret"), span_str(cases[i].text), cases[i].want);
}

#define AUTH "auth_key=app-key&auth_timestamp=1700000000&auth_version=1.0&"

static void http_api_signatures_match_the_worked_examples(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "POST\n/apps/app-id/events\n" AUTH "body_md5=573403b777c2e9b3cff45f775a37e418",
          "09cc2bdfaead7deec1735d23249e5c787b87574143db9f07818d0c2d5dfed84f" },
        { "GET\n/apps/app-id/channels\n" AUTH
          "filter_by_prefix=presence-&info=user_count,subscription_count",
          "588fbe1cbc96a79509ea04babd1a58ef6aff37cb8da22ddb5dbe2dfb1cfcedf2" },
        { "POST\n/apps/app-id/users/42/terminate_connections\n" AUTH
          "body_md5=99914b932bd37a50b983c5e7c90ae93b",
          "5c90601b7ede27346da725838a3837f982e9712e07d793968f91dbc6d56670ac" },
        { "GET\n/apps/app-id/channels\n" AUTH "info=a b&name=x,y",
          "fb525d8085ba1283c78e8f7254f9e4abc55f25a5cc98587d1201336b300ba262" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_signature(SPAN("app-secret"), span_str(cases[i].text), cases[i].want);
}

static void signatures_match_the_examples_of_pushers_documentation(void **state)
{
    (void)state;
    struct span secret = SPAN("7ad3773142a6692b25b8");
    assert_signature(secret, SPAN("1234.1234:private-foobar"),
                     "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4");
    assert_signature(secret, SPAN("1234.1234::user::{\"id\":\"12345\"}"),
                     "4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba");
    assert_signature(secret,
                     SPAN("POST\n/apps/3/events\nauth_key=278d425bdf160c739803&auth_timestamp="
                          "1353088179&auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f"),
                     "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c");
}

/* RFC 4231: test cases 1, 2, 6 (a key longer than a block). */
static void hmac_matches_rfc_4231(void **state)
{
    (void)state;
    char key[131];
    memset(key, 0x0b, 20);
    assert_signature(span_of(key, 20), SPAN("Hi There"),
                     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_signature(SPAN("Jefe"), SPAN("what do ya want for nothing?"),
                     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    assert_signature(span_of(key, sizeof key),
                     SPAN("Test Using Larger Than Block-Size Key - Hash Key First"),
                     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void an_empty_key_and_an_empty_text_can_be_signed(void **state)
{
    (void)state;
    struct hmac_key *key = hmac_key_new(span_of(NULL, 0));
    char hex[SHA256_HEX_LEN];
    hmac_sha256_hex(key, NULL, 0, hex);
    assert_span(span_of(hex, sizeof hex),
                "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    hmac_key_free(key);
    hmac_key_free(NULL);
}

static void without_memory_there_is_no_key(void **state)
{
    (void)state;
    mem_fail_after(0, false);
    assert_null(hmac_key_new(SPAN("k")));
    mem_fail_after(-1, false);
}

static void body_digests_match(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "{\"name\":\"order.shipped\",\"channels\":[\"orders\",\"private-orders.7\"],\"data\":"
          "\"{\\\"id\\\":7,\\\"ok\\\":true}\"}",
          "573403b777c2e9b3cff45f775a37e418" },
        { "{}", "99914b932bd37a50b983c5e7c90ae93b" },
        { "{\"name\":\"foo\",\"channels\":[\"project-3\"],\"data\":\"{\\\"some\\\":\\\"data\\\"}"
          "\"}",
          "ec365a775a4cd0599faeb73354201b6f" },
        { "", "d41d8cd98f00b204e9800998ecf8427e" },
    };
    char hex[MD5_HEX_LEN];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        md5_hex(span_str(cases[i].text), hex);
        assert_span(span_of(hex, sizeof hex), cases[i].want);
    }
    md5_hex(span_of(NULL, 0), hex);
    assert_span(span_of(hex, sizeof hex), "d41d8cd98f00b204e9800998ecf8427e");
}

static void sha1_makes_the_handshake_answer_of_rfc_6455(void **state)
{
    (void)state;
    uint8_t digest[20];
    char text[28];
    sha1(SPAN("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), digest);
    assert_int_equal(base64_encode(span_of(digest, sizeof digest), text), sizeof text);
    assert_span(span_of(text, sizeof text), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void sha256_makes_the_shared_secret_of_an_encrypted_channel(void **state)
{
    (void)state;
    uint8_t digest[32];
    char hex[64], text[44];
    sha256(SPAN("private-encrypted-vault0123456789abcdef0123456789abcdef"), digest);
    hex_encode(span_of(digest, sizeof digest), hex);
    assert_span(span_of(hex, sizeof hex),
                "8cd9de28cbe1e6b854ab54cecb88d4df127db49ee0f835b77d264ac07bec650f");
    assert_int_equal(base64_encode(span_of(digest, sizeof digest), text), sizeof text);
    assert_span(span_of(text, sizeof text), "jNneKMvh5rhUq1TOy4jU3xJ9tJ7g+DW3fSZKwHvsZQ8=");
}

/* RFC 4648 section 10, and octets that need the last two digits. */
static void base64_goes_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *octets, *text;
    } cases[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xfb\xff\xbf", "+/+/" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[16];
        uint8_t octets[16];
        size_t n = base64_encode(span_str(cases[i].octets), text);
        assert_span(span_of(text, n), cases[i].text);
        assert_true(base64_decode(span_str(cases[i].text), octets, &n));
        assert_span(span_of(octets, n), cases[i].octets);
    }
}

static void malformed_base64_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",
        "Zg",
        "Zg=",
        "Zg===",
        "====",
        "Z===",
        "=Zg=",
        "Zg=v",
        "Zg==Zg==",
        "Zm9\n",
        "Zm9 ",
        "Zm-_",
        "Zh==" /* bits behind the end */,
        "Zm9=",
        "Zm9vYmF!",
        "Zm9v\x80mFy",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t octets[16];
        size_t n;
        if (base64_decode(span_str(bad[i]), octets, &n)) fail_msg("accepted: %s", bad[i]);
    }
}

static void hex_is_lower_case(void **state)
{
    (void)state;
    char text[8];
    hex_encode(SPAN("\x00\x9f\xab\xff"), text);
    assert_span(span_of(text, sizeof text), "009fabff");
    for (int c = 0; c < 256; c++) {
        uint8_t data[7], back[7];
        char hex[14], want[3];
        snprintf(want, sizeof want, "%02x", c);
        memset(data, c, sizeof data);
        for (size_t n = 0; n <= sizeof data; n++) {
            hex_encode(span_of(data, n), hex);
            for (size_t i = 0; i < n; i++) assert_memory_equal(hex + 2 * i, want, 2);
            assert_true(hex_decode(span_of(hex, 2 * n), back));
            assert_memory_equal(back, data, n);
        }
    }
}

static void hex_is_read_in_either_case_and_nothing_else_is(void **state)
{
    (void)state;
    uint8_t out[4];
    assert_true(hex_decode(SPAN("00fF9aC1"), out));
    assert_memory_equal(out, "\x00\xff\x9a\xc1", 4);
    assert_true(hex_decode(SPAN(""), out));
    assert_false(hex_decode(SPAN("0"), out));
    for (int c = 0; c < 256; c++) {
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        const char high[] = { (char)c, '0', '0', '0' }, low[] = { '0', '0', '0', (char)c };
        assert_int_equal(hex_decode(span_of(high, 4), out), digit);
        assert_int_equal(hex_decode(span_of(low, 4), out), digit);
        assert_int_equal(hex_value((char)c) >= 0, digit);
        if (digit) assert_int_equal(out[1], hex_value((char)c));
    }
}

static void one_different_bit_anywhere_makes_secrets_unequal(void **state)
{
    (void)state;
    char a[20] = "twenty octets of it", b[sizeof a];
    memcpy(b, a, sizeof a);
    for (size_t n = 0; n <= sizeof a; n++) {
        assert_true(equal_consttime(span_of(a, n), span_of(b, n)));
        for (size_t bit = 0; bit < 8 * n; bit++) {
            b[bit / 8] = (char)(b[bit / 8] ^ (1 << bit % 8));
            assert_false(equal_consttime(span_of(a, n), span_of(b, n)));
            b[bit / 8] = a[bit / 8];
        }
    }
}

static void secrets_compare_by_content_and_length(void **state)
{
    (void)state;
    assert_true(equal_consttime(SPAN("abc"), SPAN("abc")));
    assert_false(equal_consttime(SPAN("abc"), SPAN("abd")));
    assert_false(equal_consttime(SPAN("xbc"), SPAN("abc")));
    assert_false(equal_consttime(SPAN("abc"), SPAN("ab")));
    assert_true(equal_consttime(span_of(NULL, 0), SPAN("")));
}

/* Key 00 01 … 0f, message 00 01 … (n - 1); from OpenSSL's SIPHASH with 1 and 3 rounds. */
static const struct {
    size_t n;
    uint64_t want;
} sip_vectors[] = {
    { 0, 0xABAC0158050FC4DC },  { 1, 0xC9F49BF37D57CA93 },  { 2, 0x82CB9B024DC7D44D },
    { 3, 0x8BF80AB8E7DDF7FB },  { 4, 0xCF75576088D38328 },  { 5, 0xDEF9D52F49533B67 },
    { 6, 0xC50D2B50C59F22A7 },  { 7, 0xD3927D989BB11140 },  { 8, 0x369095118D299A8E },
    { 9, 0x25A48EB36C063DE4 },  { 10, 0x79DE85EE92FF097F }, { 11, 0x70C118C1F94DC352 },
    { 12, 0x78A384B157B4D9A2 }, { 13, 0x306F760C1229FFA7 }, { 14, 0x605AA111C0F95D34 },
    { 15, 0xD320D86D2A519956 }, { 31, 0x2370DD1F8C21D1BC }, { 63, 0x9D199062B7BBB3A8 },
};

static void table_hashes_are_siphash_1_3(void **state)
{
    (void)state;
    char message[64];
    for (size_t i = 0; i < sizeof message; i++) message[i] = (char)i;
    hash_seed(0x0706050403020100, 0x0f0e0d0c0b0a0908);
    for (size_t i = 0; i < ARRAY_LEN(sip_vectors); i++) {
        size_t n = sip_vectors[i].n;
        assert_true(hash_key(span_of(message, n)) == sip_vectors[i].want);
        if (n < 8) continue; /* a number and a span hash as the number's eight octets before it */
        struct span rest = span_of(message + 8, n - 8);
        assert_true(hash_key2(0x0706050403020100, rest) == sip_vectors[i].want);
    }
    assert_true(hash_key(span_of(NULL, 0)) == sip_vectors[0].want);
}

static void table_hashes_depend_on_the_key(void **state)
{
    (void)state;
    hash_seed(1, 2);
    uint64_t before = hash_key(SPAN("orders"));
    hash_seed(1, 3);
    assert_true(hash_key(SPAN("orders")) != before);
    hash_seed(1, 2);
    assert_true(hash_key(SPAN("orders")) == before);
}

static int is_drawn_before_main(void **state)
{
    static uint64_t at_start;
    at_start = hash_key(SPAN(""));
    *state = &at_start;
    return 0;
}

static void the_table_key_is_not_zero_at_start(void **state)
{
    uint64_t at_start = *(uint64_t *)*state;
    hash_seed(0, 0);
    assert_true(hash_key(SPAN("")) != at_start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_table_key_is_not_zero_at_start, is_drawn_before_main),
        cmocka_unit_test(channel_and_user_signatures_match_the_worked_examples),
        cmocka_unit_test(http_api_signatures_match_the_worked_examples),
        cmocka_unit_test(signatures_match_the_examples_of_pushers_documentation),
        cmocka_unit_test(hmac_matches_rfc_4231),
        cmocka_unit_test(an_empty_key_and_an_empty_text_can_be_signed),
        cmocka_unit_test(without_memory_there_is_no_key),
        cmocka_unit_test(body_digests_match),
        cmocka_unit_test(sha1_makes_the_handshake_answer_of_rfc_6455),
        cmocka_unit_test(sha256_makes_the_shared_secret_of_an_encrypted_channel),
        cmocka_unit_test(base64_goes_there_and_back),
        cmocka_unit_test(malformed_base64_is_refused),
        cmocka_unit_test(hex_is_lower_case),
        cmocka_unit_test(hex_is_read_in_either_case_and_nothing_else_is),
        cmocka_unit_test(one_different_bit_anywhere_makes_secrets_unequal),
        cmocka_unit_test(secrets_compare_by_content_and_length),
        cmocka_unit_test(table_hashes_are_siphash_1_3),
        cmocka_unit_test(table_hashes_depend_on_the_key),
    };
    return RUN_TESTS(tests);
}
