/* SPDX-License-Identifier: MIT
 *
 * cli/subscriber.c: the client's side of the Pusher protocol, version 7.
 *
 *     connect ──established──> subscribe to all ──succeeded──> events ──close──> the caller decides
 *
 * After `activity_timeout` of silence it sends pusher:ping, and gives the connection up 30 s later.
 */
#include "cli/subscriber.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "cli/text.h"
#include "http/url.h"
#include "pusher/chan_name.h"
#include "pusher/event.h"
#include <stdio.h>

#define CONNECT_TIMEOUT_MS 10000
#define PONG_TIMEOUT_MS 30000
#define DEFAULT_ACTIVITY_S 120

enum step { STEP_ON, STEP_ENOUGH, STEP_LOST, STEP_REFUSED, STEP_NO_OUTPUT };

/* A frame from the server, taken apart. */
struct frame {
    struct json_val event, channel, data, user_id;
    struct buf scratch;
};

bool subscriber_retry_ms(uint16_t code, uint64_t *wait_ms)
{
    if ((code >= 4000 && code < 4100) || code >= 4300) return false;
    *wait_ms = code >= 4200 ? 0 : 1000;
    return true;
}

/* One line on stderr: "peal listen: BEFORE TEXT". */
static void say(const char *before, struct span text)
{
    struct buf line = { 0 };
    buf_add_fmt(&line, "peal listen: %s", before);
    text_add_safe(&line, text);
    buf_add_byte(&line, '\n');
    if (!buf_failed(&line)) fwrite(line.p, 1, line.n, stderr);
    buf_fini(&line);
}

static enum step lost(struct subscriber *s, uint16_t code, const char *why)
{
    s->code = code;
    diag_set(&s->why, ERR_CLOSED, "%s", why);
    return STEP_LOST;
}

static void add_channel_data(const struct subscriber_wish *wish, struct buf *out)
{
    json_open(out, '{');
    json_key(out, SPAN("user_id"));
    json_string(out, wish->user_id);
    if (wish->user_info.n) {
        json_key(out, SPAN("user_info"));
        json_raw(out, wish->user_info);
    }
    json_close(out, '}');
}

static void add_auth(const struct subscribe_wish *wish, struct buf *auth, struct buf *out)
{
    struct span data = wish->channel_data;
    if (chan_needs_auth(chan_kind_of(wish->channel))) {
        auth_sign_channel(wish->keys, wish->socket_id, wish->channel,
                          data.n ? data : span_of(NULL, 0), auth);
        json_key(out, SPAN("auth"));
        json_string(out, buf_span(auth));
    }
    if (data.n) {
        json_key(out, SPAN("channel_data"));
        json_string(out, data);
    }
}

bool subscriber_write(const struct subscribe_wish *wish, struct buf *out)
{
    struct buf auth = { 0 };
    json_open(out, '{');
    json_key(out, SPAN("event"));
    json_string(out, SPAN("pusher:subscribe"));
    json_key(out, SPAN("data"));
    json_open(out, '{');
    json_key(out, SPAN("channel"));
    json_string(out, wish->channel);
    add_auth(wish, &auth, out);
    json_close(out, '}');
    json_close(out, '}');
    bool ok = !buf_failed(&auth) && !buf_failed(out);
    buf_fini(&auth);
    return ok;
}

static enum err subscribe(struct subscriber *s, struct span socket_id, struct span channel)
{
    struct buf data = { 0 }, out = { 0 };
    if (chan_kind_of(channel).type == CHAN_PRESENCE) add_channel_data(s->wish, &data);
    const struct subscribe_wish wish = {
        .keys = &s->wish->target->keys,
        .socket_id = socket_id,
        .channel = channel,
        .channel_data = buf_span(&data),
    };
    bool ok = subscriber_write(&wish, &out) && !buf_failed(&data);
    enum err err = ok ? ws_link_send(&s->_link, buf_span(&out)) : ERR_NOMEM;
    buf_fini(&data);
    buf_fini(&out);
    return err;
}

static enum step on_established(struct subscriber *s, struct frame *f)
{
    struct json_field fields[] = { { .name = "socket_id" }, { .name = "activity_timeout" } };
    const char *why;
    uint64_t seconds = 0;
    struct buf id = { 0 };
    if (s->established) return STEP_ON;
    if (!event_data_fields(f->data, fields, 2, &f->scratch, &why) ||
        fields[0].val.type != JSON_STRING)
        return lost(s, 1006, "the server sent no socket id");
    if (fields[1].val.type == JSON_NUMBER && json_to_u64(fields[1].val, &seconds) && seconds > 0 &&
        seconds < DEFAULT_ACTIVITY_S)
        s->_activity_ms = seconds * 1000;
    s->established = s->was_established = true;
    json_unescape(fields[0].val, &id);
    say("connected, socket id ", buf_span(&id));
    enum err err = buf_failed(&id) ? ERR_NOMEM : ERR_OK;
    for (size_t i = 0; !err && i < s->wish->n_channels; i++)
        err = subscribe(s, buf_span(&id), span_str(s->wish->channels[i]));
    buf_fini(&id);
    return err ? lost(s, 1006, "the connection broke while subscribing") : STEP_ON;
}

static void say_val(const char *before, struct json_val val)
{
    struct buf scratch = { 0 };
    struct span text = val.type == JSON_STRING   ? json_text(val, &scratch)
                       : val.type == JSON_ABSENT ? SPAN("")
                                                 : val.raw;
    say(before, text);
    buf_fini(&scratch);
}

static enum step on_refused(struct subscriber *s, const struct frame *f)
{
    say_val("no subscription to ", f->channel);
    say_val("the server says: ", f->data);
    if (++s->_denied < s->wish->n_channels) return STEP_ON;
    diag_set(&s->why, ERR_DENIED, "the server refused %s",
             s->wish->n_channels == 1 ? "the channel" : "all channels");
    return STEP_REFUSED;
}

/* pusher:error. Before the connection is established it is the reason of the end that follows,
 * which is where it is said; some servers give it no code then. */
static enum step on_error(struct subscriber *s, struct frame *f)
{
    struct json_field fields[] = { { .name = "message" }, { .name = "code" } };
    const char *why;
    uint64_t code = 0;
    if (!event_data_fields(f->data, fields, 2, &f->scratch, &why) ||
        fields[0].val.type != JSON_STRING) {
        say_val("the server says: ", f->data);
        return STEP_ON;
    }
    struct span message = json_text(fields[0].val, &f->scratch);
    if (fields[1].val.type == JSON_NUMBER && !json_to_u64(fields[1].val, &code)) code = 0;
    if (!s->established) {
        s->_refused = code <= UINT16_MAX ? (uint16_t)code : 0;
        diag_set(&s->_reason, ERR_DENIED, "%.*s", SPAN_FMT(message));
        return STEP_ON;
    }
    struct buf line = { 0 };
    if (f->channel.type == JSON_STRING)
        buf_add_fmt(&line, "%.*s: ", SPAN_FMT(json_text(f->channel, &f->scratch)));
    buf_add_span(&line, message);
    if (code) buf_add_fmt(&line, " (code %llu)", (unsigned long long)code);
    say("the server says: ", buf_span(&line));
    buf_fini(&line);
    return STEP_ON;
}

/* `name` replaces the event's; such an event is shown and not counted. */
static enum step print(struct subscriber *s, const struct frame *f, const char *name)
{
    struct event_line line = { clock_unix_ms(), f->event, f->channel, f->data, f->user_id, name };
    struct buf out = { 0 };
    if (s->wish->json)
        event_line_json(&line, &out);
    else
        event_line_text(&line, &out);
    bool ok = !buf_failed(&out) && fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
    buf_fini(&out);
    if (!ok) return STEP_NO_OUTPUT;
    if (!name) s->n_events++;
    return s->wish->count && s->n_events >= s->wish->count ? STEP_ENOUGH : STEP_ON;
}

static enum step on_internal(struct subscriber *s, const struct frame *f)
{
    static const struct {
        const char *event, *shown;
    } shown[] = {
        { "pusher_internal:member_added", "pusher:member_added" },
        { "pusher_internal:member_removed", "pusher:member_removed" },
        { "pusher_internal:subscription_count", "pusher:subscription_count" },
        { "pusher:cache_miss", "pusher:cache_miss" },
    };
    if (json_str_eq(f->event, SPAN("pusher_internal:subscription_succeeded"))) {
        s->_granted++;
        say_val("subscribed to ", f->channel);
        return STEP_ON;
    }
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        if (json_str_eq(f->event, span_str(shown[i].event))) return print(s, f, shown[i].shown);
    return STEP_ON;
}

static bool is_internal(struct json_val event)
{
    struct span name = json_inner(event);
    return span_starts(name, SPAN("pusher:")) || span_starts(name, SPAN("pusher_internal:"));
}

static enum step on_frame(struct subscriber *s, struct frame *f)
{
    if (json_str_eq(f->event, SPAN("pusher:connection_established"))) return on_established(s, f);
    if (json_str_eq(f->event, SPAN("pusher:subscription_error"))) return on_refused(s, f);
    if (json_str_eq(f->event, SPAN("pusher:error"))) return on_error(s, f);
    if (json_str_eq(f->event, SPAN("pusher:ping"))) {
        enum err err = ws_link_send(&s->_link, SPAN("{\"event\":\"pusher:pong\",\"data\":{}}"));
        return err ? lost(s, 1006, "the connection broke") : STEP_ON;
    }
    return is_internal(f->event) ? on_internal(s, f) : print(s, f, NULL);
}

static enum step on_text(struct subscriber *s, struct span text)
{
    struct json_field fields[] = {
        { .name = "event" }, { .name = "channel" }, { .name = "data" }, { .name = "user_id" }
    };
    struct json_val root;
    bool ok = json_check(text, JSON_MAX_DEPTH, &root, NULL) && root.type == JSON_OBJECT &&
              !json_fields(root, fields, ARRAY_LEN(fields)) && fields[0].val.type == JSON_STRING;
    if (!ok) {
        say("ignored, no event: ", span_head(text, 200));
        return STEP_ON;
    }
    struct frame f = { .event = fields[0].val,
                       .channel = fields[1].val,
                       .data = fields[2].val,
                       .user_id = fields[3].val };
    enum step step = on_frame(s, &f);
    buf_fini(&f.scratch);
    return step;
}

static enum step on_event(struct subscriber *s, const struct ws_ev *ev)
{
    s->_heard_ms = clock_mono_ms();
    s->_asked = false;
    if (ev->kind == WS_EV_MESSAGE) return on_text(s, ev->data);
    if (ev->kind != WS_EV_CLOSE) return STEP_ON;
    s->code = ev->close_code;
    diag_set(&s->why, ERR_CLOSED, "%.*s", SPAN_FMT(ev->data));
    return STEP_LOST;
}

static uint64_t next_deadline(const struct subscriber *s)
{
    uint64_t wait = !s->established ? CONNECT_TIMEOUT_MS
                    : s->_asked     ? s->_activity_ms + PONG_TIMEOUT_MS
                                    : s->_activity_ms;
    uint64_t deadline = s->_heard_ms + wait;
    return deadline < s->wish->deadline_ms ? deadline : s->wish->deadline_ms;
}

static enum step on_silence(struct subscriber *s)
{
    if (!s->established) return lost(s, 1006, "no pusher:connection_established within 10 s");
    if (s->_asked) return lost(s, 1006, "no answer to pusher:ping");
    s->_asked = true;
    enum err err = ws_link_send(&s->_link, SPAN("{\"event\":\"pusher:ping\",\"data\":{}}"));
    return err ? lost(s, 1006, "the connection broke") : STEP_ON;
}

static enum subscriber_end turn(struct subscriber *s)
{
    for (;;) {
        struct ws_ev ev;
        enum err err = ws_link_next(&s->_link, next_deadline(s), &ev);
        if (err == ERR_AGAIN && clock_mono_ms() >= s->wish->deadline_ms) return SUBSCRIBER_TIMEOUT;
        enum step step = !err               ? on_event(s, &ev)
                         : err == ERR_AGAIN ? on_silence(s)
                                            : lost(s, 1006, "the connection broke");
        switch (step) {
        case STEP_ON:
            break;
        case STEP_ENOUGH:
            return SUBSCRIBER_ENOUGH;
        case STEP_LOST:
            return SUBSCRIBER_LOST;
        case STEP_REFUSED:
            return SUBSCRIBER_REFUSED;
        case STEP_NO_OUTPUT:
            return SUBSCRIBER_NO_OUTPUT;
        }
    }
}

static enum err open_link(struct subscriber *s)
{
    const struct target *t = s->wish->target;
    struct buf target = { 0 };
    uint64_t deadline = s->_heard_ms + CONNECT_TIMEOUT_MS;
    if (deadline > s->wish->deadline_ms) deadline = s->wish->deadline_ms;
    buf_add_fmt(&target, "%.*s/app/", SPAN_FMT(t->path));
    url_encode(t->key, &target);
    buf_add_fmt(&target, "?protocol=7&client=peal-listen&version=%s&flash=false", PEAL_VERSION);
    enum err err = buf_failed(&target)
                       ? ERR_NOMEM
                       : ws_link_open(&s->_link, t, buf_span(&target), deadline, &s->why);
    buf_fini(&target);
    return err;
}

/* What the error said that came first, where the end itself says less. */
static void use_reason(struct subscriber *s)
{
    bool silent = s->code == 1006 || s->code == 1005;
    if (silent && s->_refused) s->code = s->_refused;
    if (s->_reason.text[0] && (silent || !s->why.text[0])) s->why = s->_reason;
}

enum subscriber_end subscriber_run(struct subscriber *s)
{
    s->_activity_ms = DEFAULT_ACTIVITY_S * 1000;
    s->_heard_ms = clock_mono_ms();
    s->_asked = s->established = false;
    s->_granted = s->_denied = 0;
    s->_refused = 0;
    s->_reason.text[0] = '\0';
    s->code = 1006;
    s->err = open_link(s);
    if (s->err && clock_mono_ms() >= s->wish->deadline_ms) return SUBSCRIBER_TIMEOUT;
    if (s->err) return SUBSCRIBER_UNREACHED;
    s->_heard_ms = clock_mono_ms();
    enum subscriber_end end = turn(s);
    if (end == SUBSCRIBER_LOST) use_reason(s);
    ws_link_bye(&s->_link);
    return end;
}
