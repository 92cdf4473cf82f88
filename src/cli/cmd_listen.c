/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_listen.c: peal listen: prints the events of some channels, over as many connections as it
 * takes (cli/subscriber.h has one of them).
 */
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/cmd.h"
#include "cli/subscriber.h"
#include <poll.h>
#include <signal.h>
#include <sysexits.h>

#define MAX_CHANNELS 1000
#define MAX_WAIT_MS 15000

struct request {
    const char *channels[MAX_CHANNELS];
    size_t n_channels;
    const char *user_id, *user_info;
    uint64_t count, timeout_s;
    bool json;
    struct target target;
};

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    if (!arg->spec) {
        if (req->n_channels == MAX_CHANNELS)
            return diag_set(d, ERR_SYNTAX, "more than %d channels", MAX_CHANNELS);
        req->channels[req->n_channels++] = arg->value;
        return ERR_OK;
    }
    if (arg_is(arg, "--json"))
        req->json = true;
    else if (arg_is(arg, "--user-id"))
        req->user_id = arg->value;
    else if (arg_is(arg, "--user-info"))
        req->user_info = arg->value;
    else if (arg_is(arg, "--count"))
        return arg_number(arg, 1, UINT64_MAX, &req->count, d) ? ERR_OK : ERR_SYNTAX;
    else if (arg_is(arg, "--timeout"))
        return arg_number(arg, 1, 31536000, &req->timeout_s, d) ? ERR_OK : ERR_SYNTAX;
    else
        return target_take(&req->target, arg, d);
    return ERR_OK;
}

static const char *check(const struct request *req)
{
    if (!req->n_channels) return "needs at least one CHANNEL";
    for (size_t i = 0; i < req->n_channels; i++)
        if (!utf8_valid(span_str(req->channels[i]))) return "a channel's name is not UTF-8";
    if (!utf8_valid(span_str(req->user_id))) return "--user-id is not UTF-8";
    if (req->user_info && !json_check(span_str(req->user_info), 64, NULL, NULL))
        return "--user-info must be JSON, like '{\"name\":\"Ann\"}'";
    return NULL;
}

static int read_args(struct request *req, int argc, char **argv)
{
    int code = cmd_read_args(&cmd_listen, argc, argv, take, req);
    const char *wrong = code == EX_OK ? check(req) : NULL;
    return wrong ? cmd_fail(&cmd_listen, EX_USAGE, wrong) : code;
}

static void wait_ms(uint64_t ms, uint64_t deadline_ms)
{
    uint64_t until = clock_mono_ms() + ms;
    if (until > deadline_ms) until = deadline_ms;
    for (uint64_t now; (now = clock_mono_ms()) < until;) poll(NULL, 0, (int)(until - now));
}

/* No such key, disabled, not authorised: it is not the server that is short of something. */
static bool is_denial(uint16_t code)
{
    return code == 4001 || code == 4003 || code == 4009;
}

static int refuse(const struct subscriber *s)
{
    struct diag d;
    if (s->code == 4000)
        diag_set(&d, ERR_CLOSED, "the server wants TLS: use --tls");
    else
        diag_set(&d, ERR_CLOSED, "closed for good, code %u%s%.900s", s->code,
                 s->why.text[0] ? ": " : "", s->why.text);
    return cmd_fail_json(&cmd_listen, is_denial(s->code) ? EX_NOPERM : EX_UNAVAILABLE, d.text,
                         s->wish->json);
}

static int unreached(const struct subscriber *s)
{
    int code = s->err == ERR_ABSENT   ? EX_NOHOST
               : s->err == ERR_DENIED ? EX_PROTOCOL
                                      : EX_UNAVAILABLE;
    return cmd_fail_json(&cmd_listen, code, s->why.text[0] ? s->why.text : err_text(s->err),
                         s->wish->json);
}

/* The server may not say why: whoever asks here signs with the secret that he has. */
static int refuse_channels(const struct subscriber *s)
{
    struct diag d;
    diag_set(
        &d, ERR_DENIED,
        "%.900s Is this the secret of the app? peal trace tells what the server saw, peal sign "
        "what is signed.",
        s->why.text);
    return cmd_fail_json(&cmd_listen, EX_NOPERM, d.text, s->wish->json);
}

static void say_lost(const struct subscriber *s)
{
    struct diag d;
    diag_set(&d, ERR_CLOSED, "disconnected, code %u%s%.900s; connecting again", s->code,
             s->why.text[0] ? ": " : "", s->why.text);
    cmd_fail(&cmd_listen, 0, d.text);
}

/* Whether to go on after this end; else `*code` is the exit code. */
static bool goes_on(struct subscriber *s, enum subscriber_end end, uint64_t *wait, int *code)
{
    switch (end) {
    case SUBSCRIBER_ENOUGH:
        *code = EX_OK;
        return false;
    case SUBSCRIBER_TIMEOUT:
        *code = s->wish->count ? EX_TEMPFAIL : EX_OK;
        return false;
    case SUBSCRIBER_REFUSED:
        *code = refuse_channels(s);
        return false;
    case SUBSCRIBER_NO_OUTPUT:
        *code = EX_IOERR;
        return false;
    case SUBSCRIBER_UNREACHED:
        if (!s->was_established) {
            *code = unreached(s);
            return false;
        }
        *wait = *wait < 1000 ? 1000 : *wait * 2 < MAX_WAIT_MS ? *wait * 2 : MAX_WAIT_MS;
        return true;
    case SUBSCRIBER_LOST:
        if (!subscriber_retry_ms(s->code, wait)) {
            *code = refuse(s);
            return false;
        }
        /* A server that sends everybody away at once must not make us spin. */
        if (!s->established) *wait = 1000;
        say_lost(s);
        return true;
    }
    UNREACHABLE();
}

static int listen_on(const struct subscriber_wish *wish)
{
    struct subscriber s = { .wish = wish };
    uint64_t wait = 0;
    int code = EX_OK;
    while (goes_on(&s, subscriber_run(&s), &wait, &code)) wait_ms(wait, wish->deadline_ms);
    return code;
}

static int listen_to(struct request *req)
{
    struct diag d = { "" };
    enum err err = target_resolve(&req->target, &d);
    if (err == ERR_SYNTAX) return cmd_fail(&cmd_listen, EX_USAGE, d.text);
    if (err) return cmd_fail_err(&cmd_listen, err, &d);
    struct subscriber_wish wish = {
        .target = &req->target,
        .channels = req->channels,
        .n_channels = req->n_channels,
        .user_id = req->user_id ? span_str(req->user_id) : SPAN("peal-listen"),
        .user_info = span_str(req->user_info),
        .json = req->json,
        .count = req->count,
        .deadline_ms = req->timeout_s ? clock_mono_ms() + req->timeout_s * 1000 : UINT64_MAX,
    };
    signal(SIGPIPE, SIG_IGN); /* a closed stdout is an exit code, a closed socket a reconnect */
    return listen_on(&wish);
}

static int run(int argc, char **argv)
{
    struct request req = { .n_channels = 0 };
    if (!target_init(&req.target)) return cmd_fail(&cmd_listen, EX_OSERR, "out of memory");
    int code = read_args(&req, argc, argv);
    if (code == EX_OK) code = listen_to(&req);
    target_fini(&req.target);
    return code;
}

static const struct arg_spec specs[] = {
    TARGET_SPECS,
    { "--user-id", "ID", "who we are on presence channels (default peal-listen)" },
    { "--user-info", "JSON", "and what others see of us" },
    { "--count", "N", "end after N events (those of the protocol do not count)" },
    { "--timeout", "S", "end after S seconds" },
    { "--json", NULL, "one JSON object per line: time, channel, event, data" },
};

const struct cmd cmd_listen = {
    .name = "listen",
    .help = "print events as they come",
    .run = run,
    .usage = "peal listen CHANNEL… [options]",
    .text =
        "Subscribes and prints each event on a line: time, channel, event, data. Signs private\n"
        "and presence channels with the app's secret. Comes back after a lost connection, as\n"
        "browsers do. What happens to the connection is said on stderr.\n"
        "\n"
        "Exit codes: 0 --count is reached, or --timeout without --count; 68 no such host, 69\n"
        "no connection, 75 --timeout before --count, 76 no WebSocket server, 77 not allowed\n"
        "(no such key, app disabled, origin, all channels refused), 78 configuration.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal listen orders private-user.1\n"
                "  peal listen orders --count 1 --timeout 10 --json\n"
                "  peal listen presence-room --user-id 7 --user-info '{\"name\":\"Ann\"}'\n",
};
