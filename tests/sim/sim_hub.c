/* SPDX-License-Identifier: MIT
 *
 * tests/sim/sim_hub.c: hundreds of clients on several workers do anything in any order; what each
 * hears must fit together. `--seed N` plays one run again; a failure prints its seed.
 *
 * One thread and a virtual clock, so the simulation itself is the truth: it knows who is where and
 * what was published. Each client rebuilds that from frames alone: events count up without a gap
 * between joining and leaving, people come and go once, cached events and answers stand in the
 * order. Workers' turns are drawn at random; now and then everything settles and all is compared.
 */
#include "client.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS 4
#define CLIENTS 300
#define USERS 20
#define CHANNELS 8 /* of these the last three are presence channels; then one for each user */
#define FIRST_PRESENCE 5
#define PLACES (CHANNELS + USERS)
#define LOG_MAX 8192
#define STEPS 20000

static const char *const names[CHANNELS] = {
    "one",         "private-two", "cache-three",         "private-cache-four",
    "private-enc", "presence-a",  "presence-cache-room", "presence-b",
};

/* Everything that was published on a channel, or to a user: entry n has the data n. */
struct place {
    char name[32];
    struct chan_kind kind;
    uint32_t n;
    struct {
        uint64_t exclude;
        bool by_client;
    } log[LOG_MAX + 1];
};

/* What a client does on a place, and what it made of the frames. */
struct visit {
    bool in, answered;
    bool wants_cache;     /* its next frame is the cached event or a miss */
    bool waits;           /* an answer must come */
    uint32_t n_answers;   /* may come: one may answer several subscribes */
    uint32_t next;        /* the next event */
    uint32_t user;        /* presence: who */
    uint64_t people;      /* presence: bit set */
    uint32_t count_heard; /* subscription_count */
};

struct soul {
    struct client c;
    bool signed_in;
    uint32_t user;
    struct visit visits[PLACES];
};

static struct {
    uint64_t seed, random, step;
    struct world w;
    struct place places[PLACES];
    struct soul souls[CLIENTS];
    uint32_t next_socket;
    struct buf scratch;
    uint64_t n_heard;
} sim;

__attribute__((format(printf, 1, 2))) static _Noreturn void fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "step %llu: ", (unsigned long long)sim.step);
    vfprintf(stderr, fmt, args);
    fprintf(stderr, "\nplay it again: sim_hub --seed %llu\n", (unsigned long long)sim.seed);
    va_end(args);
    abort();
}

#define MUST(cond, soul, text)                                                                     \
    ((cond) ? (void)0                                                                              \
            : fail("client %d: %s, at %.*s", (int)((soul)-sim.souls), #cond, SPAN_FMT(text)))

static uint32_t draw(uint32_t n)
{
    sim.random = sim.random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(sim.random >> 33) % n;
}

/* --- the truth --- */

static uint32_t count_subs(unsigned place)
{
    uint32_t n = 0;
    for (int i = 0; i < CLIENTS; i++) n += sim.souls[i].visits[place].in;
    return n;
}

static uint64_t people_at(unsigned place)
{
    uint64_t people = 0;
    for (int i = 0; i < CLIENTS; i++)
        if (sim.souls[i].visits[place].in) people |= UINT64_C(1) << sim.souls[i].visits[place].user;
    return people;
}

/* The event that the cache holds after so many. */
static uint32_t cached_before(const struct place *p, uint32_t next)
{
    if (!p->kind.cache) return 0;
    uint32_t n = next - 1;
    while (n > 0 && p->log[n].by_client) n--;
    return n;
}

static void skip_excluded(const struct place *p, struct visit *v, uint64_t socket_id)
{
    while (v->next <= p->n && p->log[v->next].exclude == socket_id) v->next++;
}

/* --- hearing --- */

static uint64_t bit_of(struct json_val id)
{
    uint64_t n;
    CHECK(json_to_u64(id, &n) && n < USERS);
    return UINT64_C(1) << n;
}

static struct json_val member_of(struct json_val object, const char *name)
{
    struct json_field field = { .name = name };
    CHECK(!json_fields(object, &field, 1));
    return field.val;
}

static void hear_snapshot(struct soul *s, struct visit *v, struct json_val data)
{
    struct json_val presence = member_of(data, "presence");
    struct json_iter it = json_begin(member_of(presence, "ids"));
    v->people = 0;
    uint64_t n = 0, count;
    for (struct json_val id; json_next_item(&it, &id); n++) {
        MUST(!(v->people & bit_of(id)), s, data.raw);
        v->people |= bit_of(id);
    }
    MUST(json_to_u64(member_of(presence, "count"), &count) && count == n, s, data.raw);
}

static void hear_answer(struct soul *s, unsigned place, struct json_val data)
{
    struct visit *v = &s->visits[place];
    const struct place *p = &sim.places[place];
    MUST(v->n_answers > 0, s, data.raw);
    v->n_answers--;
    v->waits = false;
    if (p->kind.type == CHAN_PRESENCE) {
        hear_snapshot(s, v, data);
        MUST(v->answered || v->people == people_at(place), s, data.raw);
    }
    v->answered = true;
    v->wants_cache = p->kind.cache;
}

static void hear_internal(struct soul *s, unsigned place, struct span name, struct json_val data)
{
    struct visit *v = &s->visits[place];
    if (span_eq(name, SPAN("pusher_internal:subscription_succeeded"))) {
        hear_answer(s, place, data);
        return;
    }
    MUST(v->answered && !v->wants_cache, s, name);
    if (span_eq(name, SPAN("pusher_internal:subscription_count"))) {
        uint64_t count;
        MUST(json_to_u64(member_of(data, "subscription_count"), &count), s, data.raw);
        v->count_heard = (uint32_t)count;
        return;
    }
    uint64_t who = bit_of(member_of(data, "user_id"));
    bool added = span_eq(name, SPAN("pusher_internal:member_added"));
    MUST(added || span_eq(name, SPAN("pusher_internal:member_removed")), s, name);
    MUST(added == !(v->people & who), s, data.raw);
    v->people ^= who;
}

static void hear_event(struct soul *s, unsigned place, struct json_val data)
{
    struct visit *v = &s->visits[place];
    const struct place *p = &sim.places[place];
    uint64_t n;
    MUST(v->answered && json_to_u64(data, &n), s, data.raw);
    uint32_t heard_before = v->next;
    skip_excluded(p, v, s->c.conn.socket_id);
    if (v->wants_cache) { /* events that exclude him may stand on both sides of the answer */
        v->wants_cache = false;
        while (heard_before < v->next && n != cached_before(p, heard_before)) heard_before++;
        MUST(n == cached_before(p, heard_before), s, data.raw);
        v->next = heard_before;
        return;
    }
    MUST(n == v->next, s, data.raw);
    v->next++;
}

static unsigned place_named(struct span name)
{
    for (unsigned i = 0; i < PLACES; i++)
        if (span_eq(span_str(sim.places[i].name), name)) return i;
    fail("a frame on the channel %.*s", SPAN_FMT(name));
}

static void hears(struct client *c, struct msg *msg)
{
    struct soul *s = CONTAINER_OF(c, struct soul, c);
    struct span text = msg_text(msg);
    struct event_in ev;
    const char *why;
    buf_clear(&sim.scratch);
    sim.n_heard++;
    if (!event_parse(text, &ev, &sim.scratch, &why)) fail("%s: %.*s", why, SPAN_FMT(text));
    if (!ev.channel.p) {
        MUST(span_eq(ev.name, SPAN("pusher:connection_established")) ||
                 span_eq(ev.name, SPAN("pusher:signin_success")),
             s, text);
        return;
    }
    unsigned place = place_named(ev.channel);
    struct visit *v = &s->visits[place];
    MUST(v->in, s, text);
    if (span_starts(ev.name, SPAN("pusher_internal:"))) {
        struct json_val data;
        struct buf inner = { 0 };
        json_unescape(ev.data, &inner);
        CHECK(json_check(buf_span(&inner), 16, &data, NULL));
        hear_internal(s, place, ev.name, data);
        buf_fini(&inner);
    } else if (span_eq(ev.name, SPAN("pusher:cache_miss"))) {
        MUST(v->wants_cache && cached_before(&sim.places[place], v->next) == 0, s, text);
        v->wants_cache = false;
    } else {
        hear_event(s, place, ev.data);
    }
}

/* --- doing --- */

static struct soul *anybody(void)
{
    return &sim.souls[draw(CLIENTS)];
}

static void forget_visits(struct soul *s)
{
    memset(s->visits, 0, sizeof s->visits);
    s->signed_in = false;
}

static void connect(struct soul *s)
{
    if (s->c.world) client_forget(&s->c);
    forget_visits(s);
    s->c.hears = hears;
    client_open(&s->c, &sim.w, draw(WORKERS), sim.next_socket++);
}

static bool is_gone(const struct soul *s)
{
    return s->c.conn.closed || s->c.close_code;
}

static void subscribe(struct soul *s)
{
    unsigned place = draw(CHANNELS);
    struct visit *v = &s->visits[place];
    char data[32];
    uint32_t user = draw(USERS);
    bool presence = sim.places[place].kind.type == CHAN_PRESENCE;
    snprintf(data, sizeof data, "{\"user_id\":%u}", user);
    if (!v->in) *v = (struct visit) { .in = true, .next = sim.places[place].n + 1 };
    v->user = user;
    v->n_answers++;
    v->waits = true;
    client_subscribes(&s->c, sim.places[place].name, presence ? data : NULL);
}

static void unsubscribe(struct soul *s)
{
    unsigned place = draw(CHANNELS);
    s->visits[place] = (struct visit) { 0 };
    client_unsubscribes(&s->c, sim.places[place].name);
}

static void sign_in(struct soul *s)
{
    if (s->signed_in) return;
    char data[32];
    s->signed_in = true;
    s->user = draw(USERS);
    unsigned place = CHANNELS + s->user;
    s->visits[place] =
        (struct visit) { .in = true, .answered = true, .next = sim.places[place].n + 1 };
    snprintf(data, sizeof data, "{\"id\":%u}", s->user);
    client_signs_in(&s->c, data);
}

static void publish(void)
{
    unsigned place = draw(PLACES);
    struct place *p = &sim.places[place];
    if (p->n == LOG_MAX) return;
    char data[16];
    uint64_t exclude = draw(3) ? 0 : anybody()->c.conn.socket_id;
    p->log[++p->n].exclude = exclude;
    snprintf(data, sizeof data, "%u", p->n);
    struct hub_publish done = world_publish_as(&sim.w, draw(WORKERS), p->name, data, exclude);
    if (done.n_subs != count_subs(place)) fail("%s: told %u subscriptions", p->name, done.n_subs);
    if (p->kind.type == CHAN_PRESENCE &&
        done.n_users != (unsigned)__builtin_popcountll(people_at(place)))
        fail("%s: told %u people", p->name, done.n_users);
}

static void whisper(struct soul *s)
{
    unsigned place = draw(CHANNELS);
    struct place *p = &sim.places[place];
    if (!s->visits[place].in || !chan_needs_auth(p->kind) || p->n == LOG_MAX) return;
    char text[128];
    p->n++;
    p->log[p->n].exclude = s->c.conn.socket_id;
    p->log[p->n].by_client = true;
    snprintf(text, sizeof text, "{\"event\":\"client-w\",\"channel\":\"%s\",\"data\":%u}", p->name,
             p->n);
    client_says(&s->c, text);
}

static void leave(struct soul *s)
{
    client_close(&s->c);
    forget_visits(s);
}

static bool is_user(const struct soul *s, uint32_t user)
{
    if (s->signed_in && s->user == user) return true;
    for (unsigned place = FIRST_PRESENCE; place < CHANNELS; place++)
        if (s->visits[place].in && s->visits[place].user == user) return true;
    return false;
}

/* Closes all sockets of a user, at a moment when nothing else is under way. */
static void terminate(void)
{
    uint32_t user = draw(USERS);
    char id[16];
    bool gone[CLIENTS];
    snprintf(id, sizeof id, "%u", user);
    world_settle(&sim.w);
    for (int i = 0; i < CLIENTS; i++) gone[i] = is_gone(&sim.souls[i]);
    struct app *app = &sim.w.apps->all[0];
    CHECK(hub_terminate(sim.w.hubs[draw(WORKERS)], app, span_str(id)) == ERR_OK);
    world_turn(&sim.w, draw(WORKERS));
    world_settle(&sim.w);
    for (int i = 0; i < CLIENTS; i++) {
        struct soul *s = &sim.souls[i];
        bool was = is_user(s, user);
        if (is_gone(s) != (was || gone[i])) fail("client %d: terminated or not?", i);
        if (!was) continue;
        if (s->c.close_code != 4009) fail("client %d was not closed", i);
        forget_visits(s);
    }
}

/* --- comparing --- */

static void compare_client(struct soul *s)
{
    struct span none = SPAN("rest");
    for (unsigned place = 0; place < PLACES; place++) {
        struct visit *v = &s->visits[place];
        if (!v->in) continue;
        skip_excluded(&sim.places[place], v, s->c.conn.socket_id);
        MUST(!v->waits && !v->wants_cache && v->answered, s, none);
        v->n_answers = 0;
        MUST(v->next == sim.places[place].n + 1, s, none);
        if (place >= CHANNELS) continue;
        if (sim.places[place].kind.type == CHAN_PRESENCE)
            MUST(v->people == people_at(place), s, none);
        else
            MUST(v->count_heard == count_subs(place), s, none);
    }
}

static void compare(void)
{
    world_settle(&sim.w);
    world_advance(&sim.w, DIR_COUNT_THROTTLE_MS);
    for (int i = 0; i < CLIENTS; i++) compare_client(&sim.souls[i]);
    for (unsigned place = 0; place < CHANNELS; place++) {
        struct dir_facts facts;
        dir_facts(sim.w.dir, &sim.w.apps->all[0], span_str(sim.places[place].name), sim.w.now_ms,
                  &facts);
        msg_unref(facts.cached);
        if (facts.n_subs != count_subs(place)) fail("%s: counts", sim.places[place].name);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        if (dir_backlog_bytes(sim.w.dir, i)) fail("worker %u: a backlog is left", i);
    for (int i = 0; i < CLIENTS; i++)
        if (is_gone(&sim.souls[i]) && draw(2)) connect(&sim.souls[i]);
}

static void step(void)
{
    uint32_t what = draw(100);
    struct soul *s = anybody();
    if (what < 30)
        world_turn(&sim.w, draw(WORKERS));
    else if (what < 50)
        publish();
    else if (what == 50)
        sim.w.now_ms += draw(2000);
    else if (what == 51 && draw(8) == 0)
        terminate();
    else if (is_gone(s))
        return;
    else if (what < 75)
        subscribe(s);
    else if (what < 85)
        unsubscribe(s);
    else if (what < 92)
        whisper(s);
    else if (what < 97)
        sign_in(s);
    else if (draw(2))
        leave(s);
}

static void name_places(void)
{
    for (unsigned i = 0; i < PLACES; i++) {
        struct place *p = &sim.places[i];
        if (i < CHANNELS)
            snprintf(p->name, sizeof p->name, "%s", names[i]);
        else
            snprintf(p->name, sizeof p->name, "#server-to-user-%u", i - CHANNELS);
        p->kind = chan_kind_of(span_str(p->name));
    }
}

static void run(uint64_t seed)
{
    memset(&sim, 0, sizeof sim);
    sim.seed = seed;
    sim.random = seed * 2654435761u + 1;
    sim.next_socket = 1;
    name_places();
    world_init(&sim.w, WORKERS);
    sim.w.closes_late = seed % 2;
    sim.w.settings[0].subscription_count = true;
    sim.w.settings[0].cache_ttl_s = 0;
    sim.w.settings[0].limits.client_events_per_second = 0;
    world_open(&sim.w);
    for (int i = 0; i < CLIENTS; i++) connect(&sim.souls[i]);
    for (sim.step = 0; sim.step < STEPS; sim.step++) {
        step();
        if (draw(500) == 0) compare();
    }
    compare();
    printf("seed %llu: %llu frames fit together\n", (unsigned long long)seed,
           (unsigned long long)sim.n_heard);
    world_end(&sim.w);
    buf_fini(&sim.scratch);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        run(strtoull(argv[2], NULL, 10));
        return 0;
    }
    for (uint64_t seed = 1; seed <= 4; seed++) run(seed);
    return 0;
}
