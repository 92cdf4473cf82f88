/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_password.c: peal password: the line for dashboard.password_hash. The password itself is
 * printed nowhere, and is no argument, since those show in `ps` and in the shell's history.
 */
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/read_password.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <sysexits.h>

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    bool *json = ctx;
    if (!arg->spec)
        return diag_set(
            d, ERR_SYNTAX,
            "takes no password as an argument, which `ps` and the shell's history would "
            "show; it asks for it, or reads it from stdin");
    *json = true;
    return ERR_OK;
}

static void write_json(struct span hash, struct buf *out)
{
    json_open(out, '{');
    json_key(out, SPAN("password_hash"));
    json_string(out, hash);
    json_close(out, '}');
    buf_add_byte(out, '\n');
}

/* In single quotes: between double ones, and between none, shells and some readers of .env files
 * take the dollars for variables. */
static void write_lines(struct span hash, struct buf *out)
{
    buf_add_fmt(out, "# .env, or the environment\nPEAL_DASHBOARD_PASSWORD_HASH='%.*s'\n\n",
                SPAN_FMT(hash));
    buf_add_fmt(out, "# peal.yaml\ndashboard:\n  password_hash: '%.*s'\n", SPAN_FMT(hash));
}

static int print(struct span hash, bool json)
{
    struct buf out = { 0 };
    if (json)
        write_json(hash, &out);
    else
        write_lines(hash, &out);
    bool ok = !buf_failed(&out);
    if (ok) fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
    return ok ? EX_OK : cmd_fail(&cmd_password, EX_OSERR, "out of memory");
}

static int make(const char *password, bool json)
{
    struct buf hash = { 0 };
    enum err err = password_hash_make(span_str(password), &hash);
    int code;
    if (err == ERR_RANGE)
        code = cmd_fail(&cmd_password, EX_DATAERR,
                        "the password must have at least 12 characters (1024 octets at most), in "
                        "UTF-8 and without control characters");
    else if (err)
        code = cmd_fail(&cmd_password, EX_OSERR, "out of memory");
    else
        code = print(buf_span(&hash), json);
    buf_fini(&hash);
    return code;
}
_Static_assert(PASSWORD_MIN_CHARS == 12 && PASSWORD_MAX_BYTES == 1024, "make() says so");

static int run(int argc, char **argv)
{
    char password[PASSWORD_MAX_BYTES + 2];
    struct diag d = { "" };
    bool json = false;
    int code = cmd_read_args(&cmd_password, argc, argv, take, &json);
    if (code != EX_OK) return code;
    enum err err = read_password(password, &d);
    code = err ? cmd_fail(&cmd_password, err == ERR_IO ? EX_NOINPUT : EX_DATAERR, d.text)
               : make(password, json);
    OPENSSL_cleanse(password, sizeof password);
    return code;
}

static const struct arg_spec specs[] = {
    { "--json", NULL, "print JSON: {\"password_hash\":\"...\"}" },
};

const struct cmd cmd_password = {
    .name = "password",
    .help = "hash a password for the exposed dashboard",
    .run = run,
    .usage = "peal password [--json]",
    .text =
        "Asks for a password, twice and without showing it, or reads the first line of stdin, and\n"
        "prints the lines for .env and peal.yaml that make it the password of the dashboard on\n"
        "the main listener (dashboard.expose). The password must have 12 characters. It is\n"
        "hashed with scrypt and a salt of its own, so each time another line is printed.\n"
        "\n"
        "Exit codes: 65 the password is too short, or was not the same twice.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal password\n"
                "  openssl rand -base64 18 | tee dashboard-password.txt | peal password\n",
};
