/* SPDX-License-Identifier: MIT
 *
 * watch/filter.h: what a watcher wants to see: read from the name of the channel to which he
 * subscribes (docs/internals/watch.md), and asked for each event and fact.
 */
#ifndef WATCH_FILTER_H
#define WATCH_FILTER_H
#include "watch/event.h"
#include "watch/fact.h"

#define WATCH_CHANNEL_STATS "stats"
#define WATCH_CHANNEL_EVENTS "watch"
#define WATCH_CHANNEL_FILTER "watch-"

/* p == NULL or 0: anything will do. */
struct watch_filter {
    struct span app, channel, event, user;
    uint64_t socket;
    uint32_t types; /* bit 1 << enum watch_type; 0: all */
    int kind;       /* of facts; -1: all */
    struct buf _text;
};

/* The filter of a `watch-…` channel's name. Zeroed where it fails; `*why` is a static text then.
 * Finish with watch_filter_fini. */
bool watch_filter_read(struct span channel, struct watch_filter *out, const char **why);
void watch_filter_fini(struct watch_filter *filter);
bool watch_filter_fits(const struct watch_filter *filter, const struct watch_event *ev);
/* `socket`: all publishes, and of the rest what that connection sent or was excluded from. */
bool watch_filter_fits_fact(const struct watch_filter *filter, const struct fact *fact);
#endif
