/* SPDX-License-Identifier: MIT
 * server/internal_app.c: see internal_app.h. */
#include "server/internal_app.h"
#include "base/hash.h"
#include "base/rand.h"

void internal_app_init(struct internal_app *ia, struct span name)
{
    uint8_t random[sizeof ia->_secret / 2];
    rand_bytes(random, sizeof random);
    hex_encode(span_of(random, sizeof random), ia->_secret);
    ia->_secrets[0] = span_of(ia->_secret, sizeof ia->_secret);
    ia->settings = (struct app_settings) {
        .id = name,
        .key = name,
        .secrets = { ia->_secrets, 1 },
        .enabled = true,
        .activity_timeout_s = 30,
        .ping_interval_s = 60,
        .pong_timeout_s = 30,
        .connection_limit_code = 4100,
    };
}

enum err internal_app_open(struct internal_app *ia)
{
    enum err err = apps_new(&ia->apps, &ia->settings, 1, true, NULL);
    if (!err) ia->apps->all[0].internal = true;
    return err;
}

void internal_app_close(struct internal_app *ia)
{
    apps_free(ia->apps);
    ia->apps = NULL;
}
