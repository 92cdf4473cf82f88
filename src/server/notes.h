/* SPDX-License-Identifier: MIT
 *
 * server/notes.h: what is remembered of connections (watch/fact.h), and told to who watches: that
 * they came, were not admitted, were cut, or went. The hub does the same for what they do.
 */
#ifndef SERVER_NOTES_H
#define SERVER_NOTES_H
#include "server/conn.h"

#define CLIENT_NAMES 255
#define CLIENT_NAME_MAX 40

/* What clients say of themselves when they connect ("js 8.6.0"): few different ones, so that a
 * connection holds one octet. A name that no connection has any more makes room for another. A
 * worker's. */
struct client_names {
    uint32_t held[CLIENT_NAMES]; /* connections that have the name; 0: the place is free */
    char names[CLIENT_NAMES][CLIENT_NAME_MAX];
};
/* The number of the client in the query of an upgrade, held until client_drop; 0: it says nothing,
 * or there are too many different ones at a time. */
uint8_t client_hold(struct client_names *names, struct span query);
void client_drop(struct client_names *names, uint8_t number);              /* 0 allowed */
struct span client_name(const struct client_names *names, uint8_t number); /* p == NULL for 0 */

void note_opened(struct conn *c, const struct ws_open *open);
/* `app`: NULL where the key is none's. */
void note_not_admitted(struct conn *c, const struct app *app, struct span key, unsigned code,
                       struct span why);
/* It is slow: `dropped` octets are thrown away. Before it leaves its channels. */
void note_cut(struct conn *c, struct span why, uint64_t dropped);
/* A close frame is on its way, or came. */
void note_closing(struct conn *c, unsigned code, bool ours, struct span why);
/* It is no WebSocket any more, whatever came before. */
void note_closed(struct conn *c);
#endif
