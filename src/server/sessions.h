/* SPDX-License-Identifier: MIT
 *
 * server/sessions.h: who is logged in to the exposed dashboard, and texts that only this process
 * can have signed.
 *
 * A session is a row here; its id is 32 octets of the kernel's, of which only a digest is kept, so
 * that no time of a comparison and no dump of memory tells one. The rows are few: who logs in
 * where all are used ends the session that has been open longest. All of them end with the process.
 *
 * No clock: the time (monotonic, ms) is passed in. Any thread.
 */
#ifndef SERVER_SESSIONS_H
#define SERVER_SESSIONS_H
#include "base/buf.h"
#include "base/hash.h"

#define SESSIONS_MAX 64
#define SESSION_ID_LEN 64 /* hex digits */

struct sessions;
typedef uint32_t session_ref; /* 0: none. Names a session also when it has ended. */

enum err sessions_new(struct sessions **out) MUST_USE;
void sessions_free(struct sessions *s); /* NULL allowed */

/* Opens one and writes its id. */
session_ref sessions_open(struct sessions *s, uint64_t now_ms, uint64_t ends_ms,
                          char id[SESSION_ID_LEN]);
/* The open session with this id; 0: there is none. */
session_ref sessions_find(struct sessions *s, struct span id, uint64_t now_ms);
/* When it ends; 0: it has. */
uint64_t sessions_ends_ms(struct sessions *s, session_ref ref, uint64_t now_ms);
void sessions_end(struct sessions *s, session_ref ref);
void sessions_end_all(struct sessions *s);

/* --- what is signed --- */
/* "EXPIRES.SIGNATURE" for a purpose (a word) and what it is about; good until `ends_ms`. */
void sessions_sign(const struct sessions *s, const char *purpose, struct span subject,
                   uint64_t ends_ms, struct buf *out);
bool sessions_signed(const struct sessions *s, const char *purpose, struct span subject,
                     struct span text, uint64_t now_ms);
/* The same about a session, as long as it is open. */
void sessions_sign_for(const struct sessions *s, const char *purpose, session_ref ref,
                       uint64_t ends_ms, struct buf *out);
bool sessions_signed_for(const struct sessions *s, const char *purpose, session_ref ref,
                         struct span text, uint64_t now_ms);
#endif
