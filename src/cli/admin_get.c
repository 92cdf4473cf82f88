/* SPDX-License-Identifier: MIT
 * cli/admin_get.c: see admin_get.h. */
#include "cli/admin_get.h"
#include "cli/curl_setup.h"
#include "server/config_value.h"

#define ANSWER_MAX ((size_t)16 * 1024 * 1024)

enum err admin_get_where(struct settings *settings, const char *flag, struct config **cfg,
                         struct config_addr *out, struct diag *d)
{
    if (flag) {
        if (config_addr_parse(span_str(flag), out) && (out->path.n || out->port)) return ERR_OK;
        return diag_set(d, ERR_SYNTAX, "--admin needs HOST:PORT, [V6]:PORT or unix:/PATH");
    }
    enum err err = settings_load(settings, cfg, d);
    if (err) return err;
    *out = (*cfg)->admin.listen.items[0];
    if (out->kind == CONFIG_ADDR_UNIX || out->port) return ERR_OK;
    return diag_set(d, ERR_CONFIG,
                    "admin.listen has port 0 here, so the server chose one: say --admin HOST:PORT, "
                    "as in its ready line");
}

static struct target target_of(const struct config_addr *admin)
{
    bool unix_socket = admin->kind == CONFIG_ADDR_UNIX;
    return (struct target) {
        .host = unix_socket ? SPAN("localhost") : target_dialled(admin->host),
        .socket = unix_socket ? admin->path : SPAN(""),
        .port = unix_socket ? 80 : admin->port,
    };
}

static enum err perform(const struct target *t, const char *url, long timeout_ms,
                        struct admin_answer *out, struct diag *d)
{
    CURL *curl = curl_setup(t, url);
    if (!curl) return diag_set(d, ERR_NOMEM, "out of memory");
    struct curl_body body = { &out->body, ANSWER_MAX };
    CURLcode code = curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    if (!code) code = curl_keep_body(curl, &body);
    if (!code) code = curl_easy_perform(curl);
    if (!code) code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
    curl_easy_cleanup(curl);
    return curl_result(t, code, d);
}

enum err admin_get(const struct config_addr *admin, const char *path, long timeout_ms,
                   struct admin_answer *out, struct diag *d)
{
    const struct target t = target_of(admin);
    struct buf url = { 0 };
    admin_answer_fini(out);
    buf_add_fmt(&url, "http://");
    target_authority(&t, &url);
    size_t host_n = url.n - 7;
    buf_add_fmt(&url, "%s", path);
    buf_add_byte(&url, '\0');
    enum err err = buf_failed(&url) ? diag_set(d, ERR_NOMEM, "out of memory")
                                    : perform(&t, url.p, timeout_ms, out, d);
    if (!err && out->status == 403)
        err = diag_set(d, ERR_DENIED, "%.*s refuses this Host: add it to its option admin.hosts",
                       (int)host_n, url.p + 7);
    buf_fini(&url);
    return err;
}

void admin_answer_fini(struct admin_answer *answer)
{
    buf_fini(&answer->body);
    answer->status = 0;
}

enum err admin_strange(const struct config_addr *admin, long status, struct diag *d)
{
    const struct target t = target_of(admin);
    struct buf where = { 0 };
    target_authority(&t, &where);
    diag_set(d, ERR_SYNTAX,
             "%.*s answers, but not as the admin listener of Peal does (status %ld): is it "
             "the address of admin.listen?",
             SPAN_FMT(buf_span(&where)), status);
    buf_fini(&where);
    return ERR_SYNTAX;
}
