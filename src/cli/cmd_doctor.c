/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_doctor.c: peal doctor: goes along the chain and prints each link as it is found.
 */
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/doctor.h"
#include "cli/text.h"
#include <stdio.h>
#include <sysexits.h>

#define IDLE_MAX_S 86400

/* --- reporting --- */

static const char *const states[] = { "ok", "doubt", "broken", "skipped" };
static const char *const marks[] = { "ok   ", "?    ", "FAIL ", "skip " };

static void print(enum finding kind, const char *link, const char *text, const char *change)
{
    struct buf line = { 0 };
    buf_add_fmt(&line, "%s %-12s ", marks[kind], link);
    text_add_safe(&line, span_str(text));
    if (change) {
        BUF_ADD_LIT(&line, "\n                   change: ");
        text_add_safe(&line, span_str(change));
    }
    BUF_ADD_LIT(&line, "\n");
    if (!buf_failed(&line)) fwrite(line.p, 1, line.n, stdout);
    fflush(stdout);
    buf_fini(&line);
}

static void add_json(struct buf *out, const char *key, const char *text)
{
    json_key(out, span_str(key));
    if (text)
        json_string(out, span_str(text));
    else
        json_null(out);
}

void doctor_report(struct doctor *d, enum finding kind, const char *link, const char *text,
                   const char *change)
{
    if (kind == FINDING_BROKEN && !d->first_broken) d->first_broken = link;
    if (kind == FINDING_DOUBT) d->n_doubts++;
    if (!d->json) {
        print(kind, link, text, change);
        return;
    }
    json_open(&d->out, '{');
    add_json(&d->out, "link", link);
    add_json(&d->out, "state", states[kind]);
    add_json(&d->out, "text", text);
    add_json(&d->out, "change", change);
    json_close(&d->out, '}');
}

static int conclude(struct doctor *d)
{
    int code = d->first_broken ? EX_UNAVAILABLE : EX_OK;
    if (d->json) {
        json_close(&d->out, ']');
        add_json(&d->out, "first_broken", d->first_broken);
        json_close(&d->out, '}');
        if (buf_failed(&d->out)) return EX_OSERR;
        printf("%.*s\n", SPAN_FMT(buf_span(&d->out)));
        return code;
    }
    if (d->first_broken)
        printf("\nThe first broken link is '%s': begin there.\n", d->first_broken);
    else if (d->n_doubts)
        printf("\nNo link is broken; %u to look at.\n", d->n_doubts);
    else
        printf("\nAll is well.\n");
    return code;
}

/* --- the chain --- */

static void skip(struct doctor *d, const char *link, const char *because)
{
    char text[100];
    snprintf(text, sizeof text, "not looked at, since '%s' is broken", because);
    doctor_report(d, FINDING_SKIPPED, link, text, NULL);
}

static void examine_protocol(struct doctor *d)
{
    bool api = doctor_api(d), socket = doctor_socket(d);
    if (api && socket)
        doctor_event(d);
    else
        skip(d, "event", d->first_broken);
    if (!d->idle_s) return;
    if (socket)
        doctor_idle(d);
    else
        skip(d, "idle", d->first_broken);
}

static int examine(struct doctor *d)
{
    if (d->json) {
        json_open(&d->out, '{');
        json_key(&d->out, SPAN("findings"));
        json_open(&d->out, '[');
    }
    doctor_settings(d);
    doctor_laravel(d);
    doctor_descriptors(d);
    if (doctor_name(d) && doctor_connection(d) && doctor_server(d)) {
        examine_protocol(d);
    } else {
        static const char *const rest[] = { "api", "socket", "event" };
        for (size_t i = 0; i < ARRAY_LEN(rest); i++) skip(d, rest[i], d->first_broken);
    }
    return conclude(d);
}

/* --- arguments --- */

static enum err take(void *ctx, const struct arg *arg, struct diag *why)
{
    struct doctor *d = ctx;
    if (!arg->spec) return target_take_url(&d->target, arg->value, why);
    if (arg_is(arg, "--json"))
        d->json = true;
    else if (arg_is(arg, "--idle"))
        return arg_number(arg, 1, IDLE_MAX_S, &d->idle_s, why) ? ERR_OK : ERR_SYNTAX;
    else
        return target_take(&d->target, arg, why);
    return ERR_OK;
}

static int run(int argc, char **argv)
{
    struct doctor d = { .json = false };
    struct diag why = { "" };
    if (!target_init(&d.target)) return cmd_fail(&cmd_doctor, EX_OSERR, "out of memory");
    int code = cmd_read_args(&cmd_doctor, argc, argv, take, &d);
    if (code == EX_OK) {
        enum err err = target_resolve(&d.target, &why);
        code = err ? cmd_fail_err(&cmd_doctor, err, &why) : examine(&d);
    }
    buf_fini(&d.out);
    target_fini(&d.target);
    return code;
}

static const struct arg_spec specs[] = {
    TARGET_SPECS,
    { "--idle", "SECONDS", "also keep a silent connection for so long: do proxies cut it?" },
    { "--json", NULL, "print JSON: {\"findings\":[{link,state,text,change}],\"first_broken\"}" },
};

const struct cmd cmd_doctor = {
    .name = "doctor",
    .help = "find the broken link between back end, server and browser",
    .run = run,
    .usage = "peal doctor [URL] [options]",
    .text =
        "Looks at each link from outside, as a browser and a back end would: settings here, the\n"
        ".env and config/broadcasting.php of a Laravel application here, the name, TCP, TLS and\n"
        "certificate, whether Peal answers, the HTTP API (path through proxies, key, signature,\n"
        "clock), the WebSocket (path, upgrade, key, a private channel), and an event that is\n"
        "published and received. What is wrong comes with the line to change.\n"
        "\n"
        "URL is the address that browsers use (https://ws.example.com); without it the server\n"
        "is the one that .env and peal.yaml here tell of. Run it where the browser is as well\n"
        "as where the back end is: they may see different networks.\n"
        "\n"
        "Exit codes: 0 no link is broken, 69 one is, 78 the settings here cannot be read.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal doctor\n"
                "  peal doctor https://ws.example.com --app shop\n"
                "  peal doctor https://ws.example.com/ws --app @app.txt --idle 180\n"
                "  peal doctor --json | jq -r .first_broken\n",
};
