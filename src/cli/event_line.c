/* SPDX-License-Identifier: MIT
 *
 * cli/event_line.c: what `peal listen` prints. Valid JSON may hold line breaks between its tokens;
 * those become spaces, so that one event is one line.
 */
#include "cli/event_line.h"
#include "base/json_write.h"
#include "cli/text.h"
#include <stdio.h>
#include <time.h>

static void add_text(struct json_val val, struct buf *out)
{
    struct buf scratch = { 0 };
    if (val.type == JSON_STRING)
        text_add_safe(out, json_text(val, &scratch));
    else if (val.type != JSON_ABSENT)
        text_add_safe(out, val.raw);
    buf_fini(&scratch);
}

void event_line_text(const struct event_line *line, struct buf *out)
{
    text_add_clock(out, line->at_ms);
    buf_add_byte(out, ' ');
    if (line->channel.type == JSON_STRING)
        add_text(line->channel, out);
    else
        buf_add_byte(out, '-');
    buf_add_byte(out, ' ');
    if (line->name)
        buf_add_span(out, span_str(line->name));
    else
        add_text(line->event, out);
    if (line->data.type != JSON_ABSENT) buf_add_byte(out, ' ');
    add_text(line->data, out);
    buf_add_byte(out, '\n');
}

static void add_value(const char *key, struct json_val val, struct buf *out)
{
    json_key(out, span_str(key));
    if (val.type == JSON_ABSENT) {
        json_null(out);
        return;
    }
    size_t start = out->n;
    json_raw(out, val.raw);
    for (size_t i = start; i < out->n; i++)
        if (out->p[i] == '\n' || out->p[i] == '\r') out->p[i] = ' ';
}

void event_line_json(const struct event_line *line, struct buf *out)
{
    time_t seconds = (time_t)(line->at_ms / 1000);
    struct tm tm;
    char date[32] = "", time[48];
    if (gmtime_r(&seconds, &tm)) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(time, sizeof time, "%s.%03uZ", date, (unsigned)(line->at_ms % 1000));
    json_open(out, '{');
    json_key(out, SPAN("time"));
    json_string(out, span_str(time));
    add_value("channel", line->channel, out);
    if (line->name) {
        json_key(out, SPAN("event"));
        json_string(out, span_str(line->name));
    } else {
        add_value("event", line->event, out);
    }
    add_value("data", line->data, out);
    if (line->user_id.type != JSON_ABSENT) add_value("user_id", line->user_id, out);
    json_close(out, '}');
    buf_add_byte(out, '\n');
}
