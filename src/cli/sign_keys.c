/* SPDX-License-Identifier: MIT
 *
 * cli/sign_keys.c: candidates for a secret, the likely ones first.
 */
#include "cli/sign_keys.h"
#include "base/buf.h"
#include "base/mem.h"
#include "server/config_draft.h"

static enum err add(struct sign_keys *keys, struct span secret, bool valid, struct buf *what)
{
    enum err err = buf_failed(what) ? ERR_NOMEM : ERR_OK;
    if (!err && keys->n < SIGN_KEYS_MAX) {
        struct hmac_key *hmac = hmac_key_new(secret);
        if (!hmac) err = ERR_NOMEM;
        if (hmac) {
            buf_take(&keys->_names[keys->n], what);
            keys->items[keys->n] =
                (struct sign_key) { hmac, valid, buf_span(&keys->_names[keys->n]) };
            keys->n++;
        }
    }
    buf_fini(what);
    return err;
}

static enum err add_own(struct sign_keys *keys, const struct target *t)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < t->secrets.n; i++) {
        struct buf what = { 0 };
        if (i) buf_add_fmt(&what, "secret %zu of the app", i + 1);
        err = add(keys, t->secrets.items[i], true, &what);
    }
    return err;
}

/* The same app may have others here than --app says. */
static bool is_own(const struct target *t, struct span secret)
{
    for (size_t i = 0; i < t->secrets.n; i++)
        if (span_eq(t->secrets.items[i], secret)) return true;
    return false;
}

static enum err add_app(struct sign_keys *keys, const struct target *t,
                        const struct app_settings *app)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < app->secrets.n; i++) {
        struct buf what = { 0 };
        if (is_own(t, app->secrets.items[i])) continue;
        buf_add_fmt(&what, "secret %zu of the app '%.*s' of the configuration here", i + 1,
                    SPAN_FMT(app->id));
        err = add(keys, app->secrets.items[i], app == t->app, &what);
    }
    return err;
}

static enum err add_named(struct sign_keys *keys, struct span secret, const char *name)
{
    struct buf what = { 0 };
    buf_add_span(&what, span_str(name));
    return add(keys, secret, false, &what);
}

/* `before` and `after` put around the app's secret. */
static enum err add_around(struct sign_keys *keys, struct span secret, const char *around,
                           const char *name)
{
    struct buf text = { 0 };
    size_t half = strlen(around) / 2; /* a single octet stands behind */
    buf_add(&text, around, half);
    buf_add_span(&text, secret);
    buf_add_span(&text, span_str(around + half));
    enum err err = buf_failed(&text) ? ERR_NOMEM : add_named(keys, buf_span(&text), name);
    config_wipe(&text);
    return err;
}

static enum err add_decoded(struct sign_keys *keys, struct span secret)
{
    size_t n;
    uint8_t *octets = mem_alloc(secret.n + 1);
    if (!octets) return ERR_NOMEM;
    enum err err = ERR_OK;
    if (secret.n % 4 == 0 && base64_decode(secret, octets, &n) && n)
        err = add_named(keys, span_of(octets, n), "the app's secret after decoding it as base64");
    mem_free_secret(octets, secret.n + 1);
    return err;
}

static enum err add_slips(struct sign_keys *keys, const struct target *t)
{
    struct span secret = t->secrets.items[0];
    enum err err = add_named(keys, t->key, "the app's key instead of its secret");
    if (!err) err = add_named(keys, t->id, "the app's id instead of its secret");
    if (!err) err = add_named(keys, span_of("", 0), "an empty secret");
    if (!err) err = add_around(keys, secret, "\n", "the app's secret with a line feed behind it");
    if (!err) err = add_around(keys, secret, "\"\"", "the app's secret in double quotes");
    if (!err) err = add_around(keys, secret, "''", "the app's secret in single quotes");
    return err ? err : add_decoded(keys, secret);
}

enum err sign_keys_init(struct sign_keys *keys, const struct target *t)
{
    memset(keys, 0, sizeof *keys);
    enum err err = add_own(keys, t);
    if (!err && t->app) err = add_app(keys, t, t->app);
    if (!err) err = add_slips(keys, t);
    for (size_t i = 0; !err && i < t->cfg->n_apps; i++)
        if (&t->cfg->apps[i] != t->app) err = add_app(keys, t, &t->cfg->apps[i]);
    return err;
}

void sign_keys_fini(struct sign_keys *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        hmac_key_free(keys->items[i].hmac);
        buf_fini(&keys->_names[i]);
    }
    keys->n = 0;
}

bool sign_keys_has_secret(const struct target *t, struct span text)
{
    if (is_own(t, text)) return true;
    for (size_t i = 0; i < t->cfg->n_apps; i++) {
        const struct span_list *secrets = &t->cfg->apps[i].secrets;
        for (size_t j = 0; j < secrets->n; j++)
            if (span_eq(secrets->items[j], text)) return true;
    }
    return false;
}
