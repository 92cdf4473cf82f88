/* SPDX-License-Identifier: MIT
 *
 * tests/differential/verdict.c: our parsers' verdicts, for run.js to hold against those of others.
 *
 * Reads records from stdin, each a letter (J or H), four octets of length (least significant first)
 * and that many of text; writes a line for each:
 *     J: "yes", or "no AT WHY"
 *     H: a word "METHOD/MINOR/TARGET/HEADERS/BODY" for each complete request (all but the method
 * and the minor version in hex; headers as "name:value" and LF), then how it ends: "idle", "more"
 * (unfinished), "close" (the last request ends the connection), or "no STATUS WHY".
 */
#include "base/json_read.h"
#include "http/http1_req.h"
#include <stdio.h>

static void add_hex(struct buf *out, struct span s)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < s.n; i++) {
        buf_add_byte(out, digits[(uint8_t)s.p[i] >> 4]);
        buf_add_byte(out, digits[s.p[i] & 0xf]);
    }
}

static void add_request(struct buf *out, const struct http1_req *r)
{
    struct http1_field f;
    buf_add_span(out, http1_req_method_name(r));
    buf_add_fmt(out, "/%u/", http1_req_minor(r));
    add_hex(out, http1_req_target(r));
    buf_add_byte(out, '/');
    for (size_t at = 0; http1_header_next(r, &at, &f);) {
        add_hex(out, f.name);
        add_hex(out, SPAN(":"));
        add_hex(out, f.value);
        add_hex(out, SPAN("\n"));
    }
    buf_add_byte(out, '/');
    add_hex(out, http1_req_body(r));
    buf_add_byte(out, ' ');
}

static const char *end_of(const struct http1_req *r, bool goes_on)
{
    if (!goes_on) return "close";
    return http1_req_phase(r) == HTTP1_IDLE ? "idle" : "more";
}

static void judge_http(struct span text, struct buf *out)
{
    struct http1_req r;
    http1_req_init(&r, &http1_limits_default);
    enum http1_ev ev;
    bool goes_on = true;
    do {
        size_t used = http1_req_feed(&r, text.p, text.n, &ev);
        text = span_skip(text, used);
        if (ev != HTTP1_EV_DONE) continue;
        add_request(out, &r);
        goes_on = http1_req_keep_alive(&r);
        http1_req_next(&r);
    } while (goes_on && ev != HTTP1_EV_MORE && ev != HTTP1_EV_FAIL);
    const struct http1_fail *fail = http1_req_fail(&r);
    if (ev == HTTP1_EV_FAIL)
        buf_add_fmt(out, "no %u %s", fail->status, fail->what);
    else
        buf_add_fmt(out, "%s", end_of(&r, goes_on));
    http1_req_fini(&r);
}

static void judge_json(struct span text, struct buf *out)
{
    struct json_bad bad;
    if (json_check(text, JSON_MAX_DEPTH, NULL, &bad))
        buf_add_fmt(out, "yes");
    else
        buf_add_fmt(out, "no %zu %s", bad.at, bad.why);
}

/* False at the end of the input. */
static bool read_record(char *kind, struct buf *text)
{
    uint8_t head[5];
    if (fread(head, 1, sizeof head, stdin) != sizeof head) return false;
    size_t n = (size_t)head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16;
    CHECK(head[4] == 0);
    buf_clear(text);
    char *room = buf_room(text, n + !n);
    CHECK(room && fread(room, 1, n, stdin) == n);
    buf_grew(text, n);
    *kind = (char)head[0];
    return true;
}

int main(void)
{
    struct buf text = { 0 }, out = { 0 };
    for (char kind; read_record(&kind, &text);) {
        CHECK(kind == 'J' || kind == 'H');
        if (kind == 'J')
            judge_json(buf_span(&text), &out);
        else
            judge_http(buf_span(&text), &out);
        buf_add_byte(&out, '\n');
        CHECK(!buf_failed(&out));
        fwrite(out.p, 1, out.n, stdout);
        buf_clear(&out);
    }
    buf_fini(&text);
    buf_fini(&out);
    return 0;
}
