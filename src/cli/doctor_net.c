/* SPDX-License-Identifier: MIT
 *
 * cli/doctor_net.c: the links as far as HTTP: name, TCP, TLS, and who it is that answers.
 */
#include "base/buf.h"
#include "cli/doctor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#define TIMEOUT_MS 10000L
#define ANSWER_MAX 65536
#define TEXT_MAX 600
#define CERTIFICATE_SOON_DAYS 14

/* --- name --- */

static void add_addresses(const struct addrinfo *all, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    unsigned n = 0;
    for (const struct addrinfo *one = all; one && n < 4; one = one->ai_next, n++) {
        if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST))
            continue;
        buf_add_fmt(out, "%s%s", n ? ", " : "", text);
    }
    buf_add_byte(out, '\0');
}

bool doctor_name(struct doctor *d)
{
    const struct target *t = &d->target;
    char host[256], text[TEXT_MAX];
    if (t->socket.n) {
        snprintf(text, sizeof text, "unix:%.*s", SPAN_FMT(t->socket));
        doctor_report(d, FINDING_OK, "name", text, NULL);
        return true;
    }
    const struct addrinfo want = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *all = NULL;
    snprintf(host, sizeof host, "%.*s", SPAN_FMT(t->host));
    int error = getaddrinfo(host, NULL, &want, &all);
    if (error) {
        snprintf(text, sizeof text, "%s has no address: %s", host, gai_strerror(error));
        doctor_report(d, FINDING_BROKEN, "name", text,
                      "PUSHER_HOST (or --host, or the URL): the name under which this machine can "
                      "reach the server; or its DNS record");
        return false;
    }
    struct buf list = { 0 };
    add_addresses(all, &list);
    freeaddrinfo(all);
    snprintf(text, sizeof text, "%s is %s", host, buf_failed(&list) ? "known" : list.p);
    buf_fini(&list);
    doctor_report(d, FINDING_OK, "name", text, NULL);
    return true;
}

/* --- connection --- */

static CURL *open_handle(struct doctor *d, const char *path, char error[CURL_ERROR_SIZE])
{
    const struct target *t = &d->target;
    struct buf url = { 0 };
    buf_add_fmt(&url, "%s://", t->tls ? "https" : "http");
    target_authority(t, &url);
    buf_add_fmt(&url, "%.*s%s", SPAN_FMT(t->path), path);
    buf_add_byte(&url, '\0');
    CURL *curl = buf_failed(&url) ? NULL : curl_setup(t, url.p);
    buf_fini(&url);
    error[0] = '\0';
    if (!curl) return NULL;
    bool ok = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS) == CURLE_OK;
    if (ok) return curl;
    curl_easy_cleanup(curl);
    return NULL;
}

static void refused(struct doctor *d, CURL *curl, const char *where)
{
    char text[TEXT_MAX];
    long os_error = 0;
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
    if (os_error == ECONNREFUSED || os_error == ENOENT) {
        snprintf(text, sizeof text, "nothing listens on %s", where);
        doctor_report(d, FINDING_BROKEN, "connection", text,
                      "start the server there (peal serve), or set PUSHER_PORT (or --port, or the "
                      "URL) to the port that it has");
        return;
    }
    snprintf(text, sizeof text, "%s cannot be reached: %s", where,
             os_error ? strerror((int)os_error) : "no answer");
    doctor_report(d, FINDING_BROKEN, "connection", text,
                  "a firewall between here and there, or a server that listens on another address: "
                  "listen=0.0.0.0:6001 where it is bound to loopback");
}

/* Which line to change where the certificate is the reason. */
static const char *certificate_change(const char *why)
{
    if (strstr(why, "expired")) return "renew the certificate, and reload the proxy";
    if (strstr(why, "subject name") || strstr(why, "hostname"))
        return "a certificate for this very name, or PUSHER_HOST as the name that it has";
    if (strstr(why, "self") || strstr(why, "issuer"))
        return "ssl_certificate must be the whole chain (fullchain.pem); for an authority of your "
               "own give --ca FILE here, and install it in the browsers";
    return "ssl_certificate and ssl_certificate_key of the proxy";
}

static void tls_failed(struct doctor *d, CURLcode code, const char *error)
{
    char text[TEXT_MAX];
    bool plain = strstr(error, "wrong version number") || strstr(error, "packet length too long") ||
                 strstr(error, "alert internal error"); /* what Peal itself answers */
    bool verified = code == CURLE_PEER_FAILED_VERIFICATION;
    snprintf(text, sizeof text, "%s: %s",
             verified ? "the certificate is not trusted" : "TLS does not work", error);
    if (plain)
        doctor_report(d, FINDING_BROKEN, "connection", "the port is there, but does not speak TLS",
                      "PUSHER_SCHEME=http and forceTLS: false, or the port of the proxy that does "
                      "TLS (443)");
    else
        doctor_report(d, FINDING_BROKEN, "connection", text,
                      verified ? certificate_change(error) : "ssl_protocols of the proxy");
}

/* Days that the server's own certificate is still good for; -1: not known. */
static long days_left(CURL *curl)
{
    struct curl_certinfo *info = NULL;
    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) || !info || info->num_of_certs < 1)
        return -1;
    for (struct curl_slist *line = info->certinfo[0]; line; line = line->next) {
        if (strncmp(line->data, "Expire date:", 12) != 0) continue;
        time_t end = curl_getdate(line->data + 12, NULL);
        return end < 0 ? -1 : (long)((end - time(NULL)) / 86400);
    }
    return -1;
}

static void connected(struct doctor *d, CURL *curl, const char *where)
{
    char text[TEXT_MAX];
    if (!d->target.tls) {
        snprintf(text, sizeof text, "%s answers", where);
        doctor_report(d, FINDING_OK, "connection", text, NULL);
        return;
    }
    long days = days_left(curl);
    bool soon = days >= 0 && days < CERTIFICATE_SOON_DAYS;
    if (days >= 0)
        snprintf(text, sizeof text, "%s answers with TLS; the certificate is good for %ld days",
                 where, days);
    else
        snprintf(text, sizeof text, "%s answers with TLS", where);
    doctor_report(d, soon ? FINDING_DOUBT : FINDING_OK, "connection", text,
                  soon ? "renew the certificate" : NULL);
}

bool doctor_connection(struct doctor *d)
{
    char error[CURL_ERROR_SIZE];
    struct buf where = { 0 };
    CURL *curl = open_handle(d, "/", error);
    if (d->target.socket.n)
        buf_add_fmt(&where, "unix:%.*s", SPAN_FMT(d->target.socket));
    else
        target_authority(&d->target, &where);
    buf_add_byte(&where, '\0');
    if (!curl || buf_failed(&where)) {
        doctor_report(d, FINDING_BROKEN, "connection", "out of memory", NULL);
        curl_easy_cleanup(curl);
        buf_fini(&where);
        return false;
    }
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        connected(d, curl, where.p);
    else if (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT)
        refused(d, curl, where.p);
    else
        tls_failed(d, code, error[0] ? error : curl_easy_strerror(code));
    curl_easy_cleanup(curl);
    buf_fini(&where);
    return code == CURLE_OK;
}

/* --- who answers --- */

static bool has(const struct buf *text, const char *word)
{
    return text->n && memmem(text->p, text->n, word, strlen(word));
}

static bool judge_server(struct doctor *d, long status, const struct buf *body)
{
    char text[TEXT_MAX];
    if (status == 200 && has(body, "\"health\":\"OK\"")) {
        doctor_report(d, FINDING_OK, "server", "Peal answers /up", NULL);
        return true;
    }
    if (status == 400 && has(body, "HTTPS port")) {
        doctor_report(d, FINDING_BROKEN, "server", "this port wants TLS, and plain HTTP was spoken",
                      "PUSHER_SCHEME=https and forceTLS: true, or the port for plain HTTP");
        return false;
    }
    snprintf(text, sizeof text,
             "/up was answered with %ld and not by Peal: fine where a proxy "
             "passes on /app/ and /apps/ alone",
             status);
    doctor_report(d, FINDING_DOUBT, "server", text,
                  d->target.path.n ? "the path in front of the routes: path_prefix of the server, "
                                     "wsPath of the client"
                                   : NULL);
    return true;
}

bool doctor_server(struct doctor *d)
{
    char error[CURL_ERROR_SIZE], text[TEXT_MAX];
    struct buf body = { 0 };
    long status = 0;
    bool good = false;
    CURL *curl = open_handle(d, "/up", error);
    if (curl) {
        struct curl_body keep = { &body, ANSWER_MAX };
        CURLcode code = curl_keep_body(curl, &keep);
        if (!code) code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (code == CURLE_OK) {
            good = judge_server(d, status, &body);
        } else {
            snprintf(text, sizeof text, "connected, but no HTTP answer to /up: %s",
                     error[0] ? error : curl_easy_strerror(code));
            doctor_report(d, FINDING_BROKEN, "server", text,
                          "is this the port of Peal? With TLS in front, PUSHER_SCHEME=https");
        }
    }
    curl_easy_cleanup(curl);
    buf_fini(&body);
    return good;
}

/* --- descriptors --- */

void doctor_descriptors(struct doctor *d)
{
    struct rlimit limit;
    char text[TEXT_MAX];
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_max == RLIM_INFINITY) return;
    bool few = limit.rlim_max < 10000;
    snprintf(text, sizeof text,
             "a server that is started from here may hold about %llu connections (with fd_tables "
             "each of its workers may)",
             (unsigned long long)(limit.rlim_max > 100 ? limit.rlim_max - 100 : 0));
    doctor_report(
        d, few ? FINDING_DOUBT : FINDING_OK, "descriptors", text,
        few ? "LimitNOFILE=1048576 in the unit, minfds in supervisord.conf, ulimit -Hn, or "
              "fd_tables=true"
            : NULL);
}
