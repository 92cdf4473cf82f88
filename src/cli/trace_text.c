/* SPDX-License-Identifier: MIT
 * cli/trace_text.c: see trace_text.h. */
#include "cli/trace_text.h"
#include "cli/text.h"

#define DEPTH 16

static void add_text(struct json_val val, struct buf *out)
{
    struct buf scratch = { 0 };
    if (val.type == JSON_STRING)
        text_add_safe(out, json_text(val, &scratch));
    else
        buf_add_byte(out, '-');
    if (buf_failed(&scratch)) buf_fail(out);
    buf_fini(&scratch);
}

static void add_number(struct json_val val, struct buf *out)
{
    uint64_t n = 0;
    if (val.type == JSON_NUMBER && json_to_u64(val, &n)) buf_add_u64(out, n);
}

/* "a, b, c" of a list of texts. */
static void add_list(struct json_val list, struct buf *out)
{
    struct json_iter it = json_begin(list);
    size_t n = 0;
    for (struct json_val item; json_next_item(&it, &item);) {
        if (n++) BUF_ADD_LIT(out, ", ");
        add_text(item, out);
    }
}

static bool add_fact(struct json_val fact, struct buf *out)
{
    enum { ID, TIME, KIND, SOURCE, APP, CHANNEL, CHANNELS, EVENT, BYTES, N };
    struct json_field f[N] = {
        { .name = "id" },       { .name = "time" },  { .name = "kind" },
        { .name = "source" },   { .name = "app" },   { .name = "channel" },
        { .name = "channels" }, { .name = "event" }, { .name = "data_bytes" },
    };
    uint64_t unix_ms;
    if (fact.type != JSON_OBJECT || json_fields(fact, f, N)) return false;
    if (f[ID].val.type != JSON_STRING || f[TIME].val.type != JSON_NUMBER) return false;
    if (!json_to_u64(f[TIME].val, &unix_ms)) return false;
    text_add_clock(out, unix_ms);
    buf_add_byte(out, ' ');
    add_text(f[APP].val, out);
    buf_add_byte(out, ' ');
    if (f[CHANNELS].val.type == JSON_ARRAY)
        add_list(f[CHANNELS].val, out);
    else
        add_text(f[CHANNEL].val, out);
    buf_add_byte(out, ' ');
    add_text(f[EVENT].val, out);
    BUF_ADD_LIT(out, " (");
    add_text(f[SOURCE].val.type == JSON_STRING ? f[SOURCE].val : f[KIND].val, out);
    BUF_ADD_LIT(out, ", ");
    add_number(f[BYTES].val, out);
    BUF_ADD_LIT(out, " bytes, ");
    add_text(f[ID].val, out);
    BUF_ADD_LIT(out, ")\n");
    return true;
}

static void add_hints(struct json_val hints, struct buf *out)
{
    struct json_iter it = json_begin(hints);
    for (struct json_val item; json_next_item(&it, &item);) {
        struct json_field text = { .name = "text" };
        if (item.type != JSON_OBJECT || json_fields(item, &text, 1)) continue;
        BUF_ADD_LIT(out, "  - ");
        add_text(text.val, out);
        buf_add_byte(out, '\n');
    }
}

bool trace_text(struct span explanation, struct buf *out)
{
    struct json_val root;
    struct json_field f[] = { { .name = "fact" }, { .name = "summary" }, { .name = "hints" } };
    if (!json_check(explanation, DEPTH, &root, NULL) || root.type != JSON_OBJECT) return false;
    if (json_fields(root, f, ARRAY_LEN(f)) || f[2].val.type != JSON_ARRAY) return false;
    if (!add_fact(f[0].val, out)) return false;
    BUF_ADD_LIT(out, "  ");
    add_text(f[1].val, out);
    buf_add_byte(out, '\n');
    add_hints(f[2].val, out);
    return true;
}
