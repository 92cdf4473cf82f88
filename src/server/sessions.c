/* SPDX-License-Identifier: MIT
 *
 * server/sessions.c: see sessions.h. A reference is the number of the row and how often the row
 * has been used, so that it never means the next session of the same row.
 */
#include "server/sessions.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/rand.h"

#define KEY_LEN 32
#define ROW_BITS 6
_Static_assert(SESSIONS_MAX == 1 << ROW_BITS, "a reference has the row in so many bits");

struct session {
    uint8_t digest[32]; /* of the id */
    uint64_t since_ms, ends_ms;
    session_ref ref; /* 0: the row is free */
};

struct sessions {
    struct lock lock;
    struct hmac_key *key;
    uint32_t n_opened;
    struct session rows[SESSIONS_MAX];
};

enum err sessions_new(struct sessions **out)
{
    uint8_t secret[KEY_LEN];
    struct sessions *s = mem_zalloc(sizeof *s);
    if (!s) return ERR_NOMEM;
    rand_bytes(secret, sizeof secret);
    s->key = hmac_key_new(span_of(secret, sizeof secret));
    explicit_bzero(secret, sizeof secret);
    if (!s->key) {
        mem_free(s);
        return ERR_NOMEM;
    }
    lock_init(&s->lock);
    *out = s;
    return ERR_OK;
}

void sessions_free(struct sessions *s)
{
    if (!s) return;
    lock_fini(&s->lock);
    hmac_key_free(s->key);
    mem_free(s);
}

/* --- rows; the lock is held --- */

static bool is_open(const struct session *row, uint64_t now_ms)
{
    return row->ref && now_ms < row->ends_ms;
}

static struct session *free_row(struct sessions *s, uint64_t now_ms)
{
    struct session *oldest = &s->rows[0];
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (!is_open(&s->rows[i], now_ms)) return &s->rows[i];
        if (s->rows[i].since_ms < oldest->since_ms) oldest = &s->rows[i];
    }
    return oldest;
}

static struct session *row_of(struct sessions *s, session_ref ref)
{
    struct session *row = &s->rows[ref % SESSIONS_MAX];
    return ref && row->ref == ref ? row : NULL;
}

static session_ref next_ref(struct sessions *s, const struct session *row)
{
    s->n_opened = (s->n_opened + 1) & (UINT32_MAX >> ROW_BITS);
    if (s->n_opened == 0) s->n_opened = 1;
    return s->n_opened << ROW_BITS | (uint32_t)(row - s->rows);
}

/* --- sessions --- */

session_ref sessions_open(struct sessions *s, uint64_t now_ms, uint64_t ends_ms,
                          char id[SESSION_ID_LEN])
{
    uint8_t octets[SESSION_ID_LEN / 2];
    rand_bytes(octets, sizeof octets);
    hex_encode(span_of(octets, sizeof octets), id);
    lock_take(&s->lock);
    struct session *row = free_row(s, now_ms);
    *row = (struct session) { .since_ms = now_ms, .ends_ms = ends_ms, .ref = next_ref(s, row) };
    sha256(span_of(id, SESSION_ID_LEN), row->digest);
    session_ref ref = row->ref;
    lock_drop(&s->lock);
    return ref;
}

session_ref sessions_find(struct sessions *s, struct span id, uint64_t now_ms)
{
    uint8_t digest[32];
    session_ref found = 0;
    if (id.n != SESSION_ID_LEN) return 0;
    sha256(id, digest);
    lock_take(&s->lock);
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        const struct session *row = &s->rows[i];
        bool same = equal_consttime(span_of(row->digest, sizeof row->digest),
                                    span_of(digest, sizeof digest));
        if (same && is_open(row, now_ms)) found = row->ref;
    }
    lock_drop(&s->lock);
    return found;
}

uint64_t sessions_ends_ms(struct sessions *s, session_ref ref, uint64_t now_ms)
{
    lock_take(&s->lock);
    const struct session *row = row_of(s, ref);
    uint64_t ends_ms = row && is_open(row, now_ms) ? row->ends_ms : 0;
    lock_drop(&s->lock);
    return ends_ms;
}

void sessions_end(struct sessions *s, session_ref ref)
{
    lock_take(&s->lock);
    struct session *row = row_of(s, ref);
    if (row) *row = (struct session) { .ref = 0 };
    lock_drop(&s->lock);
}

void sessions_end_all(struct sessions *s)
{
    lock_take(&s->lock);
    memset(s->rows, 0, sizeof s->rows);
    lock_drop(&s->lock);
}

/* --- what is signed --- */

/* The parts cannot be shifted against each other: a purpose is a word of ours without NUL, the
 * number has digits only. */
static void make_signature(const struct sessions *s, const char *purpose, struct span expires,
                           struct span subject, char hex[SHA256_HEX_LEN])
{
    const struct span parts[] = { span_str(purpose), { "", 1 }, expires, { "", 1 }, subject };
    hmac_sha256_hex(s->key, parts, ARRAY_LEN(parts), hex);
}

void sessions_sign(const struct sessions *s, const char *purpose, struct span subject,
                   uint64_t ends_ms, struct buf *out)
{
    char hex[SHA256_HEX_LEN];
    size_t from = out->n;
    buf_add_u64(out, ends_ms);
    if (buf_failed(out)) return;
    make_signature(s, purpose, span_skip(buf_span(out), from), subject, hex);
    buf_add_byte(out, '.');
    buf_add(out, hex, sizeof hex);
}

bool sessions_signed(const struct sessions *s, const char *purpose, struct span subject,
                     struct span text, uint64_t now_ms)
{
    char hex[SHA256_HEX_LEN];
    struct span expires, signature = text;
    uint64_t ends_ms;
    if (!span_cut(&signature, '.', &expires) || !signature.p) return false;
    if (!span_to_u64(expires, &ends_ms) || now_ms >= ends_ms) return false;
    make_signature(s, purpose, expires, subject, hex);
    return equal_consttime(span_of(hex, sizeof hex), signature);
}

void sessions_sign_for(const struct sessions *s, const char *purpose, session_ref ref,
                       uint64_t ends_ms, struct buf *out)
{
    sessions_sign(s, purpose, span_of(&ref, sizeof ref), ends_ms, out);
}

bool sessions_signed_for(const struct sessions *s, const char *purpose, session_ref ref,
                         struct span text, uint64_t now_ms)
{
    return sessions_signed(s, purpose, span_of(&ref, sizeof ref), text, now_ms);
}
