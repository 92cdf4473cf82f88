/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_store_url.c: the option store, and times as databases write them. What is shown
 * of a URL has no password in it, and no message repeats one; a time that is read is written back
 * the same.
 */
#include "base/check.h"
#include "base/mem.h"
#include "store/store_url.h"
#include "store/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As it stands in the text: between the first colon behind the scheme and the last @. */
static struct span raw_password(struct span text)
{
    const char *scheme = text.n ? memmem(text.p, text.n, "://", 3) : NULL;
    struct span none = { "", 0 };
    if (!scheme) return none;
    const char *end = memrchr(scheme + 3, '@', text.n - (size_t)(scheme + 3 - text.p));
    if (!end) return none;
    const char *colon = memchr(scheme + 3, ':', (size_t)(end - scheme - 3));
    return colon ? span_of(colon + 1, (size_t)(end - colon - 1)) : none;
}

static void check_shown(struct span text)
{
    struct buf shown = { 0 };
    struct span password = raw_password(text);
    store_url_mask(text, &shown);
    if (password.n > 0) CHECK(memmem(shown.p, shown.n, ":***@", 5));
    /* It may stand elsewhere, too: then it is no secret. */
    if (password.n > 0) CHECK(shown.n == text.n - password.n + 3);
    buf_fini(&shown);
}

static void check_url(struct span text)
{
    struct store_url url;
    struct diag d = { "" };
    enum err err = store_url_parse(text, &url, &d);
    CHECK(err == ERR_OK || err == ERR_SYNTAX);
    CHECK(!err || strlen(d.text) < 400); /* fixed sentences, with nothing of the text */
    if (!err && url.kind != STORE_NONE && url.kind != STORE_SQLITE)
        CHECK(*url.database && (*url.host || *url.socket));
    CHECK(err != ERR_OK || store_kind_name(url.kind));
    store_url_fini(&url);
}

static void check_time(struct span text)
{
    char back[WHEN_TEXT_MAX];
    uint64_t s;
    if (!when_parse(text, &s)) return;
    struct span again = when_text(s, back);
    CHECK(again.n == 19 && memcmp(again.p, text.p, 10) == 0);
    CHECK(memcmp(again.p + 11, text.p + 11, 8) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_dup(data, size); /* its own block, so that ASan sees its end */
    if (!copy) return 0;
    struct span text = span_of(copy, size);
    check_shown(text);
    check_url(text);
    check_time(text);
    mem_free(copy);
    return 0;
}
