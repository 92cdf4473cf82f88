/* SPDX-License-Identifier: MIT
 *
 * What watchers send: the name of the channel that is their filter, and tokens. The first octet
 * chooses. A filter that is read must fit or not fit without reading beyond anything.
 */
#include "watch/filter.h"
#include "watch/token.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_filter(struct span name)
{
    static const struct watch_event events[] = {
        { .type = WATCH_API_MESSAGE,
          .app = SPAN("shop"),
          .channel = SPAN("#server-to-user-7"),
          .event_raw = SPAN("\"App\\\\Events\\\\Paid\"") },
        { .type = WATCH_SUBSCRIBED, .app = SPAN("a"), .user_id = SPAN("7"), .socket_id = 5 },
    };
    struct watch_filter filter;
    const char *why;
    if (!watch_filter_read(name, &filter, &why)) {
        if (!why) abort();
        return;
    }
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        (void)watch_filter_fits(&filter, &events[i]);
    watch_filter_fini(&filter);
}

static void try_token(struct span token)
{
    static struct hmac_key *key;
    struct buf scratch = { 0 };
    struct span app;
    if (!key) key = hmac_key_new(SPAN("secret"));
    const struct auth_keys keys = { SPAN("k"), &key, 1 };
    if (watch_token_app(token, &scratch, &app)) (void)watch_token_lasts(token, app, &keys, 1000);
    buf_fini(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t id;
    if (size == 0) return 0;
    struct span rest = span_of(data + 1, size - 1);
    if (data[0] == 't')
        try_token(rest);
    else if (data[0] == 'i')
        (void)watch_fact_read(rest, &id);
    else
        try_filter(rest);
    return 0;
}
