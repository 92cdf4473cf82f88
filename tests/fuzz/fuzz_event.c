/* SPDX-License-Identifier: MIT
 * tests/fuzz/fuzz_event.c: frames from clients: whatever is read can be written again, and what is
 * written is a frame with the same meaning. */
#include "base/json_write.h"
#include "pusher/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The frame parses, and its channel is `channel` where that is given. */
static void expect_frame(struct buf *frame, struct span channel)
{
    struct buf scratch = { 0 };
    struct event_in ev;
    const char *why;
    CHECK(!buf_failed(frame));
    CHECK(event_parse(buf_span(frame), &ev, &scratch, &why));
    CHECK(!channel.p || span_eq(ev.channel, channel));
    buf_fini(&scratch);
    buf_clear(frame);
}

static void write_text(struct span text, struct buf *out)
{
    struct buf token = { 0 };
    json_string(&token, SPAN("id"));
    struct event_member m = { text, buf_span(&token), { NULL, 0 } };
    event_error(out, text, 4009, text);
    expect_frame(out, text);
    event_subscription_error(out, text, SPAN("AuthError"), text, 401);
    expect_frame(out, text);
    event_signin_success(out, text);
    expect_frame(out, (struct span) { NULL, 0 });
    struct event_snapshot s = event_snapshot_begin(out, text, 1);
    event_snapshot_id(&s, &m);
    event_snapshot_middle(&s);
    event_snapshot_info(&s, &m);
    event_snapshot_end(&s);
    expect_frame(out, text);
    buf_fini(&token);
}

static void write_channel_event(const struct event_in *ev, struct buf *out)
{
    size_t data_at = 0;
    struct event_out relayed = { ev->name_raw, ev->channel, ev->data.raw, ev->name };
    event_channel(out, &relayed, &data_at);
    if (ev->data.raw.n) CHECK(span_starts(span_skip(buf_span(out), data_at), ev->data.raw));
    expect_frame(out, ev->channel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf scratch = { 0 }, out = { 0 }, data_scratch = { 0 };
    struct event_in ev;
    struct json_field fields[] = { { .name = "channel" }, { .name = "auth" } };
    const char *why = NULL;
    if (event_parse(span_of(data, size), &ev, &scratch, &why)) {
        write_text(ev.name, &out);
        write_channel_event(&ev, &out);
        if (event_data_fields(ev.data, fields, ARRAY_LEN(fields), &data_scratch, &why) &&
            fields[0].val.type == JSON_STRING)
            write_text(json_text(fields[0].val, &scratch), &out);
    } else {
        CHECK(why);
    }
    buf_fini(&data_scratch);
    buf_fini(&out);
    buf_fini(&scratch);
    return 0;
}
