/* SPDX-License-Identifier: MIT
 *
 * base/json_write.h: appends JSON to a buf.
 *
 * Commas are put in by looking at the last byte written, so the calls read like the document:
 *     json_open(b, '{'); json_key(b, SPAN("code")); json_u64(b, 4001); json_close(b, '}');
 * The text may follow other octets in the buffer if the last of them could not end a JSON value (a
 * line feed, say); raw values come without white space around them. Ask buf_failed() at the end.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H
#include "base/buf.h"

void json_open(struct buf *b, char bracket);  /* '{' or '[' */
void json_close(struct buf *b, char bracket); /* '}' or ']' */
void json_key(struct buf *b, struct span key);
void json_string(struct buf *b, struct span utf8); /* quoted and escaped */
void json_u64(struct buf *b, uint64_t v);
void json_i64(struct buf *b, int64_t v);
void json_bool(struct buf *b, bool v);
void json_null(struct buf *b);
void json_raw(struct buf *b, struct span value); /* a value that is JSON already */

/* Only the escaping, no quotes and no comma: for JSON inside a JSON string. Control characters,
 * quote and backslash are escaped, the rest is copied. */
void json_escape(struct buf *b, struct span utf8);
#endif
