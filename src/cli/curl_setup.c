/* SPDX-License-Identifier: MIT
 *
 * cli/curl_setup.c: options of a libcurl handle, and its results in our terms.
 */
#include "cli/curl_setup.h"
#include "base/buf.h"

#define CONNECT_TIMEOUT_MS 10000L

static bool is_here(const struct target *t)
{
    static const struct span names[] = { { "localhost", 9 }, { "127.0.0.1", 9 }, { "::1", 3 } };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (span_eq_nocase(t->host, names[i])) return true;
    return t->socket.n > 0;
}

static CURLcode set_basics(CURL *curl, const char *url)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_USERAGENT, "peal/" PEAL_VERSION);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    return code;
}

static CURLcode set_target(CURL *curl, const struct target *t)
{
    CURLcode code = CURLE_OK;
    if (is_here(t)) code = curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (!code && t->ca) code = curl_easy_setopt(curl, CURLOPT_CAINFO, t->ca);
    if (!code && t->socket.n) code = curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, t->socket.p);
    return code;
}

CURL *curl_setup(const struct target *t, const char *url)
{
    CURL *curl = curl_easy_init();
    if (!curl) return NULL;
    CURLcode code = set_basics(curl, url);
    if (!code) code = set_target(curl, t);
    if (!code) return curl;
    curl_easy_cleanup(curl);
    return NULL;
}

/* What to try, where the two ends speak different languages. */
static const char *hint(const struct target *t, CURLcode code)
{
    if (t->tls && code == CURLE_SSL_CONNECT_ERROR)
        return "; if this port is without TLS, leave out --tls";
    if (!t->tls && (code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
                    code == CURLE_UNSUPPORTED_PROTOCOL))
        return "; if this port wants TLS, use --tls";
    if (t->tls && code == CURLE_PEER_FAILED_VERIFICATION)
        return "; --ca FILE trusts another certificate";
    if (code == CURLE_COULDNT_CONNECT)
        return "; start the server there (peal serve), or say where it is (flags, .env, peal.yaml)";
    return "";
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
    const struct curl_body *body = ctx;
    if (size * n > body->max - body->to->n) return 0;
    buf_add(body->to, p, size * n);
    return buf_failed(body->to) ? 0 : size * n;
}

CURLcode curl_keep_body(CURL *curl, struct curl_body *body)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    return code ? code : curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
}

enum err curl_result(const struct target *t, CURLcode code, struct diag *d)
{
    struct buf where = { 0 };
    enum err err = ERR_CLOSED;
    if (code == CURLE_OK) return ERR_OK;
    if (code == CURLE_COULDNT_RESOLVE_HOST) err = ERR_ABSENT;
    if (code == CURLE_COULDNT_CONNECT) err = ERR_IO;
    if (code == CURLE_OUT_OF_MEMORY) err = ERR_NOMEM;
    if (t->socket.n)
        buf_add_fmt(&where, "unix:%.*s", SPAN_FMT(t->socket));
    else
        target_authority(t, &where);
    diag_set(d, err, "%.*s: %s%s", SPAN_FMT(where), curl_easy_strerror(code), hint(t, code));
    buf_fini(&where);
    return err;
}
