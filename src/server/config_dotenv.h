/* SPDX-License-Identifier: MIT
 *
 * server/config_dotenv.h: the syntax of .env files, as phpdotenv 5 (and so Laravel) reads them.
 *
 *     NAME=value   export NAME=value   NAME='as it is'   NAME="with \n, \" and ${OTHER}"   #
 * comment
 *
 * An unquoted value ends at white space or #; ${OTHER} is resolved in unquoted and double-quoted
 * values, and stays as it is where OTHER is not known; double-quoted values may span lines. A line
 * with a name only says nothing. Pure.
 */
#ifndef SERVER_CONFIG_DOTENV_H
#define SERVER_CONFIG_DOTENV_H
#include "base/buf.h"

#define DOTENV_VALUE_MAX 65536 /* octets, after ${…}: a few lines could double without end */

/* The value of a variable, p == NULL where there is none; borrowed until the next step. */
typedef struct span dotenv_lookup(const void *ctx, struct span name);

struct dotenv {
    struct span rest;      /* the text; zero all else */
    dotenv_lookup *lookup; /* NULL: nothing is known */
    const void *ctx;
    size_t line;     /* of the last variable, or of what is wrong; from 1 */
    const char *why; /* static: what is wrong */
    size_t _lines;   /* ended so far */
};

enum dotenv_step { DOTENV_VARIABLE, DOTENV_END, DOTENV_WRONG };

/* The next variable: `name` borrows from the text, `value` is cleared and filled. Ask
 * buf_failed(value). After DOTENV_WRONG do not go on. */
enum dotenv_step dotenv_next(struct dotenv *d, struct span *name, struct buf *value);
#endif
