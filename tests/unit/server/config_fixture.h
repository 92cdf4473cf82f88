/* SPDX-License-Identifier: MIT
 *
 * tests/unit/server/config_fixture.h: loading a configuration from texts, and asking what came out
 * or what the operator was told.
 */
#ifndef TESTS_CONFIG_FIXTURE_H
#define TESTS_CONFIG_FIXTURE_H
#include "server/config.h"
#include "unit/test.h"
#include <unistd.h>

#define MAX_FLAGS 8

/* NULL and 0: not given. */
struct given {
    const char *yaml;
    const char *dotenv;
    const char *environment[16];
    struct config_flag flags[MAX_FLAGS];
    bool dev, apps_needed;
};

struct loaded {
    enum err err;
    struct config *cfg; /* NULL on failure */
    struct diag diag;
    char yaml[40], dotenv[40]; /* paths */
};

static inline void write_temporary(char path[40], const char *text)
{
    snprintf(path, 40, "/tmp/peal-config-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    size_t n = strlen(text);
    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

static inline struct loaded load(const struct given *given)
{
    struct loaded l = { .err = ERR_OK };
    struct config_sources src = { .yaml_path = "", .env_path = "" };
    if (given->yaml) {
        write_temporary(l.yaml, given->yaml);
        src.yaml_path = l.yaml;
    }
    if (given->dotenv) {
        write_temporary(l.dotenv, given->dotenv);
        src.env_path = l.dotenv;
    }
    src.environment = given->environment;
    src.flags = given->flags;
    while (src.n_flags < MAX_FLAGS && given->flags[src.n_flags].name) src.n_flags++;
    src.dev = given->dev;
    src.apps_needed = given->apps_needed;
    l.err = config_load(&l.cfg, &src, &l.diag);
    if (given->yaml) unlink(l.yaml);
    if (given->dotenv) unlink(l.dotenv);
    return l;
}

static inline struct loaded load_yaml(const char *yaml)
{
    return load(&(struct given) { .yaml = yaml });
}

static inline struct loaded load_dotenv(const char *dotenv)
{
    return load(&(struct given) { .dotenv = dotenv });
}

static inline void assert_loads(const struct loaded *l)
{
    if (l->err) fail_msg("refused: %s", l->diag.text);
    assert_non_null(l->cfg);
}

/* Refused, with a sentence that holds all these words (NULL at the end). Frees nothing: there is
 * nothing. */
#define assert_refused(l, ...) check_refused(&(l), (const char *const[]) { __VA_ARGS__, NULL })
static inline void check_refused(struct loaded *l, const char *const *words)
{
    if (!l->err) fail_msg("accepted, but should not: %s", words[0]);
    assert_int_equal(l->err, ERR_CONFIG);
    assert_null(l->cfg);
    for (; *words; words++)
        if (!strstr(l->diag.text, *words)) fail_msg("no '%s' in: %s", *words, l->diag.text);
}

static inline bool says(const struct config *cfg, const char *word)
{
    for (size_t i = 0; i < cfg->warnings.n; i++)
        if (strstr(cfg->warnings.items[i].p, word)) return true;
    return false;
}

#endif
