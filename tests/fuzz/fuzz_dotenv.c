/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_dotenv.c: a hostile .env: its syntax, and what the configuration makes of it.
 */
#include "base/check.h"
#include "base/mem.h"
#include "server/config_dotenv.h"
#include "server/config_draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span doubled(const void *ctx, struct span name)
{
    (void)name;
    return *(const struct span *)ctx;
}

/* Ends, stays in the text and in its limits; names are names. */
static void check_syntax(struct span text)
{
    struct dotenv d = { .rest = text, .lookup = doubled, .ctx = &text };
    struct buf value = { 0 };
    struct span name;
    size_t last = 0;
    enum dotenv_step step;
    while ((step = dotenv_next(&d, &name, &value)) == DOTENV_VARIABLE) {
        CHECK(name.n > 0 && name.p >= text.p && name.p + name.n <= text.p + text.n);
        CHECK(!memchr(name.p, '=', name.n) && !memchr(name.p, '\n', name.n));
        CHECK(value.n <= DOTENV_VALUE_MAX + text.n);
        CHECK(d.line >= last);
        last = d.line;
    }
    CHECK((step == DOTENV_WRONG) == (d.why != NULL));
    buf_fini(&value);
}

static void check_meaning(struct span text)
{
    struct config_arena *arena = config_arena_new();
    struct draft *draft = mem_alloc(sizeof *draft);
    struct config *cfg = mem_zalloc(sizeof *cfg);
    struct diag diag = { "" };
    CHECK(arena && draft && cfg);
    draft_init(draft, arena, &diag);
    cfg->dial.host = span_of("", 0);
    enum err err = config_parse_env(draft, text, ".env", NULL, cfg);
    if (!err) err = config_make_globals(draft, cfg);
    if (!err) err = config_make_apps(draft, cfg);
    if (!err) err = config_check(cfg, &diag);
    CHECK(err == ERR_OK || err == ERR_CONFIG);
    CHECK((err == ERR_CONFIG || draft->refused.n) == (diag.text[0] != '\0'));
    if (!err) CHECK(cfg->listen.n >= 1 && cfg->admin.listen.n == 1);
    draft_fini(draft);
    mem_free(draft);
    mem_free(cfg);
    config_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    if (size && memchr(data, '\0', size)) return 0; /* refused when the file is read */
    check_syntax(text);
    check_meaning(text);
    return 0;
}
