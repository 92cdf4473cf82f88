/* SPDX-License-Identifier: MIT
 *
 * server/config_value.c: one function per kind of value, and the switch that picks it. Numbers,
 * words and single texts are here; what is a list is in config_list.c.
 */
#include "server/config_value.h"
#include "base/near.h"
#include "base/password.h"
#include "server/config_value_priv.h"
#include "store/db.h"
#include <sched.h>
#include <stdio.h>

#define SHOWN_MAX 60
#define MAX_WORKERS 256

enum err value_bad(struct buf *why, const char *wanted, struct span given)
{
    buf_add_fmt(why, "%s, not '", wanted);
    for (size_t i = 0; i < given.n && i < SHOWN_MAX; i++) {
        char c = given.p[i];
        buf_add_byte(why, (unsigned char)c < 0x20 || c == 0x7f ? '?' : c);
    }
    buf_add_fmt(why, given.n > SHOWN_MAX ? "…'" : "'");
    return ERR_RANGE;
}

bool value_one_text(struct option_given given, struct span *out, struct buf *why)
{
    *out = given.n ? given.texts[0] : span_of("", 0);
    if (given.n <= 1) return true;
    buf_add_fmt(why, "one value, not a list of %zu", given.n);
    return false;
}

/* "64 MiB", "64MiB", "67108864". */
static bool read_bytes(struct span s, uint64_t *out)
{
    static const struct {
        struct span name;
        unsigned shift;
    } units[] = { { { "KiB", 3 }, 10 }, { { "MiB", 3 }, 20 }, { { "GiB", 3 }, 30 } };
    unsigned shift = 0;
    for (size_t i = 0; i < ARRAY_LEN(units) && s.n > 3; i++) {
        if (!span_eq(span_skip(s, s.n - 3), units[i].name)) continue;
        s = span_trim(span_head(s, s.n - 3));
        shift = units[i].shift;
        break;
    }
    if (!span_to_u64(s, out) || *out > UINT64_MAX >> shift) return false;
    *out <<= shift;
    return true;
}

static enum err bad_number(const struct option *opt, struct span given, struct buf *why)
{
    bool bytes = !strcmp(opt->unit, "bytes");
    char wanted[200];
    snprintf(wanted, sizeof wanted, "a whole number from %llu to %llu (unit: %s%s)%s",
             (unsigned long long)opt->min, (unsigned long long)opt->max, opt->unit,
             bytes ? "; or with KiB, MiB, GiB" : "",
             opt->min == 0 && strncmp(opt->name, "limits.", 7) == 0 ? ", 0 = no limit" : "");
    return value_bad(why, wanted, given);
}

static enum err parse_number(const struct option *opt, struct span s, uint64_t *out,
                             struct buf *why)
{
    bool ok = strcmp(opt->unit, "bytes") ? span_to_u64(s, out) : read_bytes(s, out);
    if (!ok || *out < opt->min || *out > opt->max) return bad_number(opt, s, why);
    return ERR_OK;
}

static enum err parse_code(const struct option *opt, struct span s, uint64_t *out, struct buf *why)
{
    if (span_to_u64(s, out) && (*out == opt->min || *out == opt->max)) return ERR_OK;
    char wanted[40];
    snprintf(wanted, sizeof wanted, "%llu or %llu", (unsigned long long)opt->min,
             (unsigned long long)opt->max);
    return value_bad(why, wanted, s);
}

static uint64_t count_cpus(void)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    /* Fails where the machine has more CPUs than a cpu_set_t: then it has more than we use. */
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) return MAX_WORKERS;
    int n = CPU_COUNT(&cpus);
    return n < 1 ? 1 : n > MAX_WORKERS ? MAX_WORKERS : (uint64_t)n;
}

static enum err parse_workers(const struct option *opt, struct span s, uint64_t *out,
                              struct buf *why)
{
    if (span_eq(s, SPAN("auto"))) {
        *out = count_cpus();
        return ERR_OK;
    }
    if (span_to_u64(s, out) && *out >= opt->min && *out <= opt->max) return ERR_OK;
    return value_bad(why, "auto or a whole number from 1 to 256 (unit: threads)", s);
}

bool value_read_bool(struct span s, bool *out)
{
    static const char *const words[][4] = { { "false", "no", "off", "0" },
                                            { "true", "yes", "on", "1" } };
    if (s.n > 2 && s.p[0] == '(' && s.p[s.n - 1] == ')')
        s = span_of(s.p + 1, s.n - 2); /* Laravel */
    for (size_t i = 0; i < 8; i++) {
        if (!span_eq_nocase(s, span_str(words[i / 4][i % 4]))) continue;
        *out = i / 4;
        return true;
    }
    return false;
}

static enum err parse_bool(struct span s, uint64_t *out, struct buf *why)
{
    bool v;
    if (!value_read_bool(s, &v)) return value_bad(why, "true or false", s);
    *out = v;
    return ERR_OK;
}

/* `words` is "a|b|c"; the value is the word's place. */
static bool find_word(const char *words, struct span s, uint64_t *out)
{
    struct span rest = span_str(words), word;
    for (uint64_t i = 0; span_cut(&rest, '|', &word); i++) {
        if (!span_eq_nocase(word, s)) continue;
        *out = i;
        return true;
    }
    return false;
}

static enum err parse_word(const struct option *opt, struct span s, uint64_t *out, struct buf *why)
{
    if (find_word(opt->unit, s, out)) return ERR_OK;
    struct near near = { .word = s };
    struct buf wanted = { 0 };
    struct span rest = span_str(opt->unit), word;
    while (span_cut(&rest, '|', &word)) {
        near_try(&near, word);
        buf_add_fmt(&wanted, "%.*s%s", SPAN_FMT(word),
                    !rest.p                       ? ""
                    : memchr(rest.p, '|', rest.n) ? ", "
                                                  : " or ");
    }
    buf_add_byte(&wanted, '\0');
    value_bad(why, buf_failed(&wanted) ? opt->unit : wanted.p, s);
    if (near.best.n) buf_add_fmt(why, "; did you mean '%.*s'?", SPAN_FMT(near.best));
    buf_fini(&wanted);
    return ERR_RANGE;
}

static enum err parse_client_events(const struct option *opt, struct span s, uint64_t *out,
                                    struct buf *why)
{
    bool v;
    if (value_read_bool(s, &v)) {
        *out = v;
        return ERR_OK;
    }
    if (!span_eq_nocase(s, SPAN("all"))) return parse_word(opt, s, out, why);
    BUF_ADD_LIT(why, "members or none, not 'all': only who is subscribed to a channel may send "
                     "client events on it");
    return ERR_RANGE;
}

static enum err parse_host(struct span s, struct config_arena *arena, struct span *out,
                           struct buf *why)
{
    struct config_addr addr;
    struct buf text = { 0 };
    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']') s = span_of(s.p + 1, s.n - 2);
    config_addr_print(s, 1, &text);
    enum err err = buf_failed(&text) ? ERR_NOMEM : ERR_OK;
    if (!err && s.n && (!config_addr_parse(buf_span(&text), &addr) || addr.kind != CONFIG_ADDR_TCP))
        err = value_bad(why, "a host name or an address", s);
    if (!err && !config_arena_copy(arena, s, out)) err = ERR_NOMEM;
    buf_fini(&text);
    return err;
}

static bool is_segment(struct span s)
{
    if (span_eq(s, SPAN(".")) || span_eq(s, SPAN(".."))) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  strchr("-._~", c);
        if (!ok || c == '\0') return false;
    }
    return true;
}

/* "ws", "/ws/" and "//ws" are "/ws"; "" and "/" are "". */
static enum err parse_prefix(struct span s, struct config_arena *arena, struct span *out,
                             struct buf *why)
{
    struct buf path = { 0 };
    struct span rest = s, segment;
    enum err err = ERR_OK;
    while (!err && span_cut(&rest, '/', &segment)) {
        if (segment.n) buf_add_fmt(&path, "/%.*s", SPAN_FMT(segment));
        if (!is_segment(segment) || path.n > 200)
            err = value_bad(why, "a path like /ws, of letters, digits, - . _ ~ and /", s);
    }
    if (!err && (buf_failed(&path) || !config_arena_copy(arena, buf_span(&path), out)))
        err = ERR_NOMEM;
    buf_fini(&path);
    return err;
}

bool value_is_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] > 0x7e || strchr("/?#%:\"\\", s.p[i])) return false;
    return s.n > 0 && s.n <= 200;
}

static enum err parse_key(struct span s, struct config_arena *arena, struct span *out,
                          struct buf *why)
{
    if (!value_is_name(s))
        return value_bad(why, "1 to 200 printable ASCII characters but space / ? # % : \" \\", s);
    return config_arena_copy(arena, s, out) ? ERR_OK : ERR_NOMEM;
}

/* What is wrong is said without what was given: there may be a password in it. */
static enum err parse_store(struct span s, struct config_arena *arena, struct span *out,
                            struct buf *why)
{
    struct store_url url;
    struct diag d = { "" };
    enum err err = store_url_parse(s, &url, &d);
    if (err == ERR_NOMEM) return err;
    if (!err && !db_kind_built(url.kind)) {
        diag_set(&d, err, "of a kind that this program was built with, and it is without %s",
                 store_kind_name(url.kind));
        err = ERR_RANGE;
    }
    store_url_fini(&url);
    if (!err) return config_arena_copy(arena, s, out) ? ERR_OK : ERR_NOMEM;
    buf_add_fmt(why, "%s", d.text);
    return ERR_RANGE;
}

/* Nothing of what was given is said: it is a password's, perhaps the password itself. */
static enum err parse_password_hash(struct span s, struct config_arena *arena, struct span *out,
                                    struct buf *why)
{
    struct password_hash hash;
    const char *wanted;
    if (s.n && !password_hash_read(s, &hash, &wanted)) {
        buf_add_fmt(why, "%s", wanted);
        return ERR_RANGE;
    }
    return config_arena_copy(arena, s, out) ? ERR_OK : ERR_NOMEM;
}

static enum err parse_single(const struct option *opt, struct span s, struct config_arena *arena,
                             union option_value *out, struct buf *why)
{
    switch (opt->type) {
    case OPTION_U32:
    case OPTION_U64:
    case OPTION_PORT:
        return parse_number(opt, s, &out->number, why);
    case OPTION_BOOL:
        return parse_bool(s, &out->number, why);
    case OPTION_WORKERS:
        return parse_workers(opt, s, &out->number, why);
    case OPTION_CODE:
        return parse_code(opt, s, &out->number, why);
    case OPTION_LOG_LEVEL:
    case OPTION_LOG_FORMAT:
    case OPTION_METRICS_NAMES:
        return parse_word(opt, s, &out->number, why);
    case OPTION_CLIENT_EVENTS:
        return parse_client_events(opt, s, &out->number, why);
    case OPTION_HOST:
        return parse_host(s, arena, &out->text, why);
    case OPTION_PREFIX:
        return parse_prefix(s, arena, &out->text, why);
    case OPTION_KEY:
        return parse_key(s, arena, &out->text, why);
    case OPTION_STORE:
        return parse_store(s, arena, &out->text, why);
    case OPTION_PASSWORD_HASH:
        return parse_password_hash(s, arena, &out->text, why);
    case OPTION_SECRETS:
    case OPTION_ORIGINS:
    case OPTION_HOSTS:
    case OPTION_ADDRS:
    case OPTION_NETS:
        break;
    }
    UNREACHABLE();
}

static bool is_list(enum option_held held)
{
    return held == HELD_TEXTS || held == HELD_ADDRS || held == HELD_NETS;
}

enum err option_parse(const struct option *opt, struct option_given given,
                      struct config_arena *arena, union option_value *out, struct buf *why)
{
    struct span s;
    memset(out, 0, sizeof *out);
    if (is_list(option_held(opt->type))) return value_parse_list(opt, given, arena, out, why);
    if (!value_one_text(given, &s, why)) return ERR_RANGE;
    return parse_single(opt, span_trim(s), arena, out, why);
}
