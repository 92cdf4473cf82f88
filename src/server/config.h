/* SPDX-License-Identifier: MIT
 *
 * server/config.h: the settings of one run, complete and checked, and where each came from.
 *
 * config_load() reads all sources (defaults, peal.yaml, .env, environment, flags; later wins),
 * merges and validates; what comes out is immutable plain data that any thread may read. The C path
 * of a field is the option's name: `cfg->limits.pending_bytes` is limits.pending_bytes. Every row
 * of options.def is a field here and the other way round (checked at compile time).
 *
 * Numbers are within the range that their row states; 0 means no limit throughout. Spans are never
 * NULL (`""` when empty), hold no NUL and have one behind their end, so `.p` is a C string. All of
 * it is owned by the config.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H
#include "base/err.h"
#include "base/log.h"
#include "hub/app.h"

/* How many rows of each kind options.def has. */
enum {
#define GLOBAL(...) +1
    N_GLOBAL_OPTIONS = 0
#include "server/options.def"
    ,
#define APP(...) +1
    N_APP_OPTIONS = 0
#include "server/options.def"
    ,
};

/* Where to listen. */
struct config_addr {
    enum { CONFIG_ADDR_TCP, CONFIG_ADDR_UNIX } kind;
    struct span host; /* TCP: a name, an IPv4 or an IPv6 address, without brackets */
    struct span path; /* Unix: the socket's path, fits into sockaddr_un */
    uint16_t port;    /* TCP; 0: any free one */
    struct span text; /* as it is written: host:port, [v6]:port, unix:/path */
};

struct config_addrs {
    struct config_addr *items;
    size_t n;
};

/* A network; IPv4 as ::ffff:0:0/96. */
struct config_net {
    uint8_t addr[16];
    uint8_t bits; /* 0 to 128; the address has zeros behind them */
};

struct config_nets {
    struct config_net *items;
    size_t n;
};

/* In the order of the option's words. */
enum metrics_names { METRICS_NAMES_PEAL, METRICS_NAMES_SOKETI, METRICS_NAMES_BOTH };

struct config {
    struct config_addrs listen; /* at least one; the first is the main listener */
    struct {
        struct config_addrs listen; /* exactly one */
        struct span_list hosts;     /* Host values it answers to (no port, lower case, no brackets);
                                     * one "*": any */
    } admin;
    struct {
        struct span path; /* as path_prefix; "": no dashboard */
        bool expose;
        struct span password_hash; /* that password_hash_read() takes; "": none */
        uint32_t session_s;
    } dashboard;
    uint32_t workers;                   /* 1 to 256; `auto` has been resolved */
    bool fd_tables;                     /* each worker has a table of descriptors of its own */
    struct span path_prefix;            /* "" or "/ws": leading slash, none at the end */
    struct config_nets trusted_proxies; /* peers on Unix sockets are trusted, too */
    uint32_t drain_ms;
    uint32_t drain_code;
    uint32_t handshake_timeout_ms;
    uint32_t keepalive_timeout_ms;
    uint32_t body_timeout_ms;
    uint32_t auth_timestamp_window_s;
    uint32_t slow_consumer_grace_ms;
    bool strict_channel_names;
    struct {
        uint64_t pending_bytes;
        uint64_t pending_total_bytes;
        uint64_t request_total_bytes;
        uint64_t mailbox_bytes;
        uint32_t reserved_descriptors;
    } limits;
    struct span store; /* a URL that store_url_parse() takes; with a password, perhaps */
    struct {
        uint32_t interval_seconds;
        uint32_t retention_days; /* 0: for ever */
    } statistics;
    struct {
        enum metrics_names names;
    } metrics;
    struct {
        enum log_level level;
        enum log_format format;
    } log;

    struct app_settings *apps; /* as hub/app.h has it; in the order in which they were first named;
                                * no two share an id or a key; 1 to APP_MAX_SECRETS secrets each */
    size_t n_apps;
    bool dev;             /* --dev */
    struct {              /* where clients dial, as PUSHER_HOST or REVERB_HOST say: a hint for */
        struct span host; /* commands that talk to a server, never what we bind; "": none */
        uint16_t port;
        bool tls;
    } dial;
    struct span_list warnings; /* sentences that the operator should read; not fatal */

    struct span host; /* what the options host and port say; `listen` has it already */
    uint32_t port;
    struct span _from[N_GLOBAL_OPTIONS];     /* where each value comes from; empty: the default */
    struct span (*_app_from)[N_APP_OPTIONS]; /* the same, for each app */
    struct config_arena *_arena;
};

/* One --set name=value, or the flag that stands for it. Borrowed. */
struct config_flag {
    const char *name; /* dotted: "log.level", "app_defaults.enabled", "apps.ID.key" */
    const char *value;
    const char *shown; /* what the user typed, for messages: "--port", "--set port" */
};

struct config_sources {
    const char *yaml_path;          /* NULL: ./peal.yaml where it exists */
    const char *env_path;           /* NULL: ./.env where it exists; "" in tests: none */
    const char *const *environment; /* "NAME=value", NULL at the end; NULL: none */
    const struct config_flag *flags;
    size_t n_flags;
    bool dev;         /* loopback and app-id/app-key/app-secret where nothing else is said */
    bool apps_needed; /* refuse when there is no app */
    /* Called for each mistake in the sources, where there are some; NULL: the first one in diag is
     * enough. Borrows the sentence. */
    void (*on_refused)(void *ctx, struct span sentence);
    void *ctx;
};

/* Reads everything. On success `*out` is the caller's (config_free). ERR_CONFIG with a full
 * sentence in `d` for whatever an operator can put right; ERR_NOMEM. Not a hot path: reads files,
 * blocks. */
enum err config_load(struct config **out, const struct config_sources *src,
                     struct diag *d) MUST_USE;

/* Whether answers and log may show what was signed: with --dev, or where debugging is asked for. */
static inline bool config_explains(const struct config *cfg)
{
    return cfg->dev || cfg->log.level >= LOG_DEBUG;
}

/* Wipes (there are secrets in it) and frees; `*cfg` becomes NULL; NULL allowed. */
void config_free(struct config **cfg);

/* Whether an IPv6 address (IPv4 as ::ffff:a.b.c.d) lies in one of the networks. */
bool config_nets_have(const struct config_nets *nets, const uint8_t addr[16]);

/* Where the value of a row of options.def comes from, like "log.level (peal.yaml:12)"; empty: it is
 * the default. `app` is an index into cfg->apps. */
struct span config_from(const struct config *cfg, size_t option);
struct span config_app_from(const struct config *cfg, size_t app, size_t option);

/* The app with this id, or NULL. */
const struct app_settings *config_find_app(const struct config *cfg, struct span id);
#endif
