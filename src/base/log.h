/* SPDX-License-Identifier: MIT
 *
 * base/log.h: structured log lines on stderr, as text or JSON, one write() each.
 *
 *     log_info("conn", "closed", kv_u64("code", 4201), kv_span("why", why));
 *
 * A constant event name, then key/values. Levels: error (a human must act), warn, info (life
 * cycle), debug (off costs one branch). Never a secret; payloads at debug only. Each (subsystem,
 * event) is limited to LOG_BURST lines a second; the next line after that says how many were left
 * out. Thread-safe; never waits for a reader: what there is no room for is lost, and counted in the
 * next line (`lost`). Control characters in values are escaped, so no value can forge a line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "base/span.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };
#define LOG_BURST 20

struct log_kv {
    const char *key;
    enum { LOG_KV_SPAN, LOG_KV_U64, LOG_KV_I64, LOG_KV_BOOL } kind;
    struct span s;
    uint64_t u;
};

static inline struct log_kv kv_span(const char *key, struct span s)
{
    return (struct log_kv) { .key = key, .kind = LOG_KV_SPAN, .s = s };
}
static inline struct log_kv kv_str(const char *key, const char *s)
{
    return kv_span(key, span_str(s));
}
static inline struct log_kv kv_u64(const char *key, uint64_t u)
{
    return (struct log_kv) { .key = key, .kind = LOG_KV_U64, .u = u };
}
static inline struct log_kv kv_i64(const char *key, int64_t i)
{
    return (struct log_kv) { .key = key, .kind = LOG_KV_I64, .u = (uint64_t)i };
}
static inline struct log_kv kv_bool(const char *key, bool v)
{
    return (struct log_kv) { .key = key, .kind = LOG_KV_BOOL, .u = v };
}

/* Process-wide; set once at start, before threads (level may change later). */
void log_setup(enum log_level level, enum log_format format, int fd);
void log_set_level(enum log_level level); /* any thread */
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *subsystem, const char *event,
               const struct log_kv *kvs, size_t n);

#define LOG_AT(level, sub, event, ...)                                                             \
    do {                                                                                           \
        if (log_enabled(level)) {                                                                  \
            const struct log_kv log_kvs_[] = { { 0 }, ##__VA_ARGS__ };                             \
            log_write(level, sub, event, log_kvs_ + 1, ARRAY_LEN_LOG(log_kvs_) - 1);               \
        }                                                                                          \
    } while (0)
#define ARRAY_LEN_LOG(a) (sizeof(a) / sizeof *(a))
#define log_error(sub, event, ...) LOG_AT(LOG_ERROR, sub, event, ##__VA_ARGS__)
#define log_warn(sub, event, ...) LOG_AT(LOG_WARN, sub, event, ##__VA_ARGS__)
#define log_info(sub, event, ...) LOG_AT(LOG_INFO, sub, event, ##__VA_ARGS__)
#define log_debug(sub, event, ...) LOG_AT(LOG_DEBUG, sub, event, ##__VA_ARGS__)
#endif
