/* SPDX-License-Identifier: MIT
 *
 * load/subs_text.c: what is said on a connection: the protocol as far as a subscriber needs it, and
 * the check of numbered messages.
 *
 * Nothing is parsed as JSON: the numbered text is looked for where it stood the last time, and the
 * few events of the protocol are told apart by their names, so that the generator costs less than
 * the servers that it measures.
 */
#include "base/json_write.h"
#include "load/subs_priv.h"
#include "load/text.h"

static bool has(struct span s, const char *word)
{
    return s.n && memmem(s.p, s.n, word, strlen(word)) != NULL;
}

/* The digits that it begins with. */
static struct span digits_of(struct span s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9') n++;
    return span_head(s, n);
}

/* --- subscribing --- */

void subs_channel_name(const struct subs *s, uint32_t channel, struct buf *out)
{
    buf_add_span(out, span_str(s->layout.prefix));
    buf_add_byte(out, '-');
    buf_add_u64(out, channel);
}

/* Appends ,"auth":"…" and on presence channels ,"channel_data":"…". */
static void add_auth(struct subs *s, size_t index, struct span socket_id, struct span channel)
{
    struct buf data = { 0 }, auth = { 0 };
    if (span_starts(channel, SPAN("presence-")))
        buf_add_fmt(&data, "{\"user_id\":\"user-%zu\",\"user_info\":{\"name\":\"User %zu\"}}",
                    index, index);
    auth_sign_channel(&s->target->keys, socket_id, channel, buf_span(&data), &auth);
    if (buf_failed(&auth) || buf_failed(&data)) buf_fail(&s->out);
    BUF_ADD_LIT(&s->out, ",\"auth\":");
    json_string(&s->out, buf_span(&auth));
    if (data.n) {
        BUF_ADD_LIT(&s->out, ",\"channel_data\":");
        json_string(&s->out, buf_span(&data));
    }
    buf_fini(&data);
    buf_fini(&auth);
}

static void subscribe(struct subs *s, size_t index, uint32_t channel, struct span socket_id)
{
    struct buf name = { 0 };
    subs_channel_name(s, channel, &name);
    BUF_ADD_LIT(&s->out, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"");
    buf_add_span(&s->out, buf_span(&name));
    buf_add_byte(&s->out, '"');
    if (span_starts(buf_span(&name), SPAN("private-")) ||
        span_starts(buf_span(&name), SPAN("presence-")))
        add_auth(s, index, socket_id, buf_span(&name));
    BUF_ADD_LIT(&s->out, "}}");
    buf_fini(&name);
    subs_say(s, index);
}

/* The digits and the dot after "socket_id" in what may be JSON within JSON. */
static struct span socket_id_of(struct span text)
{
    static const char word[] = "socket_id";
    const char *at = memmem(text.p, text.n, word, sizeof word - 1);
    if (!at) return span_of(NULL, 0);
    struct span rest = span_skip(text, (size_t)(at - text.p) + sizeof word - 1);
    while (rest.n && !strchr("0123456789.", rest.p[0])) rest = span_skip(rest, 1);
    size_t n = 0;
    while (n < rest.n && strchr("0123456789.", rest.p[n])) n++;
    return span_head(rest, n);
}

static void on_greeting(struct subs *s, size_t index, struct span text)
{
    struct sub *sub = &s->items[index];
    if (!has(text, "pusher:connection_established")) {
        subs_lose(s, index, "no greeting but: ", text);
        return;
    }
    sub->state = SUB_JOINING;
    struct span socket_id = socket_id_of(text);
    for (uint32_t k = 0; k < s->layout.per_conn && sub->state == SUB_JOINING; k++)
        subscribe(s, index, sub_channel(s, index, k), socket_id);
}

/* --- messages --- */

/* Which of the connection's channels it came on; per_conn where that is none, or the event is not
 * the one that was published. */
static uint32_t which(struct subs *s, size_t index, struct span text)
{
    const uint32_t none = s->layout.per_conn;
    struct span at, event = SPAN("\"" TEXT_EVENT "\""), mark = buf_span(&s->mark);
    if (!text_look(text, event, &s->hint_event, &at) ||
        !text_look(text, mark, &s->hint_channel, &at))
        return none;
    struct span rest = span_skip(at, mark.n), number = digits_of(rest);
    uint64_t channel;
    if (!span_to_u64(number, &channel) || number.n == rest.n || rest.p[number.n] != '"')
        return none;
    uint32_t k = 0;
    while (k < none && sub_channel(s, index, k) != channel) k++;
    return k;
}

uint64_t sub_refused_since(const struct sub_common *common, uint64_t seq)
{
    const uint64_t *all = (const void *)common->refused.p;
    size_t n = common->refused.n / sizeof *all, before = n;
    while (before && all[before - 1] >= seq) before--;
    return n - before;
}

static bool was_refused(const struct sub_common *common, uint64_t seq)
{
    return sub_refused_since(common, seq) > sub_refused_since(common, seq + 1);
}

/* Whether the subscription had the message, where that is known: the last 64 are. */
static bool had(const struct sub_chan *c, uint64_t seq)
{
    uint64_t behind = c->next_seq - 1 - seq;
    return behind >= 64 || (c->seen >> behind & 1);
}

static void fill_hole(struct sub_chan *c, uint64_t seq)
{
    uint64_t behind = c->next_seq - 1 - seq;
    if (behind < 64) c->seen |= UINT64_C(1) << behind;
    c->n_holes--;
}

/* Holes that are too far behind to be told apart: one is as good as another. */
static uint64_t n_old_holes(const struct sub_chan *c)
{
    uint64_t n = c->next_seq - c->first_seq, known = n < 64 ? n : 64;
    uint64_t seen = known == 64 ? c->seen : c->seen & ((UINT64_C(1) << known) - 1);
    return c->n_holes - (known - (uint64_t)__builtin_popcountll(seen));
}

/* A message that does not have to come. True: it was waited for. */
static bool excuse(struct sub_chan *c, uint64_t seq)
{
    if (seq < c->first_seq) return false;
    if (seq >= c->next_seq) return true; /* sub_refused_since() will know */
    bool old = c->next_seq - 1 - seq >= 64;
    if (old ? n_old_holes(c) == 0 : had(c, seq)) return false;
    fill_hole(c, seq);
    return true;
}

/* A number in front of the next one. */
static void on_late(struct subs *s, size_t index, struct sub_chan *c, uint64_t seq)
{
    bool again = had(c, seq);
    load_fault(s->faults, again ? LOAD_DOUBLED : LOAD_SWAPPED,
               "connection %zu: message %llu came %s message %llu", index, (unsigned long long)seq,
               again ? "again, before" : "after", (unsigned long long)c->next_seq);
    if (again) return;
    fill_hole(c, seq);
    s->received++;
    s->run_received++;
}

/* The numbers up to this one were left out: they may still come, else they are lost. */
static void skip_to(struct sub_chan *c, const struct sub_common *common, uint64_t seq)
{
    for (; c->next_seq < seq; c->next_seq++) {
        bool refused = was_refused(common, c->next_seq);
        c->seen = c->seen << 1 | refused;
        c->n_holes += !refused;
    }
}

/* A message that was found in the text. */
static void on_message(struct subs *s, size_t index, uint32_t k, const struct text_head *head)
{
    const struct sub_common *common = &s->common[sub_channel(s, index, k)];
    struct sub_chan *c = &sub_chans(s, index)[k];
    if (head->seq >= common->next_seq) {
        load_fault(s->faults, LOAD_WRONG, "connection %zu: message %llu was never published", index,
                   (unsigned long long)head->seq);
        return;
    }
    if (head->seq < c->first_seq) return; /* was under way when we came, or was given up */
    bool refused = was_refused(common, head->seq);
    if (head->seq < c->next_seq) {
        if (!refused) on_late(s, index, c, head->seq);
        return;
    }
    skip_to(c, common, head->seq);
    c->next_seq++;
    c->seen = c->seen << 1 | 1;
    if (!refused) s->received++; /* nobody waited for that one */
    s->run_received++;
    if (s->latency) hist_add(s->latency, s->now_ns > head->due_ns ? s->now_ns - head->due_ns : 0);
}

/* Of pusher:error. */
static uint16_t code_of(struct span text)
{
    const char *at = memmem(text.p, text.n, "code", 4);
    struct span rest = at ? span_skip(text, (size_t)(at - text.p)) : span_of(NULL, 0);
    while (rest.n && (rest.p[0] < '0' || rest.p[0] > '9')) rest = span_skip(rest, 1);
    uint64_t code = 0;
    return span_to_u64(digits_of(rest), &code) && code <= UINT16_MAX ? (uint16_t)code : 0;
}

/* Presence, counts, pings, and the error that says why the connection will be closed: true when the
 * text was one of these. */
static bool on_protocol(struct subs *s, size_t index, struct span text)
{
    if (!has(span_head(text, 200), "\"pusher")) return false;
    if (has(text, "\"pusher:error\"")) {
        s->items[index].error = code_of(text);
        return s->items[index].error >= 4000 && s->items[index].error < 4300;
    }
    if (!has(text, "\"pusher:ping\"")) return true;
    BUF_ADD_LIT(&s->out, "{\"event\":\"pusher:pong\",\"data\":{}}");
    subs_say(s, index);
    return true;
}

static void on_ready(struct subs *s, size_t index, struct span text)
{
    struct text_head head;
    bool found = text_find(text, s->data_bytes, &s->hint, &head);
    if ((found || text_find_head(text, &s->hint, &head)) && head.run != s->target->run) {
        s->n_foreign++;
        return;
    }
    uint32_t k = found ? which(s, index, text) : s->layout.per_conn;
    if (k < s->layout.per_conn)
        on_message(s, index, k, &head);
    else if (!on_protocol(s, index, text))
        load_fault(s->faults, LOAD_WRONG, "connection %zu got what was not published: %.*s", index,
                   (int)(text.n < 200 ? text.n : 200), text.p);
}

/* The next message is the first that counts. */
static void begin_at_next(struct subs *s, size_t index, uint32_t k)
{
    uint64_t next = s->common[sub_channel(s, index, k)].next_seq;
    sub_chans(s, index)[k] = (struct sub_chan) { .first_seq = next, .next_seq = next };
}

/* All channels are granted: from here on each message counts. */
static void count_in(struct subs *s, size_t index)
{
    s->items[index].state = SUB_READY;
    s->n_ready++;
    for (uint32_t k = 0; k < s->layout.per_conn; k++) {
        s->common[sub_channel(s, index, k)].n_ready++;
        begin_at_next(s, index, k);
    }
}

static void on_joining(struct subs *s, size_t index, struct span text)
{
    struct sub *sub = &s->items[index];
    if (has(text, "subscription_succeeded")) {
        if (++sub->n_joined == s->layout.per_conn) count_in(s, index);
    } else if (has(text, "subscription_error") || has(text, "\"pusher:error\"")) {
        subs_lose(s, index, "not subscribed: ", text);
    } else {
        on_protocol(s, index, text);
    }
}

static void on_slow(struct subs *s, size_t index, struct span text)
{
    if (has(span_head(text, 200), "\"pusher:error\"")) s->items[index].error = code_of(text);
}

void subs_on_text(struct subs *s, size_t index, struct span text)
{
    const struct sub *sub = &s->items[index];
    switch ((enum sub_state)sub->state) {
    case SUB_READY:
        if (sub->slow)
            on_slow(s, index, text);
        else
            on_ready(s, index, text);
        return;
    case SUB_GREETING:
        on_greeting(s, index, text);
        return;
    case SUB_JOINING:
        on_joining(s, index, text);
        return;
    case SUB_CLOSED:
    case SUB_CONNECTING:
    case SUB_UPGRADING:
        break;
    }
    UNREACHABLE();
}

/* --- accounts --- */

uint64_t subs_next_seq(const struct subs *s, uint32_t channel)
{
    return s->common[channel].next_seq;
}

void subs_published(struct subs *s, uint32_t channel)
{
    struct sub_common *common = &s->common[channel];
    common->next_seq++;
    s->expected += common->n_ready;
}

static struct sub_chan *sub_chan_of(const struct subs *s, size_t index, uint32_t channel)
{
    uint32_t k = 0;
    while (sub_channel(s, index, k) != channel) k++;
    return &sub_chans(s, index)[k];
}

void subs_refused(struct subs *s, uint32_t channel, uint64_t seq)
{
    struct buf *refused = &s->common[channel].refused;
    buf_add(refused, &seq, sizeof seq);
    if (buf_failed(refused)) {
        load_fault(s->faults, LOAD_BROKEN, "out of memory");
        return;
    }
    for (size_t i = channel % sub_step(s); i < s->layout.max; i += sub_step(s)) {
        if (!sub_counts(&s->items[i])) continue;
        s->excused += excuse(sub_chan_of(s, i, channel), seq);
    }
}

uint64_t subs_missing(const struct subs *s)
{
    uint64_t had = s->received + s->excused;
    return s->expected > had ? s->expected - had : 0;
}

void subs_give_up(struct subs *s)
{
    load_faults_add(s->faults, LOAD_LOST, subs_missing(s));
    s->expected = s->received = s->excused = 0;
    CHECK(s->layout.n_channels > 0);
    for (uint32_t c = 0; c < s->layout.n_channels; c++) buf_clear(&s->common[c].refused);
    for (size_t i = 0; i < s->layout.max; i++)
        for (uint32_t k = 0; sub_counts(&s->items[i]) && k < s->layout.per_conn; k++)
            begin_at_next(s, i, k);
}

void subs_watch(struct subs *s, size_t data_bytes, struct hist *latency)
{
    s->data_bytes = data_bytes;
    s->latency = latency;
    s->run_received = 0;
}

uint64_t subs_received(const struct subs *s)
{
    return s->run_received;
}

uint64_t subs_foreign(const struct subs *s)
{
    return s->n_foreign;
}
