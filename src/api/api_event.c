/* SPDX-License-Identifier: MIT
 *
 * api/api_event.c: from the body (or the query) to events that may be published (protocol page 4.2,
 * 4.3 and 4.8).
 *
 * Everything is checked here, before anything is sent. Values stay what they are in the body: the
 * name and the data are relayed as the very JSON tokens that came. Every refusal says what was
 * measured, the limit, the option, the channel and the app.
 */
#include "api/api_priv.h"
#include "base/hash.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/utf8.h"

#define DEDUP_LINEAR 8 /* up to so many channels are compared with each other */

/* A cached event stands one level deeper in an answer than in the body; nobody should get what we
 * could not read ourselves. */
#define BODY_DEPTH (JSON_MAX_DEPTH - 2)

enum { FIELD_NAME, FIELD_DATA, FIELD_CHANNELS, FIELD_CHANNEL, FIELD_SOCKET, FIELD_INFO, N_FIELDS };

/* One event while it is read. */
struct reading_event {
    struct request *r;
    struct event *event;
    struct json_field fields[N_FIELDS]; /* of the body */
    struct span channel;                /* the first, for words; p == NULL: not known yet */
    bool query;                         /* what the body does not have may stand in the query */
};

/* --- refusals --- */

static bool refuse(struct request *r, unsigned status, struct span sentence)
{
    buf_add_span(&r->api->words, sentence);
    answer_error(r, status);
    return false;
}

/* For what is remembered of the refusal. */
static void blame(const struct reading_event *e)
{
    e->r->channel = e->channel;
    e->r->name = e->event->name_raw;
}

/* Ends the words with "(event for channel 'x' of app 'y')." */
static bool refuse_event(const struct reading_event *e, unsigned status)
{
    struct buf *words = &e->r->api->words;
    blame(e);
    BUF_ADD_LIT(words, " (event");
    if (e->channel.p) {
        BUF_ADD_LIT(words, " for channel ");
        add_quoted(words, e->channel);
    }
    add_app(e->r);
    BUF_ADD_LIT(words, ").");
    answer_error(e->r, status);
    return false;
}

/* "The received data is incorrect: …" is how soketi begins. */
static bool refuse_data(const struct reading_event *e, const char *what)
{
    buf_add_fmt(&e->r->api->words, "The received data is incorrect: %s", what);
    return refuse_event(e, 400);
}

static bool refuse_memory(struct request *r)
{
    answer_no_memory(r);
    return false;
}

/* --- where values come from --- */

static bool is_there(struct json_val val)
{
    return val.type != JSON_ABSENT && val.type != JSON_NULL;
}

/* The parameter of that name; p == NULL where there is none or the query does not count. */
static struct span from_query(const struct reading_event *e, unsigned field)
{
    struct span none = { NULL, 0 };
    return e->query ? query_text(e->r, span_str(e->fields[field].name)) : none;
}

/* A text as a JSON string token. The room is taken at the first use, for all of the query. */
static struct span make_token(struct request *r, struct span text)
{
    struct buf *token = &r->api->token;
    if (!token->n && !buf_room(token, 6 * http1_req_target(r->req).n + 64))
        return (struct span) { NULL, 0 };
    size_t from = token->n;
    buf_add_byte(token, ' '); /* so that json_string sees no value before it */
    json_string(token, text);
    return span_skip(buf_span(token), from + 1);
}

/* A field's text and where it is wanted its token. True when absent, too (text->p == NULL). */
static bool read_text(const struct reading_event *e, unsigned field, struct span *text,
                      struct span *token)
{
    const struct json_val *val = &e->fields[field].val;
    struct buf *words = &e->r->api->words;
    *text = (struct span) { NULL, 0 };
    if (is_there(*val)) {
        if (val->type == JSON_STRING) {
            *text = json_text(*val, &e->r->api->text);
            if (token) *token = val->raw;
            return true;
        }
        buf_add_fmt(words, "The received data is incorrect: the member '%s' must be a string",
                    e->fields[field].name);
        return refuse_event(e, 400);
    }
    *text = from_query(e, field);
    if (!text->p) return true;
    if (!utf8_valid(*text)) {
        buf_add_fmt(words, "The received data is incorrect: the parameter '%s' is not UTF-8",
                    e->fields[field].name);
        return refuse_event(e, 400);
    }
    if (!token) return true;
    *token = make_token(e->r, *text);
    return token->p || refuse_memory(e->r);
}

/* --- channels --- */

static bool reserve_targets(struct api *api, size_t more)
{
    size_t need;
    if (!size_add(api->n_targets, more, &need)) return false;
    if (need <= api->cap_targets) return true;
    size_t cap = need + need / 2, bytes;
    if (!size_mul(cap, sizeof *api->targets, &bytes)) return false;
    struct target *targets = mem_realloc(api->targets, bytes);
    if (!targets) return false;
    api->targets = targets;
    api->cap_targets = cap;
    return true;
}

static bool is_named(const void *entry, const void *name)
{
    return span_eq(((const struct target *)entry)->name, *(const struct span *)name);
}

/* Whether the event has this channel already. `seen` is used once there are many. */
static bool is_doubled(const struct reading_event *e, const struct map *seen, struct span name)
{
    if (seen->n) return map_find(seen, hash_key(name), is_named, &name) != NULL;
    const struct target *targets = e->r->api->targets + e->event->first;
    for (size_t i = 0; i < e->event->n_targets; i++)
        if (span_eq(targets[i].name, name)) return true;
    return false;
}

static bool note_seen(const struct reading_event *e, struct map *seen)
{
    struct target *targets = e->r->api->targets + e->event->first;
    size_t n = e->event->n_targets;
    for (size_t i = seen->n; n > DEDUP_LINEAR && i < n; i++)
        if (map_add(seen, hash_key(targets[i].name), &targets[i])) return false;
    return true;
}

/* Adds a channel once. Room for it is there. */
static bool add_channel(struct reading_event *e, struct map *seen, struct span name)
{
    struct api *api = e->r->api;
    if (!e->channel.p) e->channel = name;
    if (is_doubled(e, seen, name)) return true;
    if (!chan_name_ok(name, e->r->app->rules->names, &api->words)) {
        e->channel = name;
        e->r->cause = CAUSE_BAD_CHANNEL;
        struct buf *words = &api->words;
        if (words->n && words->p[words->n - 1] == '.') words->n--; /* the sentence goes on */
        return refuse_event(e, 400);
    }
    api->targets[api->n_targets++] = (struct target) { .name = name, .kind = chan_kind_of(name) };
    e->event->n_targets++;
    return note_seen(e, seen) || refuse_memory(e->r);
}

/* Whether the event may have `n` channels; takes room for them. */
static bool allow_channels(const struct reading_event *e, size_t n)
{
    uint64_t limit = e->r->app->s->limits.channels_per_publish;
    struct buf *words = &e->r->api->words;
    if (n == 0) return refuse_data(e, "'channels' is empty");
    if (limit && n > limit) {
        buf_add_fmt(words,
                    "Cannot broadcast to more than %llu channels at once. 'channels' has %zu; "
                    "limits.channels_per_publish",
                    (unsigned long long)limit, n);
        add_app(e->r);
        buf_add_fmt(words, " allows %llu", (unsigned long long)limit);
        return refuse_event(e, 400);
    }
    return reserve_targets(e->r->api, n) || refuse_memory(e->r);
}

static bool add_array(struct reading_event *e, struct json_val array, struct map *seen)
{
    struct json_val item;
    size_t n = 0;
    for (struct json_iter it = json_begin(array); json_next_item(&it, &item);) n++;
    if (!allow_channels(e, n)) return false;
    for (struct json_iter it = json_begin(array); json_next_item(&it, &item);) {
        if (item.type != JSON_STRING)
            return refuse_data(e, "'channels' must be an array of strings");
        if (!add_channel(e, seen, json_text(item, &e->r->api->text))) return false;
    }
    return true;
}

static bool add_one(struct reading_event *e, struct span name)
{
    struct map none = { 0 };
    return allow_channels(e, 1) && add_channel(e, &none, name);
}

/* `channels`, `channels[]` and `channels[0]` are names of the list. */
static bool is_list_key(struct span key)
{
    static const struct span name = SPAN("channels");
    if (!span_starts(key, name)) return false;
    struct span rest = span_skip(key, name.n);
    return rest.n == 0 || (rest.p[0] == '[' && rest.p[rest.n - 1] == ']');
}

/* Visits the list in the query; `seen` NULL: only counts. */
static bool walk_query(struct reading_event *e, struct map *seen, size_t *n)
{
    struct url_query it = url_query(e->r->target.query);
    struct url_pair pair;
    while (url_query_next(&it, &pair)) {
        if (!is_list_key(text_of(e->r, pair.key, READING_DECODED))) continue;
        ++*n;
        if (!seen) continue;
        struct span name = text_of(e->r, pair.value, (enum reading)e->r->call->_reading);
        if (!add_channel(e, seen, name)) return false;
    }
    return true;
}

/* The channels of the body, else of the query: `channels` before `channel`. */
static bool collect_channels(struct reading_event *e, struct map *seen)
{
    struct json_val list = e->fields[FIELD_CHANNELS].val;
    struct span one;
    if (list.type == JSON_ARRAY) return add_array(e, list, seen);
    if (list.type == JSON_STRING) return add_one(e, json_text(list, &e->r->api->text));
    if (is_there(list)) return refuse_data(e, "'channels' must be an array of strings");
    size_t n = 0, again = 0;
    bool in_body = is_there(e->fields[FIELD_CHANNEL].val);
    if (e->query && !in_body) walk_query(e, NULL, &n);
    if (n) return allow_channels(e, n) && walk_query(e, seen, &again);
    if (!read_text(e, FIELD_CHANNEL, &one, NULL)) return false;
    if (!one.p) return refuse_data(e, "there is neither 'channels' nor 'channel'");
    return add_one(e, one);
}

static bool read_channels(struct reading_event *e)
{
    struct map seen = { 0 };
    bool ok = collect_channels(e, &seen);
    map_fini(&seen);
    return ok;
}

/* --- the other fields --- */

static bool read_name(struct reading_event *e)
{
    uint64_t limit = e->r->app->s->limits.event_name;
    struct buf *words = &e->r->api->words;
    struct span name;
    if (!read_text(e, FIELD_NAME, &name, &e->event->name_raw)) return false;
    if (name.n == 0) return refuse_data(e, "'name' is missing or empty");
    if (span_starts(name, SPAN("pusher:")) || span_starts(name, SPAN("pusher_internal:"))) {
        BUF_ADD_LIT(words, "The event name ");
        add_quoted(words, name);
        BUF_ADD_LIT(words, " is reserved: names that begin with pusher: or pusher_internal: are "
                           "the protocol's own");
        e->r->cause = CAUSE_BAD_EVENT;
        return refuse_event(e, 400);
    }
    if (limit == 0 || name.n <= limit || utf8_count(name) <= limit) return true;
    buf_add_fmt(words,
                "Event name is too long. Maximum allowed size is %llu. It has %zu characters; "
                "limits.event_name",
                (unsigned long long)limit, utf8_count(name));
    add_app(e->r);
    buf_add_fmt(words, " allows %llu", (unsigned long long)limit);
    e->r->cause = CAUSE_BAD_EVENT;
    return refuse_event(e, 400);
}

static bool allow_data(const struct reading_event *e, size_t size)
{
    uint64_t limit = e->r->app->s->limits.message_bytes;
    struct buf *words = &e->r->api->words;
    if (limit == 0 || size <= limit) return true;
    blame(e);
    BUF_ADD_LIT(words, "The event data of channel ");
    add_quoted(words, e->channel);
    buf_add_fmt(words, " has %zu bytes; limits.message_bytes", size);
    add_app(e->r);
    buf_add_fmt(words, " allows %llu.", (unsigned long long)limit);
    answer_error(e->r, 413);
    return false;
}

static bool read_data(struct reading_event *e)
{
    struct json_val val = e->fields[FIELD_DATA].val;
    if (is_there(val)) {
        e->event->data_raw = val.raw;
        uint64_t limit = e->r->app->s->limits.message_bytes;
        return val.raw.n <= limit || allow_data(e, json_data_len(val));
    }
    struct span text;
    if (!read_text(e, FIELD_DATA, &text, &e->event->data_raw)) return false;
    if (!text.p) return refuse_data(e, "'data' is missing");
    return allow_data(e, text.n);
}

static bool read_socket(struct reading_event *e)
{
    struct span text;
    if (!read_text(e, FIELD_SOCKET, &text, NULL)) return false;
    if (!text.p || socket_id_read(text, &e->event->exclude)) return true;
    BUF_ADD_LIT(&e->r->api->words, "The socket_id ");
    add_quoted(&e->r->api->words, text);
    BUF_ADD_LIT(&e->r->api->words, " is not of the form 123.456");
    return refuse_event(e, 400);
}

static bool read_info(struct reading_event *e)
{
    struct span text;
    if (!read_text(e, FIELD_INFO, &text, NULL)) return false;
    e->event->info = info_of(text);
    return true;
}

/* --- whole events --- */

static struct event *new_event(struct api *api)
{
    if (api->n_events == api->cap_events) {
        size_t cap = api->cap_events ? api->cap_events * 2 : 16, bytes;
        if (!size_mul(cap, sizeof *api->events, &bytes)) return NULL;
        struct event *events = mem_realloc(api->events, bytes);
        if (!events) return NULL;
        api->events = events;
        api->cap_events = cap;
    }
    struct event *event = &api->events[api->n_events++];
    *event = (struct event) { .first = api->n_targets };
    return event;
}

/* The fields of a JSON object; `object` absent: all of them are. */
static bool begin_event(struct reading_event *e, struct request *r, struct json_val object)
{
    *e = (struct reading_event) {
        .r = r,
        .event = new_event(r->api),
        .fields = { [FIELD_NAME] = { .name = "name" },
                    [FIELD_DATA] = { .name = "data" },
                    [FIELD_CHANNELS] = { .name = "channels" },
                    [FIELD_CHANNEL] = { .name = "channel" },
                    [FIELD_SOCKET] = { .name = "socket_id" },
                    [FIELD_INFO] = { .name = "info" } },
    };
    if (!e->event) return refuse_memory(r);
    if (object.type == JSON_ABSENT) return true;
    if (object.type != JSON_OBJECT) return refuse_data(e, "an event must be a JSON object");
    const char *doubled = json_fields(object, e->fields, N_FIELDS);
    if (!doubled) return true;
    buf_add_fmt(&r->api->words, "The received data is incorrect: the member '%s' stands twice",
                doubled);
    return refuse_event(e, 400);
}

static bool read_rest(struct reading_event *e)
{
    return read_name(e) && read_data(e) && read_socket(e) && read_info(e);
}

/* The body as JSON; an empty one is absent. */
static bool parse_body(struct request *r, struct json_val *root)
{
    struct json_bad bad;
    *root = (struct json_val) { .type = JSON_ABSENT };
    if (r->body.n == 0 || json_check(r->body, BODY_DEPTH, root, &bad)) return true;
    buf_add_fmt(&r->api->words,
                "The received data is incorrect: the body is not JSON: %s, at "
                "byte %zu of %zu",
                bad.why, bad.at, r->body.n);
    BUF_ADD_LIT(&r->api->words, " (request");
    add_app(r);
    return refuse(r, 400, SPAN(")."));
}

bool read_event(struct request *r)
{
    struct json_val root;
    struct reading_event e;
    if (!parse_body(r, &root) || !begin_event(&e, r, root)) return false;
    e.query = !r->call->_usual;
    return read_channels(&e) && read_rest(&e);
}

bool read_user_event(struct request *r)
{
    struct json_val root;
    struct reading_event e;
    if (!parse_body(r, &root) || !begin_event(&e, r, root)) return false;
    e.query = true;
    struct buf *text = &r->api->text;
    struct span id = path_text(r, r->args.name);
    struct buf name = { 0 };
    chan_user_name(&name, id);
    size_t from = text->n;
    buf_add_span(text, buf_span(&name));
    bool failed = buf_failed(&name);
    buf_fini(&name);
    if (failed) return refuse_memory(r);
    return add_one(&e, span_skip(buf_span(text), from)) && read_rest(&e);
}

static bool allow_batch(struct request *r, size_t n)
{
    uint64_t limit = r->app->s->limits.batch;
    struct buf *words = &r->api->words;
    if (limit == 0 || n <= limit) return true;
    buf_add_fmt(words,
                "Cannot batch-send more than %llu messages at once. 'batch' has %zu; limits.batch",
                (unsigned long long)limit, n);
    add_app(r);
    buf_add_fmt(words, " allows %llu.", (unsigned long long)limit);
    answer_error(r, 400);
    return false;
}

/* The array `batch` of the body. */
static bool find_batch(struct request *r, struct json_val *batch)
{
    struct json_val root;
    struct json_field field = { .name = "batch" };
    if (!parse_body(r, &root)) return false;
    const char *doubled = NULL;
    if (root.type == JSON_OBJECT) doubled = json_fields(root, &field, 1);
    *batch = field.val;
    if (!doubled && batch->type == JSON_ARRAY) return true;
    buf_add_span(&r->api->words,
                 doubled ? SPAN("The received data is incorrect: the member 'batch' stands twice")
                         : SPAN("The received data is incorrect: the body must be an object with "
                                "an array 'batch'"));
    BUF_ADD_LIT(&r->api->words, " (request");
    add_app(r);
    return refuse(r, 400, SPAN(")."));
}

bool read_batch(struct request *r)
{
    struct json_val batch, item;
    size_t n = 0;
    if (!find_batch(r, &batch)) return false;
    for (struct json_iter it = json_begin(batch); json_next_item(&it, &item);) n++;
    if (!allow_batch(r, n)) return false;
    for (struct json_iter it = json_begin(batch); json_next_item(&it, &item);) {
        struct reading_event e;
        if (!begin_event(&e, r, item) || !read_channels(&e) || !read_rest(&e)) return false;
    }
    return true;
}
