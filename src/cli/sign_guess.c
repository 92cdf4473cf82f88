/* SPDX-License-Identifier: MIT
 *
 * cli/sign_guess.c: strings that are tried for channels, users and webhooks; each with all secrets.
 * Nothing here is told apart by time: it is the owner of the secrets who asks.
 */
#include "cli/sign_guess.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "cli/json_style.h"
#include "http/url.h"

bool guess_try(struct guess *g, struct span string, struct span name)
{
    g->n_tried++;
    for (size_t i = 0; i < g->keys->n; i++) {
        char hex[SHA256_HEX_LEN];
        hmac_sha256_hex(g->keys->items[i].hmac, &string, 1, hex);
        if (!span_eq(g->hex, span_of(hex, sizeof hex))) continue;
        g->key = &g->keys->items[i];
        buf_clear(&g->string);
        buf_add_span(&g->string, name);
        return true;
    }
    return false;
}

/* The string of a variant of `s`. */
static bool try_variant(struct guess *g, const struct signing *s, const char *name)
{
    struct buf string = { 0 };
    enum err err = signing_string(s, &string);
    if (err == ERR_NOMEM) g->_failed = true;
    bool found = !err && guess_try(g, buf_span(&string), span_str(name));
    buf_fini(&string);
    return found;
}

static bool try_end(struct guess *g, const struct signing *s)
{
    struct buf string = { 0 };
    enum err err = signing_string(s, &string);
    buf_add_byte(&string, '\n');
    bool found = !err && guess_try(g, buf_span(&string),
                                   SPAN("the string with a line feed behind "
                                        "it"));
    g->_failed |= buf_failed(&string);
    buf_fini(&string);
    return found;
}

/* --- data that was parsed and written again --- */

static bool try_style(struct guess *g, struct signing s, unsigned style)
{
    struct buf text = { 0 }, name = { 0 };
    bool webhook = s.kind == SIGNING_WEBHOOK;
    struct span *data = webhook ? &s.body : &s.data;
    json_style(*data, style, &text);
    *data = buf_span(&text);
    buf_add_fmt(&name, "%s written again as JSON (",
                webhook                  ? "the body"
                : s.kind == SIGNING_USER ? "user_data"
                                         : "channel_data");
    json_style_name(style, &name);
    BUF_ADD_LIT(&name, "); sign and send one and the same text");
    buf_add_byte(&name, '\0');
    bool found = false;
    if (buf_failed(&text) || buf_failed(&name))
        g->_failed = true;
    else
        found = try_variant(g, &s, name.p);
    buf_fini(&text);
    buf_fini(&name);
    return found;
}

static bool try_styles(struct guess *g, const struct signing *s)
{
    struct span data = s->kind == SIGNING_WEBHOOK ? s->body : s->data;
    if (!data.n || !json_check(data, 512, NULL, NULL)) return false;
    for (unsigned style = 1; style < JSON_STYLES; style++)
        if (try_style(g, *s, style)) return true;
    return false;
}

/* Data as a JSON string, and a JSON string as data. */
static bool try_quoting(struct guess *g, struct signing s)
{
    struct json_val root;
    struct buf text = { 0 };
    struct span data = s.data;
    bool found = false;
    if (!data.n) return false;
    json_string(&text, data);
    s.data = buf_span(&text);
    found = try_variant(g, &s, "the data encoded as JSON twice");
    g->_failed |= buf_failed(&text);
    buf_clear(&text);
    if (!found && json_check(data, 512, &root, NULL) && root.type == JSON_STRING) {
        json_unescape(root, &text);
        s.data = buf_span(&text);
        found = try_variant(g, &s, "the data decoded once more");
    }
    g->_failed |= buf_failed(&text);
    buf_fini(&text);
    return found;
}

/* --- channels --- */

static bool try_channel(struct guess *g, struct signing s, struct span prefix, const char *name)
{
    struct buf channel = { 0 };
    buf_add_fmt(&channel, "%.*s%.*s", SPAN_FMT(prefix), SPAN_FMT(s.channel));
    s.channel = buf_span(&channel);
    bool found = try_variant(g, &s, name);
    g->_failed |= buf_failed(&channel);
    buf_fini(&channel);
    return found;
}

static bool try_channel_names(struct guess *g, struct signing s)
{
    static const struct span prefixes[] = { { "private-", 8 },
                                            { "presence-", 9 },
                                            { "private-encrypted-", 18 } };
    struct buf encoded = { 0 };
    struct span full = s.channel;
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (span_starts(full, prefixes[i])) s.channel = span_skip(full, prefixes[i].n);
    if (s.channel.n != full.n)
        found = try_variant(g, &s, "the channel without its prefix (private- or presence-)");
    for (size_t i = 0; !found && i < ARRAY_LEN(prefixes); i++)
        found = try_channel(g, s, prefixes[i],
                            "the channel with another prefix (private-, "
                            "presence- or private-encrypted-)");
    url_encode(full, &encoded);
    s.channel = buf_span(&encoded);
    if (!found) found = try_variant(g, &s, "the channel percent-encoded");
    g->_failed |= buf_failed(&encoded);
    buf_fini(&encoded);
    return found;
}

static bool try_swapped(struct guess *g, struct signing s)
{
    struct span id = s.socket_id;
    s.socket_id = s.channel;
    s.channel = id;
    return try_variant(g, &s, "channel and socket id in the wrong order");
}

static bool guess_channel(struct guess *g, const struct signing *s)
{
    struct signing other = *s;
    other.data = span_of(NULL, 0);
    if (s->data.n && try_variant(g, &other, "without channel_data")) return true;
    if (try_styles(g, s) || try_quoting(g, *s) || try_channel_names(g, *s)) return true;
    other.kind = SIGNING_USER;
    other.data = s->data;
    if (try_variant(g, &other, "the string of a sign-in (peal sign user)")) return true;
    if (s->data.n) {
        other.kind = SIGNING_CHANNEL;
        other.data = span_of(NULL, 0);
        if (try_channel_names(g, other)) return true;
    }
    return try_swapped(g, *s) || try_end(g, s);
}

static bool guess_user(struct guess *g, const struct signing *s)
{
    struct signing other = *s;
    other.kind = SIGNING_CHANNEL;
    other.channel = SPAN("user");
    if (try_variant(g, &other, "one colon instead of two around `user`")) return true;
    other.channel = s->data;
    other.data = span_of(NULL, 0);
    if (try_variant(g, &other, "without `::user::` between socket id and user_data")) return true;
    return try_styles(g, s) || try_quoting(g, *s) || try_end(g, s);
}

static bool guess_webhook(struct guess *g, const struct signing *s)
{
    struct signing other = *s;
    while (other.body.n && strchr(" \t\r\n", other.body.p[other.body.n - 1])) other.body.n--;
    if (try_variant(g, &other, "the body without the white space at its end")) return true;
    return try_styles(g, s) || try_end(g, s);
}

enum err guess_run(struct guess *g, const struct signing *s)
{
    bool found = try_variant(g, s, "");
    if (!found && s->kind == SIGNING_CHANNEL) guess_channel(g, s);
    if (!found && s->kind == SIGNING_USER) guess_user(g, s);
    if (!found && s->kind == SIGNING_REQUEST) guess_request(g, s);
    if (!found && s->kind == SIGNING_WEBHOOK) guess_webhook(g, s);
    return g->_failed || buf_failed(&g->string) ? ERR_NOMEM : ERR_OK;
}

void guess_fini(struct guess *g)
{
    buf_fini(&g->string);
}
