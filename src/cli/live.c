/* SPDX-License-Identifier: MIT
 * cli/live.c: see live.h. */
#include "cli/live.h"
#include "base/json_read.h"
#include "cli/curl_setup.h"

#define ANSWER_MAX 65536
#define LIVE_DEPTH 8

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
    struct buf *body = ctx;
    if (size * n > ANSWER_MAX - body->n) return 0;
    buf_add(body, p, size * n);
    return buf_failed(body) ? 0 : size * n;
}

/* Who listens everywhere is here, too. */
static struct span dial_host(struct span host)
{
    if (span_eq(host, SPAN("0.0.0.0"))) return SPAN("127.0.0.1");
    if (span_eq(host, SPAN("::"))) return SPAN("::1");
    return host;
}

static enum err perform(const struct target *t, const char *url, long timeout_ms, long *status,
                        struct buf *body, struct diag *d)
{
    CURL *curl = curl_setup(t, url);
    if (!curl) return diag_set(d, ERR_NOMEM, "out of memory");
    CURLcode code = curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (!code) code = curl_easy_perform(curl);
    if (!code) code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    curl_easy_cleanup(curl);
    return curl_result(t, code, d);
}

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

static enum err judge(const struct target *t, long status, struct span body, struct live *out,
                      struct diag *d)
{
    struct buf where = { 0 };
    enum err err = ERR_OK;
    target_authority(t, &where);
    if (status == 403)
        err = diag_set(d, ERR_DENIED, "%.*s refuses this Host: add it to its option admin.hosts",
                       SPAN_FMT(buf_span(&where)));
    else if (status != 200 || !read_live(body, out))
        err =
            diag_set(d, ERR_SYNTAX,
                     "%.*s answers, but not as the admin listener of Peal does (status %ld): is it "
                     "the address of admin.listen?",
                     SPAN_FMT(buf_span(&where)), status);
    buf_fini(&where);
    return err;
}

enum err live_ask(const struct config_addr *admin, long timeout_ms, struct live *out,
                  struct diag *d)
{
    bool unix_socket = admin->kind == CONFIG_ADDR_UNIX;
    struct target t = {
        .host = unix_socket ? SPAN("localhost") : dial_host(admin->host),
        .socket = unix_socket ? admin->path : SPAN(""),
        .port = unix_socket ? 80 : admin->port,
    };
    struct buf url = { 0 }, body = { 0 };
    long status = 0;
    live_fini(out);
    buf_add_fmt(&url, "http://");
    target_authority(&t, &url);
    buf_add_fmt(&url, "/live");
    buf_add_byte(&url, '\0');
    enum err err = buf_failed(&url) ? diag_set(d, ERR_NOMEM, "out of memory")
                                    : perform(&t, url.p, timeout_ms, &status, &body, d);
    if (!err) err = judge(&t, status, buf_span(&body), out, d);
    buf_fini(&url);
    buf_fini(&body);
    return err;
}

void live_fini(struct live *live)
{
    buf_fini(&live->why);
    *live = (struct live) { 0 };
}
