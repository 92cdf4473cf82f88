/* SPDX-License-Identifier: MIT
 * tests/fuzz/fuzz_auth.c: strings to sign and signatures. The input is a query (`k=v&k=v…`, not
 * decoded) and, behind a line feed, the `auth` of a subscription. */
#include "pusher/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hmac_key *secrets[2];

static size_t split_query(struct span query, struct auth_param *params, size_t max)
{
    size_t n = 0;
    struct span part;
    while (n < max && span_cut(&query, '&', &part)) {
        struct span key, value = part;
        span_cut(&value, '=', &key);
        params[n++] = (struct auth_param) { key, value };
    }
    return n;
}

static void check_request(const struct auth_keys *keys, struct span query, bool keep_case)
{
    struct auth_param params[AUTH_MAX_PARAMS + 2];
    struct buf once = { 0 };
    struct auth_request req = { SPAN("GET"), SPAN("/apps/1/channels"), params,
                                split_query(query, params, ARRAY_LEN(params)), keep_case };
    enum err err = auth_request_string(&req, &once);
    CHECK((err == ERR_LIMIT) == (req.n_params > AUTH_MAX_PARAMS));
    if (err == ERR_OK) {
        char hex[SHA256_HEX_LEN];
        CHECK(span_starts(buf_span(&once), SPAN("GET\n/apps/1/channels\n")));
        auth_sign_string(keys, buf_span(&once), hex);
        CHECK(auth_check_string(keys, span_of(hex, sizeof hex), buf_span(&once)));
    }
    buf_fini(&once);
}

/* An auth from outside never verifies (nobody finds the secret here); our own does, and not after a
 * change. */
static void check_channel(const struct auth_keys *keys, struct span auth)
{
    struct span id = SPAN("1234.5678"), none = { NULL, 0 };
    CHECK(auth_check_channel(keys, auth, id, auth, none) != AUTH_OK);
    CHECK(auth_check_channel(keys, auth, id, SPAN("private-x"), auth) != AUTH_OK);
    CHECK(auth_check_user(keys, auth, id, auth) != AUTH_OK);
    CHECK(!auth_check_string(keys, auth, auth));
    struct buf ours = { 0 };
    auth_sign_channel(keys, id, SPAN("private-x"), auth, &ours);
    CHECK(auth_check_channel(keys, buf_span(&ours), id, SPAN("private-x"), auth) == AUTH_OK);
    CHECK(auth_check_channel(keys, buf_span(&ours), id, SPAN("private-y"), auth) == AUTH_MISMATCH);
    CHECK(auth_check_channel(keys, span_head(buf_span(&ours), ours.n - 1), id, SPAN("private-x"),
                             auth) == AUTH_MALFORMED);
    buf_fini(&ours);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!secrets[0]) {
        secrets[0] = hmac_key_new(SPAN("a secret that no corpus holds: 8c1f"));
        secrets[1] = hmac_key_new(SPAN("a second one: 77e2"));
    }
    CHECK(secrets[0] && secrets[1]);
    struct auth_keys keys = { SPAN("app-key"), secrets, 2 };
    struct span auth = span_of(data, size), query;
    if (!span_cut(&auth, '\n', &query)) return 0;
    check_request(&keys, query, false);
    check_request(&keys, query, true);
    check_channel(&keys, auth);
    return 0;
}
