/* SPDX-License-Identifier: MIT
 * server/config_value_priv.h: what config_value.c and config_list.c share; nobody else's. */
#ifndef SERVER_CONFIG_VALUE_PRIV_H
#define SERVER_CONFIG_VALUE_PRIV_H
#include "server/config_value.h"

/* Appends "WANTED, not 'GIVEN'" (cut, control characters replaced); returns ERR_RANGE. */
enum err value_bad(struct buf *why, const char *wanted, struct span given);
/* The only text; false when there are several. */
bool value_one_text(struct option_given given, struct span *out, struct buf *why);
bool value_read_bool(struct span s, bool *out);
/* May be an app's id or key: stands in URLs, and before the colon of a signature. */
bool value_is_name(struct span s);

enum err value_parse_list(const struct option *opt, struct option_given given,
                          struct config_arena *arena, union option_value *out,
                          struct buf *why) MUST_USE;
#endif
