/* SPDX-License-Identifier: MIT
 *
 * cli/json_style.h: the same JSON as other libraries would have written it. Pure.
 *
 * A signature covers octets, so whoever parses channel_data and writes it again signs another
 * text. This makes the texts that may have come of it.
 */
#ifndef CLI_JSON_STYLE_H
#define CLI_JSON_STYLE_H
#include "base/buf.h"

#define JSON_STYLES 27 /* 0 is the text as it is */

/* Appends `json`, which must be valid, in a style from 0 to JSON_STYLES - 1: slashes (as they are,
 * escaped, not escaped) x other than ASCII (as it is, \uXXXX, raw) x spaces between tokens (as they
 * are, none, one behind each : and ,). */
void json_style(struct span json, unsigned style, struct buf *out);

/* Appends what the style changes, like "slashes escaped (\/), no spaces"; style > 0. */
void json_style_name(unsigned style, struct buf *out);
#endif
