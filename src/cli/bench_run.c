/* SPDX-License-Identifier: MIT
 *
 * cli/bench_run.c: the order of a run: memory of the empty server, connecting, memory of the idle
 * one, warming up, the run itself with both CPU clocks, memory afterwards.
 */
#include "cli/bench_run.h"
#include "base/clock.h"
#include <time.h>

static uint64_t own_cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* What is known of a server that does not want to be watched any more stays what it was. */
static void look(const struct bench_result *out, const struct meter *m, struct meter_memory *memory)
{
    struct meter_memory now;
    if (out->watched && meter_memory(m, &now) == ERR_OK) *memory = now;
}

/* 0, and it has ended: see out->ended. */
static uint64_t server_cpu_ns(struct bench_result *out, const struct meter *m)
{
    uint64_t ns = 0;
    if (!out->watched) return 0;
    out->ended = out->ended || meter_cpu_ns(m, &ns) != ERR_OK || ns == 0;
    return ns;
}

static enum err watch(const struct bench_wish *wish, struct bench_result *out, struct meter *m,
                      struct diag *d)
{
    if (wish->pid == 0) return ERR_OK;
    enum err err = meter_open(m, (pid_t)wish->pid);
    if (!err) err = meter_memory(m, &out->before);
    if (err == ERR_DENIED)
        return diag_set(d, err, "the memory of process %llu is not ours to see: run as its user",
                        (unsigned long long)wish->pid);
    if (err) return diag_set(d, err, "there is no process %llu", (unsigned long long)wish->pid);
    out->watched = true;
    return ERR_OK;
}

static struct load_done publish(struct load *load, const struct bench_wish *wish,
                                struct bench_result *out, uint64_t seconds)
{
    const struct load_plan plan = {
        .data_bytes = (size_t)wish->bytes,
        .run_ns = seconds * 1000000000u,
        .burst = (unsigned)wish->burst,
        .rate = (double)wish->rate,
        .latency = out ? &out->latency : NULL,
        .api = out ? &out->api : NULL,
        .lag = out ? &out->lag : NULL,
    };
    return wish->rate ? load_open(load, &plan) : load_closed(load, &plan);
}

static bool is_stopped(const struct bench_wish *wish)
{
    return wish->stop && wish->stop(NULL);
}

static void measure(struct load *load, const struct bench_wish *wish, const struct meter *m,
                    struct bench_result *out)
{
    uint64_t start = clock_mono_ns();
    load_connect(load, wish->layout.max, (size_t)wish->window);
    out->connect_ns = clock_mono_ns() - start;
    out->connected = subs_ready(load_subs(load));
    if (load_faults(load)->n[LOAD_BROKEN] || (wish->layout.max && !out->connected)) return;
    look(out, m, &out->idle);
    if (wish->warmup_s) publish(load, wish, NULL, wish->warmup_s);
    if (is_stopped(wish)) return;
    uint64_t server = server_cpu_ns(out, m), own = own_cpu_ns();
    out->run = publish(load, wish, out, wish->duration_s);
    uint64_t server_after = server_cpu_ns(out, m);
    out->server_cpu_ns = out->ended ? 0 : server_after - server;
    out->own_cpu_ns = own_cpu_ns() - own;
    look(out, m, &out->after);
}

enum err bench_run(const struct bench_wish *wish, struct bench_result *out, struct diag *d)
{
    struct meter meter = { .pid = 0 };
    enum err err = watch(wish, out, &meter, d);
    if (err) return err;
    struct load *load = load_new(wish->target, &wish->layout, (size_t)wish->publishers);
    if (!load) return diag_set(d, ERR_NOMEM, "no memory or no descriptor for the connections");
    load_set_patience(load, wish->wait_s * 1000);
    load_stop_when(load, wish->stop, NULL);
    measure(load, wish, &meter, out);
    out->faults = *load_faults(load);
    out->foreign = subs_foreign(load_subs(load));
    out->stopped = is_stopped(wish);
    load_free(load);
    return ERR_OK;
}
