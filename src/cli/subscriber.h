/* SPDX-License-Identifier: MIT
 *
 * cli/subscriber.h: one connection of `peal listen`: connect, subscribe, hand out events, until it
 * is enough or the connection ends.
 */
#ifndef CLI_SUBSCRIBER_H
#define CLI_SUBSCRIBER_H
#include "cli/event_line.h"
#include "cli/ws_link.h"

/* What to listen to. All borrowed. */
struct subscriber_wish {
    const struct target *target;
    const char *const *channels;
    size_t n_channels;
    struct span user_id;   /* for presence channels */
    struct span user_info; /* JSON; n == 0: none */
    bool json;             /* print JSON lines */
    uint64_t count;        /* events after which it is enough; 0: never */
    uint64_t deadline_ms;  /* of clock_mono_ms(); UINT64_MAX: none */
};

enum subscriber_end {
    SUBSCRIBER_ENOUGH,    /* count reached */
    SUBSCRIBER_TIMEOUT,   /* deadline_ms is over */
    SUBSCRIBER_UNREACHED, /* no connection: `err` and `why` */
    SUBSCRIBER_LOST,      /* the connection ended: `code` (1006: without a reason), `why` */
    SUBSCRIBER_REFUSED,   /* no channel was granted, `why` */
    SUBSCRIBER_NO_OUTPUT, /* stdout cannot be written */
};

struct subscriber {
    const struct subscriber_wish *wish;
    uint64_t n_events;    /* so far, over all connections */
    bool was_established; /* once, on any connection */
    bool established;     /* the last connection was */
    uint16_t code;
    enum err err;
    struct diag why;
    struct ws_link _link;
    uint64_t _activity_ms; /* silence after which to ask whether the server is there */
    uint64_t _heard_ms;
    bool _asked;
    size_t _granted, _denied; /* channels on this connection */
    uint16_t _refused;        /* code of an error before it was established, or 0 */
    struct diag _reason;      /* and its words */
};

/* Runs one connection to its end. Blocks. */
enum subscriber_end subscriber_run(struct subscriber *s);

/* Appends a pusher:subscribe, signed with `keys` where the channel's kind needs it. `channel_data`:
 * JSON; n == 0: none. False: no memory. */
struct subscribe_wish {
    const struct auth_keys *keys;
    struct span socket_id, channel, channel_data;
};
bool subscriber_write(const struct subscribe_wish *wish, struct buf *out);

/* What pusher-js does after a connection was closed with this code: how long to wait before the
 * next one; false: it stays away (or needs TLS). */
bool subscriber_retry_ms(uint16_t code, uint64_t *wait_ms);
#endif
