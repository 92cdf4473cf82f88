/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_users.c: peal users: who is on a presence channel.
 */
#include "cli/api_answer.h"
#include "cli/text.h"
#include <sysexits.h>

struct request {
    const char *channel;
    bool info, json;
    struct target target;
};

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    if (!arg->spec) {
        if (req->channel) return diag_set(d, ERR_SYNTAX, "takes one CHANNEL");
        req->channel = arg->value;
        return ERR_OK;
    }
    if (arg_is(arg, "--json"))
        req->json = true;
    else if (arg_is(arg, "--info"))
        req->info = true;
    else
        return target_take(&req->target, arg, d);
    return ERR_OK;
}

static void add_user(struct json_val user, struct buf *out)
{
    struct json_field fields[] = { { .name = "id" }, { .name = "user_info" } };
    struct buf scratch = { 0 };
    if (user.type != JSON_OBJECT || json_fields(user, fields, ARRAY_LEN(fields))) return;
    struct json_val id = fields[0].val;
    text_add_safe(out, id.type == JSON_STRING ? json_text(id, &scratch) : id.raw);
    if (fields[1].val.type != JSON_ABSENT) {
        BUF_ADD_LIT(out, "  ");
        text_add_safe(out, fields[1].val.raw);
    }
    buf_add_byte(out, '\n');
    if (buf_failed(&scratch)) buf_fail(out);
    buf_fini(&scratch);
}

static void print(struct json_val users, struct buf *out)
{
    if (users.type != JSON_ARRAY) return;
    struct json_iter it = json_begin(users);
    struct json_val user;
    while (json_next_item(&it, &user)) add_user(user, out);
}

static int ask_for(const struct request *req, struct span path)
{
    const struct api_get get = { &cmd_users, "users", print, req->json };
    const struct auth_param param = { SPAN("with_user_info"), SPAN("1") };
    const struct http_ask what = { .what = path, .params = &param, .n_params = req->info };
    struct http_caller caller = { .target = &req->target };
    int code = api_get_print(&get, &caller, &what);
    http_caller_fini(&caller);
    return code;
}

static int ask(struct request *req)
{
    struct buf path = { 0 };
    struct diag d = { "" };
    enum err err = target_resolve(&req->target, &d);
    BUF_ADD_LIT(&path, "channels/");
    http_call_segment(span_str(req->channel), &path);
    BUF_ADD_LIT(&path, "/users");
    if (!err && buf_failed(&path)) err = ERR_NOMEM;
    int code = err ? api_call_fail(&cmd_users, err, &d, req->json) : ask_for(req, buf_span(&path));
    buf_fini(&path);
    return code;
}

static int run(int argc, char **argv)
{
    struct request req = { .channel = NULL };
    if (!target_init(&req.target)) return cmd_fail(&cmd_users, EX_OSERR, "out of memory");
    int code = cmd_read_args(&cmd_users, argc, argv, take, &req);
    if (code == EX_OK && (!req.channel || !*req.channel))
        code = cmd_fail(&cmd_users, EX_USAGE, "needs a CHANNEL");
    if (code == EX_OK) code = ask(&req);
    target_fini(&req.target);
    return code;
}

static const struct arg_spec specs[] = {
    TARGET_SPECS,
    { "--info", NULL, "print the user_info of each, too" },
    { "--json", NULL, "print the answer as JSON: {\"users\":[{\"id\":…}]}" },
};

const struct cmd cmd_users = {
    .name = "users",
    .help = "list who is on a presence channel",
    .run = run,
    .usage = "peal users CHANNEL [options]",
    .text = "Lists the users of a presence channel, each on a line: the id, and with --info what\n"
            "the others see of the user.\n"
            "\n" API_EXIT_CODES,
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal users presence-room\n"
                "  peal users presence-room --info --json\n",
};
