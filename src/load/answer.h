/* SPDX-License-Identifier: MIT
 *
 * load/answer.h: HTTP/1.1 responses, as far as a publisher needs them: where one ends, and its
 * status. Pure.
 */
#ifndef LOAD_ANSWER_H
#define LOAD_ANSWER_H
#include "base/span.h"

struct answer {
    unsigned status;  /* 0: this is no HTTP response */
    struct span body; /* borrowed from the input; of a chunked one its first chunk */
    bool close;       /* the server closes the connection after it */
};

/* Reads the response at the begin of `in` and returns its length; 0: it is not complete. What is no
 * response, or ends with the connection, counts as everything with `close`. */
size_t answer_read(struct span in, struct answer *out);
#endif
