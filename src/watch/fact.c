/* SPDX-License-Identifier: MIT
 *
 * watch/fact.c: see fact.h. A ring is an array of places of one size; a fact fills the header and
 * as much of its texts as fits. Places are found by counting back from the newest, so writing is
 * some stores and one or two small copies.
 */
#include "watch/fact.h"
#include "base/mem.h"

/* Names of the usual length fit, in the ring for trouble with a sentence about it. */
#define OK_PLACE 320
#define FAILED_PLACE 832
#define OK_FACTS 1024
#define ENDS 512
#define VACATED 1024
#define MAX_TALLIES 16384

static const struct {
    uint32_t size, n;
} shapes[FACT_N_RINGS] = {
    [FACT_RING_FAILED] = { FAILED_PLACE, 512 },
    [FACT_RING_STRANGERS] = { FAILED_PLACE, 256 },
    [FACT_RING_OK] = { OK_PLACE, OK_FACTS },
};

struct ring {
    char *places;
    uint32_t size, n; /* octets of a place, places */
    uint64_t used;    /* facts ever added */
    uint64_t lost_ms; /* when the newest of the overwritten ones was added */
};

struct facts {
    uint64_t last_id;
    struct ring rings[FACT_N_RINGS];
    struct fact_tally *tallies;
    uint64_t n_tallies, mask; /* ever added; places - 1 */
    struct fact_end *ends;
    struct fact_vacated *vacated;
    uint64_t n_ends, n_vacated; /* ever added */
};

static enum err open_rings(struct facts *f)
{
    for (unsigned i = 0; i < FACT_N_RINGS; i++) {
        uint32_t size = shapes[i].size, n = shapes[i].n;
        f->rings[i] = (struct ring) { mem_zalloc((size_t)size * n), .size = size, .n = n };
        if (!f->rings[i].places) return ERR_NOMEM;
    }
    return ERR_OK;
}

/* Each worker may hand out what every other one publishes. */
static uint64_t tallies_for(unsigned n_workers)
{
    uint64_t n = OK_FACTS;
    while (n < (uint64_t)OK_FACTS * n_workers && n < MAX_TALLIES) n *= 2;
    return n;
}

enum err facts_new(struct facts **out, unsigned worker, unsigned n_workers)
{
    struct facts *f = mem_zalloc(sizeof *f);
    if (!f) return ERR_NOMEM;
    uint64_t n = tallies_for(n_workers);
    f->last_id = (uint64_t)worker << FACT_ID_WORKER_SHIFT;
    f->mask = n - 1;
    f->tallies = mem_zalloc(n * sizeof *f->tallies);
    f->ends = mem_zalloc(ENDS * sizeof *f->ends);
    f->vacated = mem_zalloc(VACATED * sizeof *f->vacated);
    if (!f->tallies || !f->ends || !f->vacated || open_rings(f)) {
        facts_free(f);
        return ERR_NOMEM;
    }
    *out = f;
    return ERR_OK;
}

void facts_free(struct facts *facts)
{
    if (!facts) return;
    for (unsigned i = 0; i < FACT_N_RINGS; i++) mem_free(facts->rings[i].places);
    mem_free(facts->tallies);
    mem_free(facts->ends);
    mem_free(facts->vacated);
    mem_free(facts);
}

uint64_t facts_take_id(struct facts *facts)
{
    return ++facts->last_id;
}

static struct fact *place_of(const struct ring *ring, uint64_t number)
{
    return (struct fact *)(void *)(ring->places + (size_t)(number % ring->n) * ring->size);
}

static const char *text_of(const struct fact *f)
{
    return (const char *)(f + 1);
}

/* How much of a text may be kept in `room` octets: no half character, no half escape. */
static size_t fit(struct span text, size_t room, bool escaped)
{
    if (text.n <= room) return text.n;
    size_t n = room;
    while (n > 0 && ((uint8_t)text.p[n] & 0xc0) == 0x80) n--;
    for (size_t i = 0; escaped && i < n; i++) {
        if (text.p[i] != '\\') continue;
        size_t len = i + 1 < text.n && text.p[i + 1] == 'u' ? 6 : 2;
        if (i + len > n) return i;
        i += len - 1;
    }
    return n;
}

/* Appends to the fact's text what fits into what is left of the place; returns how much. */
static uint16_t put(struct fact *f, size_t *at, size_t end, struct span text, bool escaped)
{
    char *to = (char *)(f + 1);
    size_t n = text.n;
    if (n > end - *at) {
        n = fit(text, end - *at, escaped);
        f->shortened = true;
    }
    if (n) memcpy(to + *at, text.p, n);
    *at += n;
    return (uint16_t)n;
}

/* Whether somebody without the app's secret can cause as many of these as he likes. */
static bool is_of_strangers(const struct fact *f)
{
    switch ((enum fact_kind)f->kind) {
    case FACT_PUBLISH:
        return f->source == FACT_SOURCE_CLIENT;
    case FACT_PUBLISH_REFUSED:
        return f->source == FACT_SOURCE_CLIENT || f->cause <= CAUSE_BODY_MD5;
    case FACT_SUBSCRIBE_REFUSED:
    case FACT_CLIENT_EVENT_REFUSED:
    case FACT_CLIENT_REFUSED:
    case FACT_CONNECT_REFUSED:
        return true;
    case FACT_CUT:
    case FACT_N_KINDS:
        break;
    }
    return false;
}

static enum fact_ring ring_of(const struct fact *f, bool went_well)
{
    if (went_well) return FACT_RING_OK;
    return is_of_strangers(f) ? FACT_RING_STRANGERS : FACT_RING_FAILED;
}

uint64_t facts_add(struct facts *facts, const struct fact_note *note, bool went_well)
{
    struct ring *ring = &facts->rings[ring_of(&note->fact, went_well)];
    struct fact *f = place_of(ring, ring->used++);
    size_t at = 0, room = ring->size - sizeof *f;
    struct span event = note->event_raw;
    if (f->id) ring->lost_ms = f->at_ms;
    *f = note->fact;
    if (!f->id) f->id = facts_take_id(facts);
    if (!f->request) f->request = f->id;
    f->shortened = false;
    f->app = note->app.p;
    f->app_n = (uint32_t)note->app.n;
    /* Half of the room for the channel at most, where it is too much. */
    f->channel_n =
        put(f, &at, note->channel.n + event.n > room ? room / 2 : room, note->channel, false);
    f->event_n =
        put(f, &at, room, event.n > 2 ? span_of(event.p + 1, event.n - 2) : SPAN(""), true);
    f->why_n = 0;
    if (went_well) return f->id;
    if (!f->app) f->app_n = put(f, &at, room < at + 100 ? room : at + 100, note->app_text, false);
    f->why_n = put(f, &at, room, note->why, false);
    return f->id;
}

void facts_tally(struct facts *facts, const struct fact_tally *tally)
{
    facts->tallies[facts->n_tallies++ & facts->mask] = *tally;
}

void facts_end(struct facts *facts, const struct fact_end *end)
{
    facts->ends[facts->n_ends++ % ENDS] = *end;
}

void facts_vacated(struct facts *facts, const struct fact_vacated *vacated)
{
    facts->vacated[facts->n_vacated++ % VACATED] = *vacated;
}

/* --- reading --- */

struct span fact_channel(const struct fact *f)
{
    return span_of(text_of(f), f->channel_n);
}

struct span fact_event_raw(const struct fact *f)
{
    return span_of(text_of(f) + f->channel_n, f->event_n);
}

struct span fact_app(const struct fact *f)
{
    if (f->app) return span_of(f->app, f->app_n);
    return span_of(text_of(f) + f->channel_n + f->event_n, f->app_n);
}

struct span fact_why(const struct fact *f)
{
    size_t before = (size_t)f->channel_n + f->event_n + (f->app ? 0 : f->app_n);
    return span_of(text_of(f) + before, f->why_n);
}

size_t fact_size(const struct fact *f)
{
    return sizeof *f + f->channel_n + f->event_n + (f->app ? 0 : f->app_n) + f->why_n;
}

const char *fact_kind_name(unsigned kind)
{
    static const char *const names[] = {
#define X(id, name) name,
        FACT_KINDS(X)
#undef X
    };
    CHECK(kind < FACT_N_KINDS);
    return names[kind];
}

const char *fact_source_name(unsigned source)
{
    static const char *const names[] = { NULL,
#define X(id, name) name,
                                         FACT_SOURCES(X)
#undef X
    };
    CHECK(source < FACT_N_SOURCES);
    return names[source];
}

const struct fact *facts_next(const struct facts *facts, enum fact_ring which, uint32_t *pos)
{
    const struct ring *ring = &facts->rings[which];
    if (*pos >= ring->n || *pos >= ring->used) return NULL;
    return place_of(ring, ring->used - 1 - (*pos)++);
}

uint32_t facts_kept(enum fact_ring ring)
{
    return shapes[ring].n;
}

uint64_t facts_last_id(const struct facts *facts)
{
    return facts->last_id;
}

uint64_t facts_since_ms(const struct facts *facts)
{
    uint64_t since_ms = 0;
    for (unsigned i = 0; i < FACT_N_RINGS; i++)
        if (facts->rings[i].lost_ms > since_ms) since_ms = facts->rings[i].lost_ms;
    return since_ms;
}

const struct fact *facts_find(const struct facts *facts, uint64_t id)
{
    for (enum fact_ring ring = 0; ring < FACT_N_RINGS; ring++) {
        uint32_t pos = 0;
        for (const struct fact *f; (f = facts_next(facts, ring, &pos));)
            if (f->id == id) return f;
    }
    return NULL;
}

const struct fact_tally *facts_next_tally(const struct facts *facts, uint32_t *pos)
{
    if (*pos > facts->mask || *pos >= facts->n_tallies) return NULL;
    return &facts->tallies[(facts->n_tallies - 1 - (*pos)++) & facts->mask];
}

const struct fact_end *facts_find_end(const struct facts *facts, uint64_t socket_id)
{
    uint64_t n = facts->n_ends < ENDS ? facts->n_ends : ENDS;
    for (uint64_t i = 1; i <= n; i++) {
        const struct fact_end *e = &facts->ends[(facts->n_ends - i) % ENDS];
        if (e->socket_id == socket_id) return e;
    }
    return NULL;
}

const struct fact_vacated *facts_find_vacated(const struct facts *facts, uint64_t channel,
                                              uint64_t until_ms)
{
    uint64_t n = facts->n_vacated < VACATED ? facts->n_vacated : VACATED;
    for (uint64_t i = 1; i <= n; i++) {
        const struct fact_vacated *v = &facts->vacated[(facts->n_vacated - i) % VACATED];
        if (v->channel == channel && v->at_ms <= until_ms) return v;
    }
    return NULL;
}
