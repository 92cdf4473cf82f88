/* SPDX-License-Identifier: MIT
 *
 * pusher/peer.h: the state machine of one client, from a frame's text to what it asks for.
 *
 * Pure: reads the frame, checks form, names and signatures, and says what should happen (an
 * action); the hub carries it out, since only it knows subscriptions, members and limits of
 * channels.
 *
 *     OPEN ──signin──> OPEN (user known)          any state ──close──> CLOSED
 *
 * A peer exists from connection_established on; errors before it are the handshake's.
 */
#ifndef PUSHER_PEER_H
#define PUSHER_PEER_H
#include "pusher/auth.h"
#include "pusher/chan_name.h"
#include "pusher/event.h"

#define SOCKET_ID_MAX 21 /* "4294967295.4294967295" */

/* A socket id is two 32-bit numbers (a random 64-bit value, never 0 in either half). */
size_t socket_id_write(uint64_t socket_id, char out[SOCKET_ID_MAX]);
/* Reads `^\d+\.\d+$` (protocol page 1.2). False where the form is wrong. Numbers that no socket of
 * ours can have give 0, which matches nobody. */
bool socket_id_read(struct span text, uint64_t *socket_id);

/* The settings of the app that the peer needs; borrowed for the call. 0 = no limit. */
struct peer_rules {
    struct auth_keys keys;
    struct chan_name_rules names;
    size_t event_name_limit;   /* limits.event_name, characters */
    size_t message_limit;      /* limits.message_bytes, octets of data after unescaping */
    size_t member_info_limit;  /* limits.presence_member_bytes, octets of user_info */
    bool client_events;        /* enabled for the app */
    bool client_events_public; /* client_events_on_public_channels */
    struct span app_id;        /* for texts */
};

/* Who is signed in, kept by the hub; id.p == NULL: nobody. */
struct peer_user {
    struct span id;       /* unescaped */
    struct span id_raw;   /* JSON token */
    struct span info_raw; /* n == 0: absent */
};

enum peer_ask {
    PEER_ASK_NOTHING, /* ignore the frame */
    PEER_ASK_PONG,    /* answer pusher:ping */
    PEER_ASK_SUBSCRIBE,
    PEER_ASK_UNSUBSCRIBE,
    PEER_ASK_SIGNIN,
    PEER_ASK_CLIENT_EVENT,
    PEER_ASK_REFUSE, /* tell the client why not: see refusal */
};

/* What a refusal is about, for programs. */
enum peer_why {
    PEER_WHY_OTHER,
    PEER_WHY_AUTH,
    PEER_WHY_LIMIT,
    PEER_WHY_CLIENT_EVENTS_OFF,
    PEER_WHY_CLIENT_EVENT, /* its size or name */
    PEER_WHY_NOT_MEMBER,
    PEER_WHY_RATE,
    PEER_WHY_OVERLOAD,
};

/* A refusal is data: which frames to send, and the words for the log. */
struct peer_refusal {
    struct span channel;   /* p == NULL: concerns no channel */
    struct span event_raw; /* of a client event: JSON token of its name; else n == 0 */
    uint8_t why;           /* enum peer_why */
    const char *type; /* "AuthError" / "LimitReached": also send subscription_error; NULL: not */
    unsigned status;  /* of subscription_error */
    unsigned code;    /* of pusher:error; 0: do not send one */
    struct span text; /* of subscription_error, and of pusher:error unless error_text is set */
    struct span error_text;
    bool close;  /* close with `code` afterwards, where the app's options say so */
    bool signin; /* a failed sign-in: closes when the option signin_failure_closes is on */
    struct span
        detail; /* for the log at debug level and `--dev`: e.g. the string that was signed */
};

struct peer_action {
    enum peer_ask ask;
    struct span channel; /* subscribe, unsubscribe, client event */
    struct chan_kind kind;
    struct event_member member; /* subscribe to presence: who; from channel_data or the sign-in */
    struct event_member user;   /* signin: id, id_raw, info_raw */
    struct json_val watchlist;  /* signin: array or JSON_ABSENT */
    struct span user_data;      /* signin: the signed string, decoded */
    struct span event_raw;      /* client event: JSON token of its name */
    struct span data_raw;       /* client event: n == 0 where absent */
    bool unfit;                 /* client event: breaks a limit; `refusal` is for a member */
    struct peer_refusal refusal;
};

/* Reads one text message. All spans of `*action` borrow from `text`, `scratch` (cleared at the
 * start, owned by the caller, one per worker) and `user`. No memory for scratch: PEER_ASK_REFUSE
 * with code 4100. Sign-in: verifies the signature and the id; whether another user is signed in
 * already is the hub's check. Subscribing to #server-to-user-X needs `user->id` equal to X. Client
 * events: all checks of protocol page 2.8 but membership and rate, which are the hub's; who is no
 * member is told that first, so one that breaks a limit is still PEER_ASK_CLIENT_EVENT, but unfit.
 */
void peer_on_message(uint64_t socket_id, const struct peer_rules *rules,
                     const struct peer_user *user, struct span text, struct buf *scratch,
                     struct peer_action *action);
#endif
