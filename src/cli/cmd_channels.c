/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_channels.c: peal channels: which channels have subscribers, and how many.
 */
#include "base/utf8.h"
#include "cli/api_answer.h"
#include "cli/text.h"
#include <stdio.h>
#include <sysexits.h>

#define NAME_COLUMN_MAX 60

struct request {
    const char *prefix, *info;
    bool json;
    struct target target;
};

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    if (!arg->spec) return diag_set(d, ERR_SYNTAX, "takes no arguments; see --prefix");
    if (arg_is(arg, "--json"))
        req->json = true;
    else if (arg_is(arg, "--prefix"))
        req->prefix = arg->value;
    else if (arg_is(arg, "--info"))
        req->info = arg->value;
    else
        return target_take(&req->target, arg, d);
    return ERR_OK;
}

/* How far the columns behind the names are moved. */
static size_t name_column(struct json_val channels)
{
    struct json_iter it = json_begin(channels);
    struct json_val name, facts;
    struct buf safe = { 0 }, scratch = { 0 };
    size_t width = 0;
    while (json_next_member(&it, &name, &facts)) {
        buf_clear(&safe);
        buf_clear(&scratch);
        text_add_safe(&safe, json_text(name, &scratch));
        size_t n = utf8_count(buf_span(&safe));
        if (n > width) width = n;
    }
    buf_fini(&safe);
    buf_fini(&scratch);
    return width < NAME_COLUMN_MAX ? width : NAME_COLUMN_MAX;
}

static void add_count(const struct json_field *field, const char *one, struct buf *out)
{
    uint64_t n;
    if (field->val.type != JSON_NUMBER || !json_to_u64(field->val, &n)) return;
    buf_add_fmt(out, "  %llu %s%s", (unsigned long long)n, one, n == 1 ? "" : "s");
}

static void add_channel(struct json_val name, struct json_val facts, size_t width, struct buf *out)
{
    struct json_field fields[] = { { .name = "subscription_count" }, { .name = "user_count" } };
    struct buf safe = { 0 }, scratch = { 0 };
    text_add_safe(&safe, json_text(name, &scratch));
    buf_add_span(out, buf_span(&safe));
    if (facts.type == JSON_OBJECT && !json_fields(facts, fields, ARRAY_LEN(fields))) {
        bool some = fields[0].val.type == JSON_NUMBER || fields[1].val.type == JSON_NUMBER;
        for (size_t n = utf8_count(buf_span(&safe)); some && n < width; n++) buf_add_byte(out, ' ');
        add_count(&fields[0], "subscription", out);
        add_count(&fields[1], "user", out);
    }
    buf_add_byte(out, '\n');
    if (buf_failed(&safe) || buf_failed(&scratch)) buf_fail(out);
    buf_fini(&safe);
    buf_fini(&scratch);
}

static void print(struct json_val channels, struct buf *out)
{
    if (channels.type != JSON_OBJECT) return; /* [] of a PHP server: none */
    size_t width = name_column(channels);
    struct json_iter it = json_begin(channels);
    struct json_val name, facts;
    while (json_next_member(&it, &name, &facts)) add_channel(name, facts, width, out);
}

static int ask(struct request *req)
{
    const struct api_get get = { &cmd_channels, "channels", print, req->json };
    const struct auth_param params[] = {
        { SPAN("info"), req->info ? span_str(req->info) : SPAN("subscription_count,user_count") },
        { SPAN("filter_by_prefix"), span_str(req->prefix) },
    };
    const struct http_ask what = { .what = SPAN("channels"),
                                   .params = params,
                                   .n_params = req->prefix ? 2 : 1 };
    struct http_caller caller = { .target = &req->target };
    struct diag d = { "" };
    enum err err = target_resolve(&req->target, &d);
    int code =
        err ? api_call_fail(&cmd_channels, err, &d, get.json) : api_get_print(&get, &caller, &what);
    http_caller_fini(&caller);
    return code;
}

static int run(int argc, char **argv)
{
    struct request req = { .json = false };
    if (!target_init(&req.target)) return cmd_fail(&cmd_channels, EX_OSERR, "out of memory");
    int code = cmd_read_args(&cmd_channels, argc, argv, take, &req);
    if (code == EX_OK) code = ask(&req);
    target_fini(&req.target);
    return code;
}

static const struct arg_spec specs[] = {
    TARGET_SPECS,
    { "--prefix", "PREFIX", "only channels whose name begins so" },
    { "--info", "LIST", "what to ask for (default subscription_count,user_count)" },
    { "--json", NULL, "print the answer as JSON: {\"channels\":{NAME:{…}}}" },
};

const struct cmd cmd_channels = {
    .name = "channels",
    .help = "list the channels that have subscribers",
    .run = run,
    .usage = "peal channels [options]",
    .text = "Lists the channels of the app that have subscribers, each on a line, with how many\n"
            "subscriptions it has, and how many users where it is a presence channel. Other\n"
            "servers refuse user_count unless the prefix is one of presence channels: ask them\n"
            "with --info subscription_count.\n"
            "\n" API_EXIT_CODES,
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples =
        "  peal channels\n"
        "  peal channels --prefix presence- --json\n"
        "  peal channels --info subscription_count --host ws.example.com --port 443 --tls\n",
};
