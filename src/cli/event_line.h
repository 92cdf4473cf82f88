/* SPDX-License-Identifier: MIT
 * cli/event_line.h: an event as one line, for people or for programs. Pure but for the clock. */
#ifndef CLI_EVENT_LINE_H
#define CLI_EVENT_LINE_H
#include "base/json_read.h"

struct event_line {
    uint64_t at_ms;          /* Unix time */
    struct json_val event;   /* a string */
    struct json_val channel; /* a string, or JSON_ABSENT */
    struct json_val data;    /* anything, or JSON_ABSENT */
    struct json_val user_id; /* a string, or JSON_ABSENT */
    const char *name;        /* instead of `event`; NULL: that */
};

/* Appends "12:34:56.789 channel event data\n" in local time; control characters are escaped. */
void event_line_text(const struct event_line *line, struct buf *out);
/* Appends {"time":…,"channel":…,"event":…,"data":…[,"user_id":…]} and a line break; values are the
 * JSON that came. */
void event_line_json(const struct event_line *line, struct buf *out);
#endif
