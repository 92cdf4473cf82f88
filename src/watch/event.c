/* SPDX-License-Identifier: MIT
 *
 * watch/event.c: see event.h. One table says which members a type has, so that each is written in
 * one place and the page of the contract can be held against it.
 */
#include "watch/event.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "watch/fact.h"
#include <stdio.h>

/* --- helpers --- */

void watch_key_u64(struct buf *out, const char *key, uint64_t v)
{
    json_key(out, span_str(key));
    json_u64(out, v);
}

void watch_key_some(struct buf *out, const char *key, uint64_t v)
{
    json_key(out, span_str(key));
    if (v)
        json_u64(out, v);
    else
        json_null(out);
}

/* Texts come from anywhere, JSON is UTF-8. */
static void add_repaired(struct buf *out, struct span text)
{
    struct buf b = { 0 };
    for (size_t at = 0; at < text.n;) {
        size_t n = utf8_char(text.p + at, text.n - at);
        if (n)
            buf_add(&b, text.p + at, n);
        else
            BUF_ADD_LIT(&b, "\xef\xbf\xbd"); /* U+FFFD */
        at += n ? n : 1;
    }
    if (buf_failed(&b)) buf_fail(out);
    json_string(out, buf_span(&b));
    buf_fini(&b);
}

void watch_key_text(struct buf *out, const char *key, struct span text)
{
    json_key(out, span_str(key));
    if (!text.p)
        json_null(out);
    else if (utf8_valid(text))
        json_string(out, text);
    else
        add_repaired(out, text);
}

void watch_key_inside(struct buf *out, const char *key, struct span inside)
{
    json_key(out, span_str(key));
    if (!inside.p) {
        json_null(out);
        return;
    }
    buf_add_byte(out, '"'); /* after a key no comma can be due */
    buf_add_span(out, inside);
    buf_add_byte(out, '"');
}

void watch_key_socket(struct buf *out, const char *key, uint64_t socket_id)
{
    char id[SOCKET_ID_MAX];
    struct span text = span_of(id, socket_id_write(socket_id, id));
    watch_key_text(out, key, socket_id ? text : (struct span) { NULL, 0 });
}

/* 65535 and 2^48 - 1 at most. */
size_t watch_fact_write(uint64_t id, char out[FACT_ID_TEXT_MAX])
{
    uint64_t number = id & ((UINT64_C(1) << FACT_ID_WORKER_SHIFT) - 1);
    int n =
        snprintf(out, FACT_ID_TEXT_MAX, "%u-%llu",
                 (unsigned)(id >> FACT_ID_WORKER_SHIFT) & UINT16_MAX, (unsigned long long)number);
    return n < FACT_ID_TEXT_MAX ? (size_t)n : FACT_ID_TEXT_MAX - 1;
}

void watch_key_fact(struct buf *out, const char *key, uint64_t id)
{
    char text[FACT_ID_TEXT_MAX];
    struct span none = { NULL, 0 };
    watch_key_text(out, key, id ? span_of(text, watch_fact_write(id, text)) : none);
}

bool watch_fact_read(struct span text, uint64_t *id)
{
    uint64_t worker, number;
    struct span first;
    if (!span_cut(&text, '-', &first) || !text.p) return false;
    if (!span_to_u64(first, &worker) || !span_to_u64(text, &number)) return false;
    if (worker > UINT16_MAX || number == 0 || number >> FACT_ID_WORKER_SHIFT) return false;
    *id = worker << FACT_ID_WORKER_SHIFT | number;
    return true;
}

/* --- events --- */

const char *watch_type_name(enum watch_type type)
{
    static const char *const names[] = {
#define X(id, name) name,
        WATCH_TYPES(X)
#undef X
    };
    CHECK((unsigned)type < WATCH_N_TYPES);
    return names[type];
}

enum member {
    M_SOCKET = 1 << 0,
    M_CLIENT = 1 << 1, /* client, origin, address */
    M_END = 1 << 2,    /* code, why, lasted_ms */
    M_CHANNEL = 1 << 3,
    M_USER = 1 << 4,
    M_FACT = 1 << 5,
    M_MESSAGE = 1 << 6, /* event, data */
    M_SUBS = 1 << 7,
    M_REQUEST = 1 << 8, /* source, exclude, workers */
    M_TALLY = 1 << 9,   /* delivered, excluded, later */
    M_REFUSAL = 1 << 10 /* kind, event, status, code, why */
};

static unsigned members_of(enum watch_type type)
{
    switch (type) {
    case WATCH_CONNECTED:
        return M_SOCKET | M_CLIENT;
    case WATCH_DISCONNECTED:
        return M_SOCKET | M_END;
    case WATCH_SUBSCRIBED:
        return M_SOCKET | M_CHANNEL | M_USER;
    case WATCH_UNSUBSCRIBED:
        return M_SOCKET | M_CHANNEL;
    case WATCH_OCCUPIED:
    case WATCH_VACATED:
        return M_CHANNEL;
    case WATCH_CLIENT_MESSAGE:
        return M_FACT | M_SOCKET | M_CHANNEL | M_MESSAGE | M_SUBS;
    case WATCH_API_MESSAGE:
        return M_FACT | M_REQUEST | M_CHANNEL | M_MESSAGE | M_SUBS;
    case WATCH_DELIVERED:
        return M_FACT | M_CHANNEL | M_TALLY;
    case WATCH_REFUSED:
        return M_FACT | M_SOCKET | M_CHANNEL | M_REFUSAL;
    case WATCH_N_TYPES:
        break;
    }
    UNREACHABLE();
}

/* The text of the data, or its JSON where it is none, cut without halving a character. */
static void write_data(struct span raw, struct buf *out)
{
    struct json_val val = { .raw = raw, .type = JSON_ABSENT };
    struct buf scratch = { 0 };
    struct span text = raw;
    if (raw.n && raw.p[0] == '"') {
        val.type = JSON_STRING;
        val.escaped = memchr(raw.p, '\\', raw.n) != NULL;
        text = json_text(val, &scratch);
        if (buf_failed(&scratch)) buf_fail(out);
    }
    size_t n = text.n < WATCH_DATA_MAX ? text.n : WATCH_DATA_MAX;
    while (n > 0 && n < text.n && ((uint8_t)text.p[n] & 0xc0) == 0x80) n--;
    watch_key_text(out, "data", raw.n ? span_head(text, n) : (struct span) { NULL, 0 });
    watch_key_u64(out, "data_bytes", text.n);
    buf_fini(&scratch);
}

static void write_name(struct span raw, struct buf *out)
{
    struct span none = { NULL, 0 };
    watch_key_inside(out, "event", raw.n > 2 ? span_of(raw.p + 1, raw.n - 2) : none);
}

static void write_connection(const struct watch_event *ev, unsigned has, struct buf *out)
{
    if (has & M_SOCKET) watch_key_socket(out, "socket_id", ev->socket_id);
    if (has & M_CLIENT) {
        watch_key_text(out, "client", ev->client);
        watch_key_text(out, "origin", ev->origin);
        watch_key_text(out, "address", ev->address);
    }
    if (has & M_END) {
        watch_key_some(out, "code", ev->code);
        watch_key_text(out, "why", ev->why);
        watch_key_u64(out, "lasted_ms", ev->lasted_ms);
    }
}

static void write_publish(const struct watch_event *ev, unsigned has, struct buf *out)
{
    if (has & M_REQUEST) {
        watch_key_text(out, "source", span_str(ev->source));
        watch_key_socket(out, "exclude", ev->exclude);
        watch_key_u64(out, "workers", ev->n_workers);
    }
    if (has & M_MESSAGE) {
        write_name(ev->event_raw, out);
        write_data(ev->data_raw, out);
    }
    if (has & M_SUBS) watch_key_u64(out, "subscriptions", ev->n_subs);
    if (has & M_TALLY) {
        watch_key_u64(out, "delivered", ev->delivered);
        watch_key_u64(out, "excluded", ev->excluded);
        watch_key_u64(out, "later", ev->later);
    }
    if (has & M_REFUSAL) {
        watch_key_text(out, "kind", span_str(ev->kind));
        write_name(ev->event_raw, out);
        watch_key_some(out, "status", ev->status);
        watch_key_some(out, "code", ev->code);
        watch_key_text(out, "why", ev->why);
    }
}

void watch_event_write(const struct watch_event *ev, struct buf *out)
{
    unsigned has = members_of(ev->type);
    json_open(out, '{');
    watch_key_text(out, "type", span_str(watch_type_name(ev->type)));
    watch_key_u64(out, "time", ev->unix_ms);
    watch_key_text(out, "app", ev->app);
    if (has & M_FACT) watch_key_fact(out, "fact", ev->fact);
    write_connection(ev, has, out);
    if (has & M_CHANNEL) watch_key_text(out, "channel", ev->channel);
    if (has & M_USER) watch_key_text(out, "user_id", ev->user_id);
    write_publish(ev, has, out);
    json_close(out, '}');
}
