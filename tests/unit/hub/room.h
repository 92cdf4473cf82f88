/* SPDX-License-Identifier: MIT
 * tests/unit/hub/room.h: a world (tests/world.h) for cmocka: what a client hears is compared. */
#ifndef TESTS_UNIT_HUB_ROOM_H
#define TESTS_UNIT_HUB_ROOM_H
#include "client.h"
#include "unit/test.h"

#define assert_hears(c, text) assert_span(client_reads(c), text)
#define assert_hears_nothing(c) check_silence(c, __FILE__, __LINE__)

static inline void check_silence(struct client *c, const char *file, int line)
{
    struct span got = client_reads(c);
    if (!got.p) return;
    print_error("got \"%.*s\", want nothing\n", SPAN_FMT(got));
    _fail(file, line);
}

#define SUCCEEDED(chan)                                                                            \
    "{\"event\":\"pusher_internal:subscription_succeeded\",\"channel\":\"" chan                    \
    "\",\"data\":\"{}\"}"
#define EVENT(chan, data) "{\"event\":\"e\",\"channel\":\"" chan "\",\"data\":" data "}"
#define MEMBER(kind, chan, data)                                                                   \
    "{\"event\":\"pusher_internal:member_" kind "\",\"channel\":\"" chan "\",\"data\":\"{" data    \
    "}\"}"
#define ADDED(chan, id) MEMBER("added", chan, "\\\"user_id\\\":" id ",\\\"user_info\\\":null")
#define REMOVED(chan, id) MEMBER("removed", chan, "\\\"user_id\\\":" id)
#define SNAPSHOT(chan, count, ids, hash)                                                           \
    "{\"event\":\"pusher_internal:subscription_succeeded\",\"channel\":\"" chan                    \
    "\",\"data\":\"{\\\"presence\\\":{\\\"count\\\":" count ",\\\"ids\\\":[" ids                   \
    "],\\\"hash\\\":{" hash "}}}\"}"
#define ERROR_FRAME(code, text)                                                                    \
    "{\"event\":\"pusher:error\",\"data\":{\"code\":" code ",\"message\":\"" text "\"}}"
#endif
