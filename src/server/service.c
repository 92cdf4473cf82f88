/* SPDX-License-Identifier: MIT
 *
 * server/service.c: see service.h.
 *
 * The watchdog is no timer that always fires: each beat hands every worker a task, and the next
 * beat is reported only if all of them have run it. So a worker that hangs in a loop of its own
 * gets the process restarted, and one that is merely busy for some seconds does not: three beats
 * fit into the time that systemd waits.
 */
#include "server/service.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/server_priv.h"
#include <limits.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define BEATS_PER_TIMEOUT 3

static void tell(const struct buf *text)
{
    if (buf_failed(text)) return;
    int sent = sd_notify(0, text->p);
    if (sent < 0)
        log_warn("server", "the service manager was not told", kv_str("why", strerror(-sent)));
}

static void tell_text(const char *text)
{
    struct buf b = { 0 };
    buf_add_fmt(&b, "%s", text);
    buf_add_byte(&b, '\0');
    tell(&b);
    buf_fini(&b);
}

void service_ready(const struct server *s)
{
    struct server_ready ready;
    struct buf b = { 0 };
    server_ready_info(s, &ready);
    buf_add_fmt(&b, "READY=1\nSTATUS=serving on %s, admin %s, %u worker%s, generation %u\n",
                ready.listen, ready.admin, ready.workers, ready.workers == 1 ? "" : "s",
                ready.generation);
    buf_add_byte(&b, '\0');
    tell(&b);
    buf_fini(&b);
}

/* MONOTONIC_USEC is for Type=notify-reload; older versions of systemd skip it. */
void service_reloading(void)
{
    struct timespec now;
    struct buf b = { 0 };
    clock_gettime(CLOCK_MONOTONIC, &now);
    buf_add_fmt(&b, "RELOADING=1\nMONOTONIC_USEC=%lld%06ld\n", (long long)now.tv_sec,
                now.tv_nsec / 1000);
    buf_add_byte(&b, '\0');
    tell(&b);
    buf_fini(&b);
}

void service_stopping(void)
{
    tell_text("STOPPING=1\nSTATUS=stopping\n");
}

/* --- watchdog --- */

/* Between two beats, ms; 0: no watchdog. */
static uint64_t interval_ms(void)
{
    uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) <= 0) return 0;
    uint64_t ms = usec / 1000 / BEATS_PER_TIMEOUT;
    return ms ? ms : 1;
}

void service_start(struct server *s)
{
    s->beat_every_ms = interval_ms();
    s->next_beat_ms = clock_mono_ms();
}

int service_wait_ms(const struct server *s)
{
    if (!s->beat_every_ms) return -1;
    uint64_t now = clock_mono_ms();
    uint64_t wait = s->next_beat_ms > now ? s->next_beat_ms - now : 0;
    return wait < INT_MAX ? (int)wait : INT_MAX;
}

static void answer(struct worker *w, struct task *t)
{
    (void)t;
    atomic_store_explicit(&w->beat_asked, false, memory_order_release);
}

static bool has_answered(const struct worker *w)
{
    return !atomic_load_explicit(&w->beat_asked, memory_order_acquire);
}

/* The task is ours again once it has been answered. */
static void ask(struct worker *w)
{
    atomic_store_explicit(&w->beat_asked, true, memory_order_relaxed);
    w->beat_task.run = answer;
    worker_post(w, &w->beat_task);
}

/* True where all have answered what they were asked last. */
static bool ask_all(struct server *s)
{
    bool alive = true;
    for (unsigned i = 0; i < s->n_workers; i++) {
        struct worker *w = &s->workers[i];
        if (has_answered(w)) {
            ask(w);
            continue;
        }
        alive = false;
        log_warn("server", "a worker does not answer", kv_u64("worker", i),
                 kv_u64("for_ms_at_least", s->beat_every_ms),
                 kv_str("effect", "no sign of life for the service manager's watchdog"));
    }
    return alive;
}

void service_beat(struct server *s)
{
    if (!s->beat_every_ms || clock_mono_ms() < s->next_beat_ms) return;
    s->next_beat_ms = clock_mono_ms() + s->beat_every_ms;
    if (server_stopping(s) || ask_all(s)) tell_text("WATCHDOG=1\n");
}
