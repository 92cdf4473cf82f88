/* SPDX-License-Identifier: MIT
 * tests/unit/server/back_end.h: signed publishes of the app app-id/app-key/app-secret. */
#ifndef TESTS_SERVER_BACK_END_H
#define TESTS_SERVER_BACK_END_H
#include "base/hash.h"
#include "unit/server/raw_client.h"

static inline struct hmac_key *rig_secret(void)
{
    static struct hmac_key *key;
    if (!key) key = hmac_key_new(SPAN("app-secret"));
    CHECK(key);
    return key;
}

/* Appends a signed POST of an event with `size` octets of data to a channel. */
static inline void write_publish(struct buf *out, const char *channel, const char *name,
                                 size_t size)
{
    struct buf body = { 0 }, query = { 0 };
    buf_add_fmt(&body, "{\"name\":\"%s\",\"channel\":\"%s\",\"data\":\"", name, channel);
    for (size_t i = 0; i < size; i++) buf_add_byte(&body, 'x');
    BUF_ADD_LIT(&body, "\"}");
    char md5[MD5_HEX_LEN], signature[SHA256_HEX_LEN];
    md5_hex(buf_span(&body), md5);
    buf_add_fmt(&query, "auth_key=app-key&auth_timestamp=%lld&auth_version=1.0&body_md5=%.*s",
                (long long)(clock_unix_ms() / 1000), MD5_HEX_LEN, md5);
    struct span parts[] = { SPAN("POST\n/apps/app-id/events\n"), buf_span(&query) };
    hmac_sha256_hex(rig_secret(), parts, 2, signature);
    buf_add_fmt(out,
                "POST /apps/app-id/events?%.*s&auth_signature=%.*s HTTP/1.1\r\nHost: x\r\n"
                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                SPAN_FMT(buf_span(&query)), SHA256_HEX_LEN, signature, body.n);
    buf_add_span(out, buf_span(&body));
    buf_fini(&body);
    buf_fini(&query);
}

/* Publishes over `c`, which stays open; the status. */
static inline unsigned cl_publish(struct cl *c, const char *channel, const char *name, size_t size)
{
    struct buf b = { 0 };
    write_publish(&b, channel, name, size);
    cl_send(c, buf_span(&b));
    buf_fini(&b);
    return cl_response(c);
}
#endif
