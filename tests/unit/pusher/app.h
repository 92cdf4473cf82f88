/* SPDX-License-Identifier: MIT
 * tests/unit/pusher/app.h: the app and the socket of the examples on the protocol page. */
#ifndef TESTS_UNIT_PUSHER_APP_H
#define TESTS_UNIT_PUSHER_APP_H
#include "pusher/peer.h"
#include "unit/test.h"

#define SOCKET_ID "1234.5678"

struct app {
    struct hmac_key *secrets[2];
    struct auth_keys keys;
};

/* `second`: a secret that is being rotated out; NULL: there is one only. */
static inline void app_open(struct app *app, const char *key, const char *secret,
                            const char *second)
{
    app->secrets[0] = hmac_key_new(span_str(secret));
    app->secrets[1] = second ? hmac_key_new(span_str(second)) : NULL;
    assert_non_null(app->secrets[0]);
    app->keys = (struct auth_keys) { span_str(key), app->secrets, second ? 2 : 1 };
}

static inline void app_close(struct app *app)
{
    hmac_key_free(app->secrets[0]);
    hmac_key_free(app->secrets[1]);
}
#endif
