/* SPDX-License-Identifier: MIT
 * cli/live.c: see live.h. */
#include "cli/live.h"
#include "base/json_read.h"
#include "cli/admin_get.h"

#define LIVE_DEPTH 8

static bool read_restart(struct json_val last, struct live *out)
{
    struct json_field f[] = { { .name = "ok" }, { .name = "failures" }, { .name = "why" } };
    if (last.type == JSON_NULL || last.type == JSON_ABSENT) return true;
    if (last.type != JSON_OBJECT || json_fields(last, f, ARRAY_LEN(f))) return false;
    out->failed = f[0].val.type == JSON_FALSE;
    if (f[1].val.type == JSON_NUMBER && !json_to_u64(f[1].val, &out->failures)) return false;
    if (f[2].val.type == JSON_STRING) json_unescape(f[2].val, &out->why);
    return true;
}

static bool read_live(struct span body, struct live *out)
{
    struct json_field f[] = { { .name = "pid" },
                              { .name = "generation" },
                              { .name = "last_restart" } };
    struct json_val root;
    if (!json_check(body, LIVE_DEPTH, &root, NULL) || root.type != JSON_OBJECT) return false;
    if (json_fields(root, f, ARRAY_LEN(f))) return false;
    if (f[0].val.type != JSON_NUMBER || !json_to_u64(f[0].val, &out->pid)) return false;
    if (f[1].val.type != JSON_NUMBER || !json_to_u64(f[1].val, &out->generation)) return false;
    return read_restart(f[2].val, out);
}

enum err live_ask(const struct config_addr *admin, long timeout_ms, struct live *out,
                  struct diag *d)
{
    struct admin_answer answer = { .status = 0 };
    live_fini(out);
    enum err err = admin_get(admin, "/live", timeout_ms, &answer, d);
    if (!err && (answer.status != 200 || !read_live(buf_span(&answer.body), out)))
        err = admin_strange(admin, answer.status, d);
    admin_answer_fini(&answer);
    return err;
}

void live_fini(struct live *live)
{
    buf_fini(&live->why);
    *live = (struct live) { 0 };
}
