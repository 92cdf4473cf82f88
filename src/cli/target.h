/* SPDX-License-Identifier: MIT
 *
 * cli/target.h: which server, and which app, a command talks to: from its flags, else from .env and
 * the configuration here.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H
#include "cli/settings.h"
#include "pusher/auth.h"

/* clang-format off */
#define TARGET_SPECS                                                                               \
    { "--host", "HOST", "the server (or unix:/path; default: what .env and peal.yaml say)" },      \
    { "--port", "N", "its port" },                                                                 \
    { "--tls", NULL, "use TLS" },                                                                  \
    { "--ca", "FILE", "trust these certificates (PEM) instead of the system's" },                  \
    { "--path", "PATH", "in front of all routes, where the server has a path_prefix" },            \
    { "--app", "ID:KEY:SECRET", "the app, @FILE with that in it, or ID of one here" },             \
    { "--config", "FILE", "settings (default ./peal.yaml where it exists)" },                      \
    { "--env", "FILE", "environment file (default ./.env where it exists)" }
/* clang-format on */

struct target {
    struct span host;   /* no brackets; "" for a Unix socket */
    struct span socket; /* path of a Unix socket, else "" */
    uint16_t port;
    bool tls;
    const char *ca;   /* PEM file to trust instead of the system's; NULL: those */
    struct span path; /* "" or "/prefix" */
    struct span id, key;
    struct auth_keys keys;          /* signs for the app, with its first secret */
    struct span_list secrets;       /* all of them, 1 or more */
    const struct app_settings *app; /* as configured here; NULL: only --app tells of it */
    const struct config *cfg;       /* the configuration here */
    struct settings _settings;
    struct config *_cfg;
    struct hmac_key *_hmac;
    struct span _secret;              /* of --app */
    const char *_host, *_app, *_path; /* as given */
    uint64_t _port;
    bool _tls;
};

/* False: no memory. */
bool target_init(struct target *t);
void target_fini(struct target *t);

/* As settings_take(). */
enum err target_take(struct target *t, const struct arg *arg, struct diag *d) MUST_USE;

/* The same for https://HOST[:PORT][/PREFIX] (http, ws and wss, too): host, port, TLS and path. */
enum err target_take_url(struct target *t, const char *text, struct diag *d) MUST_USE;

/* Reads the configuration and fills the public fields; they live until target_fini(). */
enum err target_resolve(struct target *t, struct diag *d) MUST_USE;

/* A wildcard address is where to listen; whoever dials means this machine. Else `host` as it is. */
struct span target_dialled(struct span host);

/* Appends "host[:port]" as it stands in a URL or a Host header; the port is left out where it is
 * the scheme's own. */
void target_authority(const struct target *t, struct buf *out);
#endif
