/* SPDX-License-Identifier: MIT
 *
 * cli/doctor_pusher.c: the links that are Pusher's: the HTTP API, the WebSocket, and an event that
 * goes from one to the other. /app and /apps are looked at apart, since proxies often pass on one
 * and not the other.
 */
#include "base/clock.h"
#include "base/json_write.h"
#include "base/rand.h"
#include "cli/api_answer.h"
#include "cli/doctor.h"
#include "cli/subscriber.h"
#include "http/url.h"
#include "pusher/event.h"
#include <stdio.h>
#include <stdlib.h>

#define WAIT_MS 5000
#define CONNECT_MS 10000
#define TEXT_MAX 900
#define EVENT "peal-doctor"
#define ADMIN_SAYS "Peal's admin listener"

#define CHANGE_API                                                                                 \
    "the proxy must pass on /apps/ as well as /app/: location ~ ^/apps?/ (packaging/nginx)"
#define CHANGE_SOCKET                                                                              \
    "the proxy must pass on /app/ as well as /apps/: location ~ ^/apps?/ (packaging/nginx)"
#define CHANGE_UPSTREAM                                                                            \
    "the proxy does not reach Peal: proxy_pass must be the address where it listens, and it must " \
    "run"
#define CHANGE_REDIRECT                                                                            \
    "clients follow no redirect: use the address that it leads to; from http to https that is "    \
    "PUSHER_SCHEME=https and PUSHER_PORT=443, and the same of VITE_PUSHER_"
#define CHANGE_ADMIN                                                                               \
    "PUSHER_PORT and VITE_PUSHER_PORT: the port of the option listen (6001), not that of "         \
    "admin.listen"
#define CHANGE_UPGRADE                                                                             \
    "in nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "                   \
    "proxy_set_header Connection \"upgrade\";"

/* --- the HTTP API --- */

/* The server says which part is wrong, after "failed: ". */
static const char *change_for_denied(const struct buf *said)
{
    static const struct {
        const char *word, *change;
    } causes[] = {
        { "failed: auth_timestamp",
          "the clocks of this machine and of the server: timedatectl set-ntp true" },
        { "failed: auth_key", "PUSHER_APP_KEY: the key of this very app" },
        { "failed: body_md5",
          "something on the way changes the body: the proxy must pass it on as it is" },
    };
    for (size_t i = 0; i < ARRAY_LEN(causes); i++)
        if (said->n && memmem(said->p, said->n, causes[i].word, strlen(causes[i].word)))
            return causes[i].change;
    return "PUSHER_APP_SECRET: the secret of this very app, as the server has it";
}

static bool says(const struct http_answer *answer, const char *words)
{
    return answer->body.n && memmem(answer->body.p, answer->body.n, words, strlen(words));
}

static bool is_redirect(long status)
{
    return status >= 301 && status <= 308 && status != 304;
}

static const char *change_for(const struct http_answer *answer, bool ours)
{
    bool route = says(answer, "no route");
    if (answer->status == 401) return change_for_denied(&answer->body);
    if (answer->status == 403)
        return "enabled=true of the app, or the rule of a proxy that forbids it";
    if (says(answer, ADMIN_SAYS)) return CHANGE_ADMIN;
    if (is_redirect(answer->status)) return CHANGE_REDIRECT;
    if (answer->status >= 502 && answer->status <= 504) return CHANGE_UPSTREAM;
    if (answer->status != 404 || !ours) return CHANGE_API;
    return route
               ? "path_prefix of the server, and the path that clients and back ends use (wsPath, "
                 "'path', or that of the URL here)"
               : "PUSHER_APP_ID: the id of the app, as the server has it";
}

static bool judge_api(struct doctor *d, const struct http_answer *answer)
{
    struct buf said = { 0 };
    struct json_val root;
    api_answer_say(answer, &said);
    buf_add_byte(&said, '\0');
    bool ours = json_check(buf_span(&answer->body), 64, &root, NULL) && root.type == JSON_OBJECT;
    bool good = answer->status == 200 && ours;
    d->at_admin = says(answer, ADMIN_SAYS);
    if (good)
        doctor_report(d, FINDING_OK, "api", "a signed request to /apps was accepted", NULL);
    else
        doctor_report(d, FINDING_BROKEN, "api", buf_failed(&said) ? "refused" : said.p,
                      change_for(answer, ours));
    buf_fini(&said);
    return good;
}

static void unreached(struct doctor *d, const char *link, const struct diag *why,
                      const char *change)
{
    doctor_report(d, FINDING_BROKEN, link, why->text[0] ? why->text : "no answer", change);
}

bool doctor_api(struct doctor *d)
{
    struct http_caller caller = { .target = &d->target };
    const struct http_ask ask = { .what = SPAN("channels") };
    struct http_answer answer = { 0 };
    struct diag why = { "" };
    bool good = false;
    if (http_call(&caller, &ask, &answer, &why))
        unreached(d, "api", &why, CHANGE_API);
    else
        good = judge_api(d, &answer);
    buf_fini(&answer.body);
    http_caller_fini(&caller);
    return good;
}

/* --- the WebSocket --- */

struct session {
    struct ws_link link;
    struct buf socket_id;
    struct buf last; /* the data of the last frame, or the text of a refusal */
    uint16_t code;   /* of the close frame; 0: none */
};

static void end(struct session *s)
{
    ws_link_bye(&s->link);
    buf_fini(&s->socket_id);
    buf_fini(&s->last);
}

/* Data of events is JSON in a string, or JSON; the octets of either. */
static void keep_data(struct session *s, struct json_val data)
{
    buf_clear(&s->last);
    if (data.type == JSON_STRING)
        json_unescape(data, &s->last);
    else if (data.type != JSON_ABSENT)
        buf_add_span(&s->last, data.raw);
}

static bool is_about(const struct json_field *channel, struct span wanted)
{
    if (!wanted.p) return true;
    return channel->val.type == JSON_STRING && json_str_eq(channel->val, wanted);
}

/* Whether this message is the event on the channel (any one, where p == NULL), or a refusal, which
 * gives `*refused`. The data of both is kept. */
static bool take_message(struct session *s, struct span text, struct span event,
                         struct span channel, bool *refused)
{
    struct json_field f[] = { { .name = "event" }, { .name = "channel" }, { .name = "data" } };
    struct json_val root;
    if (!json_check(text, 64, &root, NULL) || root.type != JSON_OBJECT) return false;
    if (json_fields(root, f, ARRAY_LEN(f)) || f[0].val.type != JSON_STRING) return false;
    *refused = json_str_eq(f[0].val, SPAN("pusher:error")) ||
               json_str_eq(f[0].val, SPAN("pusher:subscription_error"));
    bool wanted = json_str_eq(f[0].val, event) && is_about(&f[1], channel);
    if (wanted || *refused) keep_data(s, f[2].val);
    return wanted;
}

enum waited { WAITED_CAME, WAITED_REFUSED, WAITED_LATE, WAITED_LOST };

static enum waited wait_for(struct session *s, struct span event, struct span channel,
                            uint64_t deadline_ms)
{
    for (;;) {
        struct ws_ev ev;
        bool refused = false;
        enum err err = ws_link_next(&s->link, deadline_ms, &ev);
        if (err == ERR_AGAIN) return WAITED_LATE;
        if (err) return WAITED_LOST;
        if (ev.kind == WS_EV_CLOSE) {
            s->code = ev.close_code;
            return WAITED_LOST;
        }
        if (ev.kind != WS_EV_MESSAGE) continue;
        if (take_message(s, ev.data, event, channel, &refused)) return WAITED_CAME;
        if (refused) return WAITED_REFUSED;
    }
}

static bool keep_socket_id(struct session *s)
{
    struct json_field f[] = { { .name = "socket_id" } };
    struct json_val root;
    if (!json_check(buf_span(&s->last), 8, &root, NULL) || root.type != JSON_OBJECT) return false;
    if (json_fields(root, f, 1) || f[0].val.type != JSON_STRING) return false;
    json_unescape(f[0].val, &s->socket_id);
    return !buf_failed(&s->socket_id);
}

/* Connects, until the server has said that it is established. */
static enum waited begin(struct doctor *d, struct session *s, struct diag *why, enum err *err)
{
    struct buf path = { 0 };
    uint64_t deadline_ms = clock_mono_ms() + CONNECT_MS;
    buf_add_fmt(&path, "%.*s/app/", SPAN_FMT(d->target.path));
    url_encode(d->target.key, &path);
    BUF_ADD_LIT(&path, "?protocol=7&client=peal-doctor&version=" PEAL_VERSION "&flash=false");
    *s = (struct session) { .code = 0 };
    *err = buf_failed(&path)
               ? ERR_NOMEM
               : ws_link_open(&s->link, &d->target, buf_span(&path), deadline_ms, why);
    buf_fini(&path);
    if (*err) return WAITED_LOST;
    enum waited waited =
        wait_for(s, SPAN("pusher:connection_established"), (struct span) { NULL, 0 }, deadline_ms);
    return waited == WAITED_CAME && !keep_socket_id(s) ? WAITED_LOST : waited;
}

static bool subscribe(struct doctor *d, struct session *s, struct span channel)
{
    struct buf out = { 0 };
    const struct subscribe_wish wish = {
        .keys = &d->target.keys,
        .socket_id = buf_span(&s->socket_id),
        .channel = channel,
    };
    bool sent = subscriber_write(&wish, &out) && ws_link_send(&s->link, buf_span(&out)) == ERR_OK;
    buf_fini(&out);
    return sent && wait_for(s, SPAN("pusher_internal:subscription_succeeded"), channel,
                            clock_mono_ms() + WAIT_MS) == WAITED_CAME;
}

/* Why no connection came to be, and what to change. */
static void report_refusal(struct doctor *d, const struct session *s)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "the server refused the connection: %.*s",
             SPAN_FMT(span_head(buf_span(&s->last), 700)));
    const char *change = "what the server says";
    if (strstr(text, "4001"))
        change =
            "PUSHER_APP_KEY and VITE_PUSHER_APP_KEY: the key of the app, as the server has it; "
            "then build the assets anew";
    if (strstr(text, "4009")) change = "allowed_origins of the app: add the origin of the pages";
    if (strstr(text, "4100") || strstr(text, "4004"))
        change = "limits.connections of the app, or LimitNOFILE of the server";
    doctor_report(d, FINDING_BROKEN, "socket", text, change);
}

static void report_no_link(struct doctor *d, enum err err, const struct diag *why)
{
    static const char status[] = "HTTP status ";
    const char *at = strstr(why->text, status);
    long code = at ? strtol(at + sizeof status - 1, NULL, 10) : 0;
    const char *change = CHANGE_SOCKET;
    if (code == 426 || code == 400 || err != ERR_DENIED) change = CHANGE_UPGRADE;
    if (code == 502 || code == 504) change = CHANGE_UPSTREAM;
    if (is_redirect(code)) change = CHANGE_REDIRECT;
    if (d->at_admin) change = CHANGE_ADMIN;
    unreached(d, "socket", why, change);
}

static bool examine_socket(struct doctor *d, struct session *s)
{
    struct diag why = { "" };
    enum err err;
    switch (begin(d, s, &why, &err)) {
    case WAITED_CAME:
        break;
    case WAITED_REFUSED:
        report_refusal(d, s);
        return false;
    case WAITED_LATE:
        doctor_report(d, FINDING_BROKEN, "socket", "upgraded, but the server says nothing",
                      "is it a Pusher server behind /app/, and does the proxy buffer "
                      "(proxy_buffering off)?");
        return false;
    case WAITED_LOST:
        if (err)
            report_no_link(d, err, &why);
        else
            doctor_report(d, FINDING_BROKEN, "socket", "the connection was closed at once",
                          CHANGE_UPGRADE);
        return false;
    }
    if (subscribe(d, s, SPAN("private-peal-doctor"))) {
        doctor_report(d, FINDING_OK, "socket", "connected, and on a private channel", NULL);
        return true;
    }
    doctor_report(d, FINDING_BROKEN, "socket", "connected, but not admitted to a private channel",
                  "PUSHER_APP_SECRET: the secret of this very app, as the server has it");
    return false;
}

bool doctor_socket(struct doctor *d)
{
    struct session s;
    bool good = examine_socket(d, &s);
    end(&s);
    return good;
}

/* --- an event --- */

static bool publish(struct doctor *d, struct span channel, struct span socket_id, struct diag *why)
{
    struct http_caller caller = { .target = &d->target };
    struct http_answer answer = { 0 };
    struct buf body = { 0 };
    json_open(&body, '{');
    json_key(&body, SPAN("name"));
    json_string(&body, SPAN(EVENT));
    json_key(&body, SPAN("channel"));
    json_string(&body, channel);
    json_key(&body, SPAN("data"));
    json_string(&body, socket_id);
    json_close(&body, '}');
    const struct http_ask ask = { .what = SPAN("events"), .body = buf_span(&body) };
    bool good = !buf_failed(&body) && http_call(&caller, &ask, &answer, why) == ERR_OK;
    if (good && answer.status != 200) {
        struct buf said = { 0 };
        api_answer_say(&answer, &said);
        diag_set(why, ERR_DENIED, "%.*s", SPAN_FMT(buf_span(&said)));
        buf_fini(&said);
        good = false;
    }
    buf_fini(&answer.body);
    buf_fini(&body);
    http_caller_fini(&caller);
    return good;
}

static void examine_event(struct doctor *d, struct session *s)
{
    struct diag why = { "" };
    enum err err;
    char channel[64], text[TEXT_MAX];
    snprintf(channel, sizeof channel, EVENT "-%016llx", (unsigned long long)rand_u64());
    if (begin(d, s, &why, &err) != WAITED_CAME || !subscribe(d, s, span_str(channel))) {
        doctor_report(d, FINDING_BROKEN, "event", "no subscription to a public channel",
                      "limits of the app: limits.connections, limits.subscriptions");
        return;
    }
    uint64_t began_ns = clock_mono_ns();
    if (!publish(d, span_str(channel), buf_span(&s->socket_id), &why)) {
        doctor_report(d, FINDING_BROKEN, "event", why.text, "what the server says");
        return;
    }
    if (wait_for(s, SPAN(EVENT), span_str(channel), clock_mono_ms() + WAIT_MS) != WAITED_CAME) {
        doctor_report(d, FINDING_BROKEN, "event",
                      "the event was accepted and did not arrive: the HTTP API and the WebSocket "
                      "are not the same server",
                      "PUSHER_HOST and PUSHER_PORT of the back end, and those of the browser; is "
                      "there another server, or an old one, behind the same name?");
        return;
    }
    snprintf(text, sizeof text, "published and received after %.1f ms",
             (double)(clock_mono_ns() - began_ns) / 1e6);
    doctor_report(d, FINDING_OK, "event", text, NULL);
}

void doctor_event(struct doctor *d)
{
    struct session s;
    examine_event(d, &s);
    end(&s);
}

/* --- silence --- */

/* We send nothing; what the server sends (its pings) is answered, as browsers do. */
static void examine_idle(struct doctor *d, struct session *s)
{
    struct diag why = { "" };
    enum err err;
    char text[TEXT_MAX];
    if (begin(d, s, &why, &err) != WAITED_CAME) {
        doctor_report(d, FINDING_BROKEN, "idle", "no connection", NULL);
        return;
    }
    uint64_t began_ms = clock_mono_ms();
    enum waited waited = WAITED_CAME;
    while (waited == WAITED_CAME) {
        waited = wait_for(s, SPAN("pusher:ping"), (struct span) { NULL, 0 },
                          began_ms + d->idle_s * 1000);
        if (waited == WAITED_CAME &&
            ws_link_send(&s->link, SPAN("{\"event\":\"pusher:pong\",\"data\":{}}")))
            waited = WAITED_LOST;
    }
    if (waited == WAITED_LATE) {
        snprintf(text, sizeof text, "a silent connection lasted %llu s",
                 (unsigned long long)d->idle_s);
        doctor_report(d, FINDING_OK, "idle", text, NULL);
        return;
    }
    snprintf(text, sizeof text, "a silent connection was cut after %.0f s (close code %u)",
             (double)(clock_mono_ms() - began_ms) / 1000, s->code);
    doctor_report(d, FINDING_BROKEN, "idle", text,
                  "a proxy cuts it: proxy_read_timeout 120s; (nginx), or a smaller ping_interval_s "
                  "of the app");
}

void doctor_idle(struct doctor *d)
{
    struct session s;
    examine_idle(d, &s);
    end(&s);
}
