/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_yaml.c: a hostile peal.yaml: it becomes a configuration that keeps its promises,
 * or a sentence that names the file.
 */
#include "base/check.h"
#include "base/mem.h"
#include "server/config_draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_promises(const struct config *cfg)
{
    CHECK(cfg->listen.n >= 1 && cfg->listen.n <= 64 && cfg->admin.listen.n == 1);
    CHECK(cfg->workers >= 1 && cfg->workers <= 256);
    CHECK(cfg->path_prefix.n == 0 || cfg->path_prefix.p[0] == '/');
    for (size_t i = 0; i < cfg->n_apps; i++) {
        const struct app_settings *app = &cfg->apps[i];
        CHECK(app->id.n && app->key.n && app->id.p[app->id.n] == '\0');
        CHECK(app->secrets.n >= 1 && app->secrets.n <= APP_MAX_SECRETS);
        CHECK(app->activity_timeout_s >= 1);
        CHECK(app->connection_limit_code == 4100 || app->connection_limit_code == 4004);
        for (size_t j = 0; j < i; j++)
            CHECK(!span_eq(app->id, cfg->apps[j].id) && !span_eq(app->key, cfg->apps[j].key));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_arena *arena = config_arena_new();
    struct draft *draft = mem_alloc(sizeof *draft);
    struct config *cfg = mem_zalloc(sizeof *cfg);
    struct diag diag = { "" };
    CHECK(arena && draft && cfg);
    draft_init(draft, arena, &diag);
    enum err err = config_parse_yaml(draft, span_of(data, size), "peal.yaml");
    if (err) CHECK(err == ERR_CONFIG && strstr(diag.text, "peal.yaml:"));
    if (!err) err = config_make_globals(draft, cfg);
    if (!err) err = config_make_apps(draft, cfg);
    if (!err) err = config_check(cfg, &diag);
    CHECK((err == ERR_CONFIG || draft->refused.n) == (diag.text[0] != '\0'));
    if (!err && !draft->refused.n) check_promises(cfg);
    draft_fini(draft);
    mem_free(draft);
    mem_free(cfg);
    config_arena_free(arena);
    return 0;
}
