/* SPDX-License-Identifier: MIT
 *
 * server/config_list.c: the kinds of values that are lists. A list is written as a list (YAML) or
 * as one text with commas; how many entries it may have is the row's min and max.
 */
#include "server/config_value_priv.h"

#define SECRET_MAX 1024
#define PATTERN_MAX 255

/* What a word stands for; the word itself where it is no such word. */
struct expansion {
    const char *word;
    const char *items[3]; /* NULL: none */
};
static const struct expansion host_words[] = { { "loopback",
                                                 { "localhost", "127.0.0.1", "::1" } } };
static const struct expansion net_words[] = { { "loopback", { "127.0.0.0/8", "::1/128", NULL } },
                                              { "none", { NULL, NULL, NULL } } };

/* The list being read. */
struct reader {
    const struct option *opt;
    struct config_arena *arena;
    union option_value *out;
    struct buf *why;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Copies in lower case. */
static bool copy_lower(struct config_arena *arena, struct span from, struct span *to)
{
    char *p = config_arena_alloc(arena, from.n + 1);
    if (!p) return false;
    for (size_t i = 0; i < from.n; i++) p[i] = lower(from.p[i]);
    *to = span_of(p, from.n);
    return true;
}

static bool is_visible(struct span s, size_t max)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] == 0x7f) return false;
    return s.n > 0 && s.n <= max;
}

static enum err add_secret(struct reader *r, struct span s)
{
    struct span_list *list = &r->out->list;
    if (s.n == 0 || s.n > SECRET_MAX) {
        buf_add_fmt(r->why, "1 to %d octets each", SECRET_MAX); /* the value is not shown */
        return ERR_RANGE;
    }
    return config_arena_copy(r->arena, s, &list->items[list->n++]) ? ERR_OK : ERR_NOMEM;
}

static enum err add_origin(struct reader *r, struct span s)
{
    struct span_list *list = &r->out->list;
    if (!is_visible(s, PATTERN_MAX))
        return value_bad(r->why, "origins like https://example.com or *.example.com", s);
    return copy_lower(r->arena, s, &list->items[list->n++]) ? ERR_OK : ERR_NOMEM;
}

static enum err add_host(struct reader *r, struct span s)
{
    struct span_list *list = &r->out->list;
    struct span host = s;
    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']') host = span_of(s.p + 1, s.n - 2);
    struct config_net net;
    bool odd = !is_visible(host, PATTERN_MAX) || memchr(host.p, '/', host.n);
    if (odd || (memchr(host.p, ':', host.n) && !config_net_parse(host, &net)))
        return value_bad(r->why, "host names or addresses without a port", s);
    return copy_lower(r->arena, host, &list->items[list->n++]) ? ERR_OK : ERR_NOMEM;
}

static enum err add_addr(struct reader *r, struct span s)
{
    struct config_addrs *addrs = &r->out->addrs;
    struct config_addr addr;
    struct span text;
    if (!config_arena_copy(r->arena, s, &text)) return ERR_NOMEM;
    if (!config_addr_parse(text, &addr))
        return value_bad(r->why, "host:port (port 0 to 65535), [v6]:port or unix:/path", s);
    if (!config_arena_copy(r->arena, addr.host, &addr.host)) return ERR_NOMEM;
    addrs->items[addrs->n++] = addr;
    return ERR_OK;
}

static enum err add_net(struct reader *r, struct span s)
{
    struct config_nets *nets = &r->out->nets;
    if (!config_net_parse(s, &nets->items[nets->n]))
        return value_bad(r->why,
                         "addresses or networks like 10.0.0.0/8 or fd00::/8, loopback or none", s);
    nets->n++;
    return ERR_OK;
}

static enum err add(struct reader *r, struct span s)
{
    if (r->opt->type == OPTION_SECRETS) return add_secret(r, s);
    if (r->opt->type == OPTION_ORIGINS) return add_origin(r, s);
    if (r->opt->type == OPTION_HOSTS) return add_host(r, s);
    if (r->opt->type == OPTION_ADDRS) return add_addr(r, s);
    return add_net(r, s);
}

static enum err add_item(struct reader *r, struct span s)
{
    const struct expansion *words = r->opt->type == OPTION_HOSTS ? host_words : net_words;
    size_t n = r->opt->type == OPTION_HOSTS  ? ARRAY_LEN(host_words)
               : r->opt->type == OPTION_NETS ? ARRAY_LEN(net_words)
                                             : 0;
    for (size_t i = 0; i < n; i++) {
        if (!span_eq_nocase(s, span_str(words[i].word))) continue;
        for (size_t j = 0; j < ARRAY_LEN(words[i].items) && words[i].items[j]; j++) {
            enum err err = add(r, span_str(words[i].items[j]));
            if (err) return err;
        }
        return ERR_OK;
    }
    return add(r, s);
}

/* Visits the items: those of the list, or the parts between the commas of the one text. Only the
 * parts of a text are trimmed, and left out where they are empty. */
struct items {
    struct option_given given;
    size_t next;
    struct span rest;
};

static bool next_item(struct items *it, struct span *out)
{
    if (it->given.is_list) {
        if (it->next == it->given.n) return false;
        *out = it->given.texts[it->next++];
        return true;
    }
    while (span_cut(&it->rest, ',', out)) {
        *out = span_trim(*out);
        if (out->n) return true;
    }
    return false;
}

static struct items items_of(struct option_given given)
{
    return (struct items) { given, 0, given.n ? given.texts[0] : span_of(NULL, 0) };
}

static size_t entry_size(enum option_type type)
{
    if (type == OPTION_ADDRS) return sizeof(struct config_addr);
    return type == OPTION_NETS ? sizeof(struct config_net) : sizeof(struct span);
}

static enum err check_count(const struct option *opt, size_t n, struct buf *why)
{
    if (n >= opt->min && n <= opt->max) return ERR_OK;
    if (opt->min == opt->max)
        buf_add_fmt(why, "exactly %llu of these, not %zu", (unsigned long long)opt->min, n);
    else
        buf_add_fmt(why, "a list of %llu to %llu entries, not %zu", (unsigned long long)opt->min,
                    (unsigned long long)opt->max, n);
    return ERR_RANGE;
}

/* A `*` among the origins or hosts is all of it: origins then have no entry, hosts this one. */
static void fold_star(const struct option *opt, struct span_list *list)
{
    if (opt->type != OPTION_ORIGINS && opt->type != OPTION_HOSTS) return;
    for (size_t i = 0; i < list->n; i++) {
        if (!span_eq(list->items[i], SPAN("*"))) continue;
        list->items[0] = list->items[i];
        list->n = opt->type == OPTION_HOSTS;
        return;
    }
}

enum err value_parse_list(const struct option *opt, struct option_given given,
                          struct config_arena *arena, union option_value *out, struct buf *why)
{
    struct span item;
    size_t n = 0, size;
    /* A single secret may hold commas; several are given as a list. */
    if (opt->type == OPTION_SECRETS) given.is_list = true;
    for (struct items it = items_of(given); next_item(&it, &item);) n++;
    enum err err = check_count(opt, n, why);
    if (err) return err;
    struct reader r = { opt, arena, out, why };
    /* A word may stand for several entries. */
    if (!size_mul(n * ARRAY_LEN(host_words[0].items) + 1, entry_size(opt->type), &size))
        return ERR_NOMEM;
    void *array = config_arena_alloc(arena, size);
    if (!array) return ERR_NOMEM;
    if (opt->type == OPTION_ADDRS)
        out->addrs.items = array;
    else if (opt->type == OPTION_NETS)
        out->nets.items = array;
    else
        out->list.items = array;
    for (struct items it = items_of(given); !err && next_item(&it, &item);)
        err = add_item(&r, item);
    if (!err) fold_star(opt, &out->list);
    return err;
}
