/* SPDX-License-Identifier: MIT
 *
 * server/config_value.h: the value of one option: text -> checked value -> field -> text.
 *
 * Knows kinds and ranges, no sources. A value's canonical text is what `config show` prints, and
 * what decides whether two sources agree.
 */
#ifndef SERVER_CONFIG_VALUE_H
#define SERVER_CONFIG_VALUE_H
#include "server/config_arena.h"
#include "server/config_table.h"

/* Which member counts follows from the option's type. Lists live in the arena. */
union option_value {
    uint64_t number; /* numbers, booleans, words (index) */
    struct span text;
    struct span_list list;
    struct config_addrs addrs;
    struct config_nets nets;
};

/* What the source gave: one text (a list is then comma-separated), or the items of a list. */
struct option_given {
    const struct span *texts;
    size_t n;
    bool is_list;
};

/* ERR_RANGE with the end of a sentence in `why` that fits after "must be " (value, permitted
 * range); ERR_NOMEM. */
enum err option_parse(const struct option *opt, struct option_given given,
                      struct config_arena *arena, union option_value *out,
                      struct buf *why) MUST_USE;

/* To and from the field; `owner` is the struct config or struct app_settings. */
void option_store(const struct option *opt, void *owner, const union option_value *value);
void option_load(const struct option *opt, const void *owner, union option_value *out);

/* Appends the canonical text. */
void option_print(const struct option *opt, const union option_value *value, struct buf *out);

/* The same setting (secrets compare in full). No memory: false. */
bool option_value_eq(const struct option *opt, const union option_value *a,
                     const union option_value *b);

/* Addresses and networks (config_addr.c). The text is in the arena already and is kept. False:
 * malformed. */
bool config_addr_parse(struct span text, struct config_addr *out);
bool config_net_parse(struct span text, struct config_net *out);
void config_net_print(const struct config_net *net, struct buf *out);
/* `host` has no brackets; appends host:port or [v6]:port. */
void config_addr_print(struct span host, uint32_t port, struct buf *out);
#endif
