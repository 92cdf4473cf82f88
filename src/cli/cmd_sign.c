/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_sign.c: peal sign: the signatures of the protocol, with the string that is signed, and
 * why a given signature is wrong. Talks to nobody. Prints no secret: all that is printed is made of
 * the arguments, the app's key and signatures.
 */
#include "base/clock.h"
#include "base/json_write.h"
#include "base/near.h"
#include "base/utf8.h"
#include "cli/api_answer.h"
#include "cli/read_all.h"
#include "cli/sign_check.h"
#include "cli/text.h"
#include "http/url.h"
#include <stdio.h>
#include <sysexits.h>

#define MAX_WORDS 4

struct request {
    const char *words[MAX_WORDS]; /* kind, and what belongs to it */
    size_t n_words;
    const char *given; /* --check */
    bool json;
    struct buf text;   /* stdin */
    struct buf method; /* in capitals */
    struct buf query;  /* complete */
    struct signing signing;
    struct span sent_signature; /* auth_signature of the query; p == NULL: none */
    struct target target;
};

/* What is printed. */
struct result {
    struct buf string;
    char hex[SHA256_HEX_LEN];
    struct sentences notes;
    struct sign_check check;
    bool checked;
};

/* --- arguments --- */

static const struct {
    const char *name;
    enum signing_kind kind;
    size_t min, max; /* words behind it */
    const char *needs;
} kinds[] = {
    { "channel", SIGNING_CHANNEL, 2, 3, "channel needs SOCKET_ID CHANNEL [CHANNEL_DATA]" },
    { "user", SIGNING_USER, 2, 2, "user needs SOCKET_ID USER_DATA" },
    { "request", SIGNING_REQUEST, 2, 3, "request needs METHOD PATH?QUERY [BODY]" },
    { "webhook", SIGNING_WEBHOOK, 1, 1, "webhook needs BODY" },
};

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    if (!arg->spec) {
        if (req->n_words == MAX_WORDS)
            return diag_set(d, ERR_SYNTAX, "too many arguments; put JSON into single quotes");
        req->words[req->n_words++] = arg->value;
        return ERR_OK;
    }
    if (arg_is(arg, "--json"))
        req->json = true;
    else if (arg_is(arg, "--check"))
        req->given = arg->value;
    else
        return target_take(&req->target, arg, d);
    return ERR_OK;
}

static enum err check_words(struct request *req, struct diag *d)
{
    for (size_t i = 0; req->n_words && i < ARRAY_LEN(kinds); i++) {
        if (strcmp(req->words[0], kinds[i].name) != 0) continue;
        size_t n = req->n_words - 1;
        if (n < kinds[i].min || n > kinds[i].max)
            return diag_set(d, ERR_SYNTAX, "%s", kinds[i].needs);
        req->signing.kind = kinds[i].kind;
        return ERR_OK;
    }
    struct near near = { .word = span_str(req->n_words ? req->words[0] : "") };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) near_try(&near, span_str(kinds[i].name));
    if (near.best.n)
        return diag_set(d, ERR_SYNTAX, "there is nothing like '%s' to sign; did you mean %.*s?",
                        req->words[0], SPAN_FMT(near.best));
    return diag_set(d, ERR_SYNTAX, "needs a word: channel, user, request or webhook");
}

/* A word, or stdin for "-". Without the line feed at the end where it is no body: `echo` adds it.
 */
static enum err read_word(struct request *req, size_t i, bool body, struct span *out,
                          struct diag *d)
{
    *out = i < req->n_words ? span_str(req->words[i]) : span_of(NULL, 0);
    if (!span_eq(*out, SPAN("-"))) return ERR_OK;
    enum err err = read_all_stdin(&req->text, d);
    if (err) return err;
    *out = req->text.n ? buf_span(&req->text) : span_of("", 0);
    if (!body && out->n && out->p[out->n - 1] == '\n') out->n--;
    return ERR_OK;
}

/* From "/apps/" on: what a proxy or path_prefix puts in front is not signed. */
static void cut_prefix(struct signing *s)
{
    for (size_t i = 1; i < s->path.n; i++) {
        if (!span_starts(span_skip(s->path, i), SPAN("/apps/"))) continue;
        s->prefix = span_head(s->path, i);
        s->path = span_skip(s->path, i);
        return;
    }
}

static enum err read_target(struct request *req, const char *word, struct diag *d)
{
    struct url_target target;
    const char *why;
    if (!url_split(span_str(word), &target, &why))
        return diag_set(d, ERR_SYNTAX, "PATH?QUERY: %s", why);
    req->signing.path = target.path;
    req->signing.query = target.query;
    if (url_query_find(target.query, SPAN("auth_signature"), &req->sent_signature) == 0)
        req->sent_signature = span_of(NULL, 0);
    if (!span_starts(req->signing.path, SPAN("/apps/"))) cut_prefix(&req->signing);
    return ERR_OK;
}

/* What was signed is to be known where it is checked. */
static enum err check_complete(const struct request *req, struct diag *d)
{
    static const char *const names[] = { "auth_key", "auth_timestamp", "auth_version" };
    if (!req->given && !req->sent_signature.p) return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!url_query_find(req->signing.query, span_str(names[i]), NULL))
            return diag_set(d, ERR_SYNTAX,
                            "to check a signature, give the query as it was sent: %s is missing",
                            names[i]);
    return ERR_OK;
}

static enum err read_request(struct request *req, struct diag *d)
{
    struct signing *s = &req->signing;
    const char *method = req->words[1];
    for (size_t i = 0; method[i]; i++)
        buf_add_byte(&req->method,
                     method[i] >= 'a' && method[i] <= 'z' ? (char)(method[i] & ~0x20) : method[i]);
    s->method = buf_span(&req->method);
    enum err err = read_target(req, req->words[2], d);
    if (!err) err = check_complete(req, d);
    if (!err) err = read_word(req, 3, true, &s->body, d);
    if (err) return err;
    /* What was sent without body_md5 was signed without it. */
    bool sent = req->given || req->sent_signature.p;
    const struct signing_auth auth = { req->target.key, clock_unix_ms() / 1000 };
    struct signing as_sent = *s;
    if (sent) as_sent.body = span_of("", 0);
    signing_complete(&as_sent, &auth, &req->query);
    s->query = buf_span(&req->query);
    return buf_failed(&req->query) || buf_failed(&req->method) ? ERR_NOMEM : ERR_OK;
}

static enum err read_signing(struct request *req, struct diag *d)
{
    struct signing *s = &req->signing;
    switch (s->kind) {
    case SIGNING_CHANNEL:
        s->socket_id = span_str(req->words[1]);
        s->channel = span_str(req->words[2]);
        return read_word(req, 3, false, &s->data, d);
    case SIGNING_USER:
        s->socket_id = span_str(req->words[1]);
        return read_word(req, 2, false, &s->data, d);
    case SIGNING_REQUEST:
        return read_request(req, d);
    case SIGNING_WEBHOOK:
        return read_word(req, 1, true, &s->body, d);
    }
    UNREACHABLE();
}

/* --- results --- */

static enum err make_string(struct request *req, struct result *r, struct diag *d)
{
    enum err err = signing_string(&req->signing, &r->string);
    if (err == ERR_SYNTAX) return diag_set(d, err, "the query has a broken percent-encoding");
    if (err == ERR_LIMIT)
        return diag_set(d, ERR_SYNTAX, "more than %d parameters", AUTH_MAX_PARAMS);
    if (!err) auth_sign_string(&req->target.keys, buf_span(&r->string), r->hex);
    return err;
}

static void make_notes(const struct request *req, struct result *r)
{
    const struct signing *s = &req->signing;
    const char *doubt;
    for (unsigned i = 0; (doubt = signing_doubt(s, i)); i++) sentences_add(&r->notes, doubt);
    if (s->prefix.n)
        buf_add_fmt(sentences_new(&r->notes), "'%.*s' in front of the path is not signed",
                    SPAN_FMT(span_head(s->prefix, 100)));
    if (s->body.n && s->body.p[s->body.n - 1] == '\n')
        sentences_add(&r->notes, "the body ends in a line feed, which counts");
    if (s->kind != SIGNING_REQUEST) return;
    sign_check_clock(&req->target, s, clock_unix_ms() / 1000, &r->notes);
    if (!r->checked) sign_check_query(&req->target, s, &r->notes);
}

static enum err make(struct request *req, struct result *r, struct diag *d)
{
    const struct signing *s = &req->signing;
    struct span given = req->given ? span_str(req->given) : req->sent_signature;
    r->checked = given.p != NULL;
    enum err err = make_string(req, r, d);
    if (err) return err;
    make_notes(req, r);
    if (r->checked) err = sign_check_run(&r->check, &req->target, s, given);
    if (r->checked && s->kind == SIGNING_REQUEST) {
        size_t before = r->check.reasons.n;
        sign_check_query(&req->target, s, &r->check.reasons);
        if (r->check.reasons.n > before) r->check.ok = false;
    }
    return !err && (sentences_failed(&r->notes) || sentences_failed(&r->check.reasons)) ? ERR_NOMEM
                                                                                        : err;
}

static void add_line(struct buf *out, const char *name, struct span value)
{
    buf_add_fmt(out, "%-18s ", name);
    text_add_safe(out, value);
    buf_add_byte(out, '\n');
}

static void add_auth(const struct request *req, const struct result *r, struct buf *out)
{
    buf_add_fmt(out, "%.*s:%.*s", SPAN_FMT(req->target.key), SHA256_HEX_LEN, r->hex);
}

static void add_query(const struct request *req, const struct result *r, struct buf *out)
{
    buf_add_fmt(out, "%.*s&auth_signature=%.*s", SPAN_FMT(req->query), SHA256_HEX_LEN, r->hex);
}

static void write_text(const struct request *req, const struct result *r, struct buf *out)
{
    struct buf value = { 0 };
    struct span hex = span_of(r->hex, sizeof r->hex);
    add_line(out, "string", buf_span(&r->string));
    switch (req->signing.kind) {
    case SIGNING_CHANNEL:
    case SIGNING_USER:
        add_line(out, "signature", hex);
        add_auth(req, r, &value);
        add_line(out, "auth", buf_span(&value));
        break;
    case SIGNING_REQUEST:
        add_line(out, "signature", hex);
        add_query(req, r, &value);
        add_line(out, "query", buf_span(&value));
        break;
    case SIGNING_WEBHOOK:
        add_line(out, "X-Pusher-Key", req->target.key);
        add_line(out, "X-Pusher-Signature", hex);
        break;
    }
    if (r->checked) add_line(out, "check", r->check.ok ? SPAN("right") : SPAN("wrong"));
    for (size_t i = 0; i < r->check.reasons.n; i++)
        add_line(out, "", buf_span(&r->check.reasons.items[i]));
    if (buf_failed(&value)) buf_fail(out);
    buf_fini(&value);
}

/* What is no UTF-8 is escaped, since JSON could not hold it. */
static void add_member(struct buf *out, const char *name, struct span value)
{
    struct buf safe = { 0 };
    json_key(out, span_str(name));
    if (!utf8_valid(value)) text_add_safe(&safe, value);
    json_string(out, safe.n ? buf_span(&safe) : value);
    if (buf_failed(&safe)) buf_fail(out);
    buf_fini(&safe);
}

static void add_sentences(struct buf *out, const char *name, const struct sentences *s)
{
    struct buf safe = { 0 };
    json_key(out, span_str(name));
    json_open(out, '[');
    for (size_t i = 0; i < s->n; i++) {
        buf_clear(&safe);
        text_add_safe(&safe, buf_span(&s->items[i]));
        json_string(out, buf_span(&safe));
    }
    json_close(out, ']');
    if (buf_failed(&safe)) buf_fail(out);
    buf_fini(&safe);
}

static void write_check(const struct result *r, struct buf *out)
{
    if (!r->checked) return;
    json_key(out, SPAN("check"));
    json_open(out, '{');
    json_key(out, SPAN("ok"));
    json_bool(out, r->check.ok);
    add_sentences(out, "why", &r->check.reasons);
    json_close(out, '}');
}

static void write_json(const struct request *req, const struct result *r, struct buf *out)
{
    struct buf value = { 0 };
    enum signing_kind kind = req->signing.kind;
    json_open(out, '{');
    add_member(out, "kind", span_str(req->words[0]));
    add_member(out, "string", buf_span(&r->string));
    add_member(out, "signature", span_of(r->hex, sizeof r->hex));
    if (kind == SIGNING_REQUEST) {
        add_query(req, r, &value);
        add_member(out, "query", buf_span(&value));
    } else if (kind == SIGNING_WEBHOOK) {
        add_member(out, "key", req->target.key);
    } else {
        add_auth(req, r, &value);
        add_member(out, "auth", buf_span(&value));
    }
    add_sentences(out, "notes", &r->notes);
    write_check(r, out);
    json_close(out, '}');
    buf_add_byte(out, '\n');
    if (buf_failed(&value)) buf_fail(out);
    buf_fini(&value);
}

static int print(const struct request *req, const struct result *r)
{
    struct buf out = { 0 };
    if (req->json)
        write_json(req, r, &out);
    else
        write_text(req, r, &out);
    bool ok = !buf_failed(&out);
    if (ok) fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
    if (!ok) return cmd_fail(&cmd_sign, EX_OSERR, "out of memory");
    for (size_t i = 0; !req->json && i < r->notes.n; i++) {
        fputs("note: ", stderr);
        text_print(stderr, buf_span(&r->notes.items[i]));
    }
    return r->checked && !r->check.ok ? EX_DATAERR : EX_OK;
}

static int sign(struct request *req)
{
    struct result r = { .checked = false };
    struct diag d = { "" };
    enum err err = check_words(req, &d);
    if (!err) err = target_resolve(&req->target, &d);
    if (!err) err = read_signing(req, &d);
    if (!err) err = make(req, &r, &d);
    int code = err == ERR_RANGE || err == ERR_IO ? cmd_fail(&cmd_sign, EX_NOINPUT, d.text)
               : err                             ? api_call_fail(&cmd_sign, err, &d, false)
                                                 : print(req, &r);
    buf_fini(&r.string);
    sentences_fini(&r.notes);
    sign_check_fini(&r.check);
    return code;
}

static int run(int argc, char **argv)
{
    struct request req = { .n_words = 0 };
    if (!target_init(&req.target)) return cmd_fail(&cmd_sign, EX_OSERR, "out of memory");
    int code = cmd_read_args(&cmd_sign, argc, argv, take, &req);
    if (code == EX_OK) code = sign(&req);
    buf_fini(&req.text);
    buf_fini(&req.method);
    buf_fini(&req.query);
    target_fini(&req.target);
    return code;
}

static const struct arg_spec specs[] = {
    { "--app", "ID:KEY:SECRET", "the app, @FILE with that in it, or ID of one here" },
    { "--check", "SIGNATURE", "say whether this one is right, and if not, why" },
    { "--config", "FILE", "settings (default ./peal.yaml where it exists)" },
    { "--env", "FILE", "environment file (default ./.env where it exists)" },
    { "--json", NULL, "print JSON: {\"kind\":…,\"string\":…,\"signature\":…,…}" },
};

const struct cmd cmd_sign = {
    .name = "sign",
    .help = "make a signature, or say why one is wrong",
    .run = run,
    .usage = "peal sign channel SOCKET_ID CHANNEL [CHANNEL_DATA] [options]\n"
             "       peal sign user SOCKET_ID USER_DATA [options]\n"
             "       peal sign request METHOD PATH?QUERY [BODY] [options]\n"
             "       peal sign webhook BODY [options]",
    .text =
        "Prints the string that is signed with the app's secret, and the signature: of a\n"
        "subscription to a private or presence channel, of a sign-in, of a request to the HTTP\n"
        "API (with the whole query; what is missing in it is added), or of a webhook's body.\n"
        "Data and body are read from stdin for -. Nothing is sent, and no secret is printed.\n"
        "\n"
        "--check takes what was sent, KEY:SIGNATURE or the signature alone, and says whether it\n"
        "is right. If not, the likely mistakes are tried (another secret, another path, data\n"
        "that was written again as JSON, ...), and the one that gives this signature is named.\n"
        "A query with auth_signature is checked by itself.\n"
        "\n"
        "Exit codes: 65 the signature is wrong, 78 configuration.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal sign channel 1234.5678 private-orders\n"
                "  peal sign channel 1234.5678 presence-room '{\"user_id\":\"42\"}' --check "
                "app-key:5f1c...\n"
                "  peal sign user 1234.5678 '{\"id\":\"42\"}'\n"
                "  peal sign request GET '/apps/app-id/channels?info=user_count'\n"
                "  peal sign request POST /apps/app-id/events '{\"name\":\"x\",\"channel\":\"a\","
                "\"data\":\"1\"}'\n"
                "  peal sign webhook - --check \"$X_PUSHER_SIGNATURE\" <body.json\n",
    .words = "channel|user|request|webhook",
};
