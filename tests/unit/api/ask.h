/* SPDX-License-Identifier: MIT
 * tests/unit/api/ask.h: requests to the rig, as bytes, whole or in pieces, and their answers. */
#ifndef TESTS_UNIT_API_ASK_H
#define TESTS_UNIT_API_ASK_H
#include "http/url.h"
#include "unit/api/rig.h"
#include <stdlib.h>

/* What the client got since the last question, then forgets it. */
#define assert_got(client, text)                                                                   \
    do {                                                                                           \
        assert_buf(&(client)->got, text);                                                          \
        buf_clear(&(client)->got);                                                                 \
    } while (0)

static inline void rig_read_answer(struct rig *rig)
{
    struct span out = buf_span(&rig->out);
    const char *end = memmem(out.p, out.n, "\r\n\r\n", 4);
    assert_non_null(end);
    rig->head = span_of(out.p, (size_t)(end - out.p) + 2);
    rig->body = span_skip(out, rig->head.n + 2);
    rig->status = (unsigned)strtoul(out.p + 9, NULL, 10);
    assert_int_equal(rig->status, rig->call.status);
}

/* Sends the bytes of one request. Returns what api_finish (or http1_res_fail) did. */
static inline enum err rig_send(struct rig *rig, struct span bytes)
{
    struct http1_req req;
    enum http1_ev ev = HTTP1_EV_MORE;
    enum err err = ERR_OK;
    http1_req_init(&req, &http1_limits_default);
    buf_clear(&rig->out);
    do {
        size_t n = rig->chop && rig->chop < bytes.n ? rig->chop : bytes.n;
        size_t used = http1_req_feed(&req, bytes.p, n, &ev);
        bytes = span_skip(bytes, used);
        if (ev == HTTP1_EV_HEAD) {
            memset(&rig->call, 0xa5, sizeof rig->call);
            api_head(rig->api, &req, rig->unix_s, &rig->call);
            http1_req_limit_body(&req, rig->call.body_limit, rig->call.body_option);
        } else if (ev == HTTP1_EV_DONE) {
            err = api_finish(rig->api, &req, http1_reply_to(&req), &rig->call, &rig->out);
            break;
        }
    } while (ev != HTTP1_EV_FAIL && (bytes.n || ev == HTTP1_EV_HEAD));
    if (ev == HTTP1_EV_FAIL) {
        rig->call.status = http1_req_fail(&req)->status;
        err = http1_res_fail(&rig->out, &req);
    }
    http1_req_fini(&req);
    return err;
}

/* Sends and delivers. */
static inline void rig_raw(struct rig *rig, const char *method, const char *target,
                           const char *body)
{
    struct buf b = { 0 };
    buf_add_fmt(&b, "%s %s HTTP/1.1\r\nHost: x\r\n", method, target);
    if (body) buf_add_fmt(&b, "Content-Length: %zu\r\n", strlen(body));
    BUF_ADD_LIT(&b, "\r\n");
    if (body) buf_add_span(&b, span_str(body));
    assert_int_equal(rig_send(rig, buf_span(&b)), ERR_OK);
    buf_fini(&b);
    rig_read_answer(rig);
    rig_turn(rig);
}

/* Appends the auth parameters of a request to `query` and signs with the app's secret. */
static inline void rig_sign(struct rig *rig, const char *method, const char *path,
                            struct buf *query, const char *body)
{
    struct auth_param params[AUTH_MAX_PARAMS];
    struct auth_request req = { span_str(method), span_str(path), params, 0, false };
    struct buf scratch = { 0 }, string = { 0 };
    char hex[SHA256_HEX_LEN], md5[MD5_HEX_LEN];
    if (query->n) buf_add_byte(query, '&');
    buf_add_fmt(query, "auth_key=app-key&auth_timestamp=%llu&auth_version=1.0",
                (unsigned long long)rig->unix_s);
    if (body && *body) {
        md5_hex(span_str(body), md5);
        buf_add_fmt(query, "&body_md5=%.*s", MD5_HEX_LEN, md5);
    }
    assert_non_null(buf_room(&scratch, 2 * query->n));
    struct url_query it = url_query(buf_span(query));
    for (struct url_pair pair; url_query_next(&it, &pair); req.n_params++) {
        struct auth_param *p = &params[req.n_params];
        assert_int_equal(url_text(pair.key, URL_PLUS_LITERAL, &scratch, &p->key), ERR_OK);
        assert_int_equal(url_text(pair.value, URL_PLUS_LITERAL, &scratch, &p->value), ERR_OK);
    }
    assert_int_equal(auth_request_string(&req, &string), ERR_OK);
    auth_sign_string(&rig_app(rig)->rules->keys, buf_span(&string), hex);
    buf_add_fmt(query, "&auth_signature=%.*s", SHA256_HEX_LEN, hex);
    buf_fini(&scratch);
    buf_fini(&string);
}

/* A signed request; `path` behind /apps/app-id, `query` without auth parameters or NULL. */
static inline void rig_ask(struct rig *rig, const char *method, const char *path, const char *query,
                           const char *body)
{
    struct buf target = { 0 }, whole = { 0 };
    buf_add_fmt(&target, "/apps/app-id%s", path);
    buf_add_byte(&target, '\0');
    buf_add_span(&whole, span_str(query));
    rig_sign(rig, method, target.p, &whole, body);
    target.p[target.n - 1] = '?';
    buf_add_span(&target, buf_span(&whole));
    buf_add_byte(&target, '\0');
    rig_raw(rig, method, target.p, body);
    buf_fini(&target);
    buf_fini(&whole);
}

static inline void rig_post(struct rig *rig, const char *path, const char *body)
{
    rig_ask(rig, "POST", path, NULL, body);
}

static inline void rig_get(struct rig *rig, const char *path, const char *query)
{
    rig_ask(rig, "GET", path, query, NULL);
}

#define assert_answer(rig, want_status, want_body)                                                 \
    do {                                                                                           \
        assert_span((rig)->body, want_body);                                                       \
        assert_int_equal((rig)->status, want_status);                                              \
    } while (0)

/* A refusal `{"error":TEXT,"code":STATUS}`. */
#define assert_refused(rig, want_status, want_text)                                                \
    assert_answer(rig, want_status, "{\"error\":\"" want_text "\",\"code\":" #want_status "}")

static inline bool rig_has(struct span in, const char *what)
{
    return memmem(in.p, in.n, what, strlen(what)) != NULL;
}

/* The answer's head has this line. */
#define assert_header(rig, line) assert_true(rig_has((rig)->head, line "\r\n"))

static inline int rig_setup(void **state)
{
    struct rig *rig = test_malloc(sizeof *rig);
    rig_init(rig);
    rig_start(rig);
    *state = rig;
    return 0;
}

static inline int rig_teardown(void **state)
{
    rig_stop(*state);
    test_free(*state);
    return 0;
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#endif
