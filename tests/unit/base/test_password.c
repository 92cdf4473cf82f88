/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_password.c: scrypt against RFC 7914, and the text that a hash is kept in. */
#include "base/hash.h"
#include "base/mem.h"
#include "base/password.h"
#include "unit/test.h"

/* RFC 7914 section 12; the last one of it takes 1 GiB. */
static void scrypt_matches_the_vectors_of_rfc_7914(void **state)
{
    (void)state;
    static const struct {
        const char *password, *salt;
        uint64_t n;
        uint32_t r, p;
        const char *hex;
    } rows[] = {
        { "", "", 16, 1, 1,
          "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
          "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906" },
        { "password", "NaCl", 1024, 8, 16,
          "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
          "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640" },
        { "pleaseletmein", "SodiumChloride", 16384, 8, 1,
          "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
          "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct password_hash params = { .n = rows[i].n, .r = rows[i].r, .p = rows[i].p };
        params.n_salt = (uint8_t)strlen(rows[i].salt);
        memcpy(params.salt, rows[i].salt, params.n_salt);
        uint8_t got[64];
        char hex[128];
        assert_int_equal(password_scrypt(&params, span_str(rows[i].password), got, sizeof got),
                         ERR_OK);
        hex_encode(span_of(got, sizeof got), hex);
        assert_span(span_of(hex, sizeof hex), rows[i].hex);
    }
}

/* The third vector, with half of its octets. */
#define SALT "U29kaXVtQ2hsb3JpZGU="
#define HASH "cCO9yzr9c0hGHAbNgf04678KjT+nkMTqjvvppUPbkaE="
#define PLEASE "scrypt$16384$8$1$" SALT "$"

static void the_text_of_a_vector_is_checked(void **state)
{
    (void)state;
    uint8_t octets[32];
    char digits[44];
    static const char hex[] = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2";
    assert_true(hex_decode(span_str(hex), octets));
    base64_encode(span_of(octets, sizeof octets), digits);
    struct buf text = { 0 };
    BUF_ADD_LIT(&text, PLEASE);
    buf_add(&text, digits, sizeof digits);
    struct password_hash hash;
    const char *why;
    bool right;
    assert_true(password_hash_read(buf_span(&text), &hash, &why));
    assert_int_equal(password_check(&hash, SPAN("pleaseletmein"), &right), ERR_OK);
    assert_true(right);
    static const char *const wrong[] = { "", "pleaseletmei", "pleaseletmeinn", "Pleaseletmein" };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(password_check(&hash, span_str(wrong[i]), &right), ERR_OK);
        assert_false(right);
    }
    buf_fini(&text);
}

static void what_is_made_can_be_read_and_opens_for_its_password_only(void **state)
{
    (void)state;
    struct buf one = { 0 }, two = { 0 };
    struct span password = SPAN("ein Löwe & 12 Vögel");
    struct password_hash hash;
    const char *why;
    bool right;
    assert_int_equal(password_hash_make(password, &one), ERR_OK);
    assert_int_equal(password_hash_make(password, &two), ERR_OK);
    assert_false(span_eq(buf_span(&one), buf_span(&two))); /* the salt */
    assert_true(password_hash_read(buf_span(&one), &hash, &why));
    assert_int_equal(password_check(&hash, password, &right), ERR_OK);
    assert_true(right);
    assert_int_equal(password_check(&hash, SPAN("ein Loewe & 12 Vögel"), &right), ERR_OK);
    assert_false(right);
    buf_fini(&one);
    buf_fini(&two);
}

static void a_text_that_is_no_hash_or_costs_too_little_or_too_much_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "hunter2hunter2",
        "$2y$10$abcdefghijklmnopqrstuv",
        "scrypt$16384$8$1$" SALT,
        "scrypt$16384$8$1$$" HASH,
        "scrypt$16384$8$1$" SALT "$",
        "scrypt$16384$8$1$" SALT "$" HASH "$",
        "scrypt$16384$8$1$" SALT "$" HASH " ",
        "scrypt$16384$8$1$" SALT "$cCO9",
        "scrypt$16384$8$1$" SALT "$cCO9yzr9c0hGHAbNgf04678KjT+nkMTqjvvppUPb",
        "scrypt$16384$8$1$U2E=$" HASH,
        "scrypt$16384$8$1$" SALT "$not*base64",
        "scrypt$16385$8$1$" SALT "$" HASH,
        "scrypt$0$8$1$" SALT "$" HASH,
        "scrypt$1$8$1$" SALT "$" HASH,
        "scrypt$-16384$8$1$" SALT "$" HASH,
        "scrypt$16384$0$1$" SALT "$" HASH,
        "scrypt$8192$8$1$" SALT "$" HASH,
        "scrypt$4194304$8$1$" SALT "$" HASH,
        "scrypt$16384$1024$1$" SALT "$" HASH,
        "scrypt$18446744073709551616$8$1$" SALT "$" HASH,
        "SCRYPT$16384$8$1$" SALT "$" HASH,
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct password_hash hash = { .n = 7 };
        const char *why = NULL;
        if (password_hash_read(span_str(bad[i]), &hash, &why)) fail_msg("taken: %s", bad[i]);
        assert_int_equal(hash.n, 7);
        assert_non_null(strstr(why, "peal password"));
    }
    struct password_hash hash;
    const char *why;
    assert_true(password_hash_read(SPAN(PLEASE HASH), &hash, &why));
    assert_true(password_hash_read(SPAN("scrypt$131072$8$1$" SALT "$" HASH), &hash, &why));
}

static void a_password_that_is_short_or_that_no_form_can_send_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "elevenchars", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
                                       "twelve chars\n", "not \xff utf-8 at all" };
    struct buf out = { 0 };
    char large[PASSWORD_MAX_BYTES + 1];
    memset(large, 'a', sizeof large);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(password_hash_make(span_str(bad[i]), &out), ERR_RANGE);
    assert_int_equal(password_hash_make(span_of(large, sizeof large), &out), ERR_RANGE);
    assert_int_equal(out.n, 0);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    struct buf out = { 0 };
    mem_fail_after(0, true);
    enum err err = password_hash_make(SPAN("long enough for all"), &out);
    mem_fail_after(-1, false);
    assert_int_equal(err, ERR_NOMEM);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scrypt_matches_the_vectors_of_rfc_7914),
        cmocka_unit_test(the_text_of_a_vector_is_checked),
        cmocka_unit_test(what_is_made_can_be_read_and_opens_for_its_password_only),
        cmocka_unit_test(a_text_that_is_no_hash_or_costs_too_little_or_too_much_is_refused),
        cmocka_unit_test(a_password_that_is_short_or_that_no_form_can_send_is_refused),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return RUN_TESTS(tests);
}
