/* SPDX-License-Identifier: MIT
 *
 * tests/transcripts/run_transcripts.c: plays transcripts: what clients say, word for word, and what
 * they hear. No sockets; a clock that stands still; several workers. README.md describes the
 * language. What is heard goes through the WebSocket decoder, as it would in a browser.
 *
 * After each line all workers run until nothing is under way, but between `hold` and `go`. At the
 * end nobody may have heard anything that the transcript does not tell.
 */
#include "client.h"
#include "ws/decoder.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_CLIENTS 256
#define MAX_KEPT 64

struct player {
    const char *file;
    unsigned line;
    struct world world;
    bool is_open, holds;
    char *kept[MAX_KEPT]; /* what the settings point into */
    size_t n_kept, n_apps;
    struct client clients[MAX_CLIENTS];
    char names[MAX_CLIENTS][16];
    size_t n_clients;
    struct buf frame; /* the last one that was read, unmasked */
};

__attribute__((format(printf, 2, 3))) static _Noreturn void complain(const struct player *p,
                                                                     const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "%s:%u: ", p->file, p->line);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

/* --- words --- */

static struct span take_word(struct span *rest)
{
    struct span word;
    *rest = span_trim(*rest);
    if (rest->n == 0) return *rest;
    struct span whole = *rest;
    span_cut(rest, ' ', &word);
    if (!rest->p) *rest = span_of(whole.p + whole.n, 0);
    *rest = span_trim(*rest);
    return word;
}

/* Takes `name=value` words off the end; false when the last word is none. */
static bool take_last(struct span *rest, struct span name, struct span *value)
{
    const char *at = rest->n ? memrchr(rest->p, ' ', rest->n) : NULL;
    struct span last = at ? span_skip(*rest, (size_t)(at + 1 - rest->p)) : *rest;
    if (!span_starts(last, name)) return false;
    *value = span_skip(last, name.n);
    *rest = span_trim(span_head(*rest, (size_t)(last.p - rest->p)));
    return true;
}

static uint64_t number(const struct player *p, struct span text)
{
    uint64_t v;
    if (!span_to_u64(text, &v)) complain(p, "\"%.*s\" is no number", SPAN_FMT(text));
    return v;
}

static struct client *client_named(struct player *p, struct span name)
{
    for (size_t i = 0; i < p->n_clients; i++)
        if (span_eq(span_str(p->names[i]), name)) return &p->clients[i];
    complain(p, "nobody is called \"%.*s\"", SPAN_FMT(name));
}

/* --- apps --- */

static const struct option {
    const char *name;
    size_t at;
    bool is_bool;
} options[] = {
#define FLAG(name)                                                                                 \
    {                                                                                              \
#name, offsetof(struct app_settings, name), true                                           \
    }
#define VALUE(name)                                                                                \
    {                                                                                              \
#name, offsetof(struct app_settings, name), false                                          \
    }
    FLAG(client_events),
    FLAG(client_events_on_public_channels),
    FLAG(subscription_count),
    FLAG(watchlist),
    FLAG(signin_failure_closes),
    VALUE(activity_timeout_s),
    VALUE(cache_ttl_s),
    VALUE(limits.message_bytes),
    VALUE(limits.client_events_per_second),
    VALUE(limits.presence_members),
    VALUE(limits.presence_member_bytes),
    VALUE(limits.channel_name),
    VALUE(limits.event_name),
    VALUE(limits.subscriptions),
    VALUE(limits.cache_bytes),
#undef FLAG
#undef VALUE
};

static struct span keep(struct player *p, struct span text)
{
    CHECK(p->n_kept < MAX_KEPT);
    char *copy = mem_dup(text.p, text.n);
    CHECK(copy);
    p->kept[p->n_kept++] = copy;
    return span_of(copy, text.n);
}

static void set_option(struct player *p, struct app_settings *s, struct span name,
                       struct span value)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (!span_eq(name, span_str(options[i].name))) continue;
        char *at = (char *)s + options[i].at;
        bool on = span_eq(value, SPAN("true"));
        uint64_t v = options[i].is_bool ? 0 : number(p, value);
        memcpy(at, options[i].is_bool ? (void *)&on : (void *)&v,
               options[i].is_bool ? sizeof on : sizeof v);
        return;
    }
    complain(p, "no option \"%.*s\"", SPAN_FMT(name));
}

static void do_app(struct player *p, struct span rest)
{
    if (p->is_open || p->n_apps == WORLD_APPS) complain(p, "too late, or too many apps");
    size_t i = p->n_apps++;
    struct app_settings *s = &p->world.settings[i];
    for (struct span word; (word = take_word(&rest)).n;) {
        struct span value = word, name;
        span_cut(&value, '=', &name);
        if (!value.p) complain(p, "\"%.*s\" is not name=value", SPAN_FMT(word));
        if (span_eq(name, SPAN("id")))
            s->id = keep(p, value);
        else if (span_eq(name, SPAN("key")))
            s->key = keep(p, value);
        else if (span_eq(name, SPAN("secret")))
            p->world.secrets[i] = keep(p, value);
        else
            set_option(p, s, name, value);
    }
}

static void do_workers(struct player *p, struct span rest)
{
    p->world.n_workers = (unsigned)number(p, rest);
    if (p->world.n_workers < 1 || p->world.n_workers > WORLD_WORKERS) complain(p, "1 to 8 workers");
}

static void ensure_open(struct player *p)
{
    if (p->is_open) return;
    p->is_open = true;
    p->world.n_apps = p->n_apps ? p->n_apps : 1;
    p->world.frame_head = ws_text_head;
    world_open(&p->world);
}

static size_t app_with_key(const struct player *p, struct span key)
{
    const struct app *app = apps_find_key(p->world.apps, key);
    if (!app) complain(p, "no app with the key \"%.*s\"", SPAN_FMT(key));
    return app->index;
}

/* --- what is heard --- */

/* The next frame as the browser's decoder gives it; p == NULL: none. */
static struct span read_frame(struct player *p, struct client *c)
{
    if (c->n_read == c->n_heard) return (struct span) { NULL, 0 };
    struct span bytes = msg_frame(c->heard[c->n_read % CLIENT_HEARS]);
    struct span text = client_reads(c);
    struct ws_dec dec = { 0 };
    struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    struct ws_ev ev;
    buf_clear(&p->frame);
    buf_add_span(&p->frame, bytes);
    size_t used = ws_decode(&dec, &limits, (uint8_t *)p->frame.p, p->frame.n, &ev);
    if (ev.kind != WS_EV_MESSAGE || ev.op != WS_OP_TEXT || used != bytes.n ||
        !span_eq(ev.data, text))
        complain(p, "not a whole text frame");
    if (!json_check(text, 512, NULL, NULL)) complain(p, "not JSON: %.*s", SPAN_FMT(text));
    return ev.data;
}

static void expect(struct player *p, struct client *c, struct span want)
{
    bool silence = span_eq(want, SPAN("nothing"));
    struct span got = read_frame(p, c);
    if (silence ? !got.p : got.p && span_eq(got, want)) return;
    if (got.p) complain(p, "\n  heard    %.*s\n  expected %.*s", SPAN_FMT(got), SPAN_FMT(want));
    complain(p, "\n  heard    nothing\n  expected %.*s", SPAN_FMT(want));
}

/* --- commands --- */

static void do_connect(struct player *p, struct span rest)
{
    struct span name = take_word(&rest), value;
    size_t i = p->n_clients++;
    if (i == MAX_CLIENTS || name.n == 0 || name.n >= sizeof p->names[i])
        complain(p, "too many clients, or no good name");
    snprintf(p->names[i], sizeof p->names[i], "%.*s", SPAN_FMT(name));
    uint64_t socket_id = (uint64_t)(i + 1) << 32 | (i + 1);
    unsigned worker = (unsigned)(i % p->world.n_workers);
    size_t app = 0;
    bool aloud = take_last(&rest, SPAN("aloud"), &value);
    while (rest.n) {
        if (take_last(&rest, SPAN("worker="), &value))
            worker = (unsigned)number(p, value);
        else if (take_last(&rest, SPAN("key="), &value))
            app = app_with_key(p, value);
        else if (!take_last(&rest, SPAN("socket="), &value) || !socket_id_read(value, &socket_id))
            complain(p, "what is \"%.*s\"?", SPAN_FMT(rest));
    }
    if (worker >= p->world.n_workers) complain(p, "no worker %u", worker);
    client_open_as(&p->clients[i], &p->world, worker, app, socket_id);
    if (!aloud) client_skips(&p->clients[i]);
}

static void do_publish(struct player *p, struct span rest)
{
    struct span value, channel = take_word(&rest), name = take_word(&rest);
    unsigned worker = 0;
    struct buf name_raw = { 0 };
    json_string(&name_raw, name);
    struct hub_publish publish = {
        .app = &p->world.apps->all[0],
        .channel = channel,
        .kind = chan_kind_of(channel),
        .name_raw = buf_span(&name_raw),
    };
    for (;;) {
        if (take_last(&rest, SPAN("exclude="), &value))
            publish.exclude = client_named(p, value)->conn.socket_id;
        else if (take_last(&rest, SPAN("worker="), &value))
            worker = (unsigned)number(p, value);
        else if (take_last(&rest, SPAN("key="), &value))
            publish.app = &p->world.apps->all[app_with_key(p, value)];
        else
            break;
    }
    publish.data_raw = rest;
    if (!json_check(rest, 512, NULL, NULL)) complain(p, "the data is no JSON");
    hub_turn_begin(p->world.hubs[worker], p->world.now_ms);
    CHECK(hub_publish(p->world.hubs[worker], &publish) == ERR_OK);
    hub_turn_end(p->world.hubs[worker]);
    buf_fini(&name_raw);
}

static void do_terminate(struct player *p, struct span rest)
{
    CHECK(hub_terminate(p->world.hubs[p->world.n_workers - 1], &p->world.apps->all[0], rest) ==
          ERR_OK);
}

static void do_advance(struct player *p, struct span rest)
{
    world_advance(&p->world, number(p, rest));
}

static void do_close(struct player *p, struct span rest)
{
    client_close(client_named(p, rest));
}

static void do_hold(struct player *p, struct span rest)
{
    (void)rest;
    p->holds = true;
}

static void do_go(struct player *p, struct span rest)
{
    (void)rest;
    p->holds = false;
}

/* `count CHANNEL SUBSCRIPTIONS PEOPLE` */
static void do_count(struct player *p, struct span rest)
{
    struct dir_facts facts;
    struct span channel = take_word(&rest);
    uint64_t subs = number(p, take_word(&rest)), users = number(p, take_word(&rest));
    dir_facts(p->world.dir, &p->world.apps->all[0], channel, p->world.now_ms, &facts);
    msg_unref(facts.cached);
    if (facts.n_subs != subs || facts.n_users != users)
        complain(p, "there are %u subscriptions and %u people", facts.n_subs, facts.n_users);
}

static const struct command {
    const char *name;
    bool before_open;
    void (*run)(struct player *p, struct span rest);
} commands[] = {
    { "app", true, do_app },          { "workers", true, do_workers },
    { "connect", false, do_connect }, { "publish", false, do_publish },
    { "advance", false, do_advance }, { "terminate", false, do_terminate },
    { "close", false, do_close },     { "count", false, do_count },
    { "hold", false, do_hold },       { "go", false, do_go },
};

/* --- what a client does --- */

static void do_says(struct player *p, struct client *c, struct span rest)
{
    (void)p;
    client_says_span(c, rest);
}

static void do_subscribes(struct player *p, struct client *c, struct span rest)
{
    (void)p;
    struct buf text = { 0 };
    struct span channel = take_word(&rest);
    write_subscribe(&text, c, channel, rest.n ? rest : (struct span) { NULL, 0 });
    client_says_span(c, buf_span(&text));
    buf_fini(&text);
}

static void do_unsubscribes(struct player *p, struct client *c, struct span rest)
{
    (void)p;
    struct buf text = { 0 };
    BUF_ADD_LIT(&text, "{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":");
    json_string(&text, rest);
    BUF_ADD_LIT(&text, "}}");
    client_says_span(c, buf_span(&text));
    buf_fini(&text);
}

static void do_signs_in(struct player *p, struct client *c, struct span rest)
{
    (void)p;
    struct buf text = { 0 };
    write_signin(&text, c, rest);
    client_says_span(c, buf_span(&text));
    buf_fini(&text);
}

/* `A closed CODE [TEXT]` */
static void do_closed(struct player *p, struct client *c, struct span rest)
{
    uint64_t code = number(p, take_word(&rest));
    expect(p, c, SPAN("nothing"));
    if (c->close_code != code) complain(p, "closed with %u", c->close_code);
    if (rest.n && !span_eq(rest, span_str(c->close_text)))
        complain(p, "closed with \"%s\"", c->close_text);
}

static void do_open(struct player *p, struct client *c, struct span rest)
{
    (void)rest;
    if (c->close_code || c->conn.closed) complain(p, "closed with %u", c->close_code);
}

static const struct deed {
    const char *name;
    void (*run)(struct player *p, struct client *c, struct span rest);
} deeds[] = {
    { "<", do_says },
    { ">", expect },
    { "subscribes", do_subscribes },
    { "unsubscribes", do_unsubscribes },
    { "signs-in", do_signs_in },
    { "closed", do_closed },
    { "open", do_open },
};

/* --- placeholders --- */

/* `$auth(A,CHANNEL)`, `$times(N,TEXT)`. */
static void expand_one(struct player *p, struct span name, struct span args, struct buf *out)
{
    struct span first;
    span_cut(&args, ',', &first);
    if (!args.p) complain(p, "a placeholder needs two words");
    if (span_eq(name, SPAN("auth"))) {
        char id[SOCKET_ID_MAX];
        const struct client *c = client_named(p, first);
        auth_sign_channel(&c->conn.app->rules->keys, client_socket(c, id), args,
                          (struct span) { NULL, 0 }, out);
    } else if (span_eq(name, SPAN("times"))) {
        for (uint64_t i = number(p, first); i > 0; i--) buf_add_span(out, args);
    } else {
        complain(p, "no placeholder \"%.*s\"", SPAN_FMT(name));
    }
}

/* A dollar sign that is not followed by a name and brackets stands for itself. */
static void expand(struct player *p, struct span line, struct buf *out)
{
    while (line.n) {
        const char *dollar = memchr(line.p, '$', line.n);
        size_t n = dollar ? (size_t)(dollar - line.p) : line.n;
        buf_add_span(out, span_head(line, n));
        line = span_skip(line, n);
        if (!dollar) return;
        const char *open = memchr(line.p, '(', line.n);
        const char *close = open ? memchr(open, ')', (size_t)(line.p + line.n - open)) : NULL;
        if (!close || open - line.p > 6) {
            buf_add_byte(out, '$');
            line = span_skip(line, 1);
            continue;
        }
        expand_one(p, span_of(line.p + 1, (size_t)(open - line.p - 1)),
                   span_of(open + 1, (size_t)(close - open - 1)), out);
        line = span_skip(line, (size_t)(close + 1 - line.p));
    }
}

/* --- playing --- */

static void play(struct player *p, struct span line)
{
    struct span rest = line, first = take_word(&rest);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (!span_eq(first, span_str(commands[i].name))) continue;
        if (!commands[i].before_open) ensure_open(p);
        commands[i].run(p, rest);
        return;
    }
    struct client *c = client_named(p, first);
    struct span what = take_word(&rest);
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
        if (!span_eq(what, span_str(deeds[i].name))) continue;
        deeds[i].run(p, c, rest);
        return;
    }
    complain(p, "what does \"%.*s\" mean?", SPAN_FMT(what));
}

static void play_line(struct player *p, struct span line)
{
    line = span_trim(line);
    if (line.n == 0 || line.p[0] == '#') return;
    struct buf text = { 0 };
    expand(p, line, &text);
    play(p, buf_span(&text));
    buf_fini(&text);
    if (p->is_open && !p->holds) world_settle(&p->world);
}

static void finish(struct player *p)
{
    if (p->n_clients == 0) complain(p, "nobody connected");
    for (size_t i = 0; i < p->n_clients; i++) {
        struct span more = read_frame(p, &p->clients[i]);
        if (more.p) complain(p, "%s heard more: %.*s", p->names[i], SPAN_FMT(more));
    }
    world_end(&p->world);
    for (size_t i = 0; i < p->n_kept; i++) mem_free(p->kept[i]);
    buf_fini(&p->frame);
}

static void play_file(const char *name)
{
    static struct player p;
    p = (struct player) { .file = name };
    world_init(&p.world, 2);
    FILE *f = fopen(name, "re");
    if (!f) complain(&p, "cannot be opened");
    static char line[65536];
    while (fgets(line, sizeof line, f)) {
        p.line++;
        play_line(&p, span_of(line, strcspn(line, "\n")));
    }
    fclose(f);
    finish(&p);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) play_file(argv[i]);
    return argc > 1 ? 0 : 1;
}
