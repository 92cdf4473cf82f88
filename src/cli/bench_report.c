/* SPDX-License-Identifier: MIT
 * cli/bench_report.c: figures with their units; what was not measured is left out. */
#include "cli/bench_report.h"
#include "base/json_write.h"
#include "cli/text.h"

#define IDLE_NS 20 /* no server needs so little for a message */
#define MANY 1000  /* connections: with fewer, what the server keeps anyhow is a large part */

/* --- for people --- */

/* 1234567 ns: "1.23 ms". */
static const char *duration(uint64_t ns, char text[32])
{
    double v = (double)ns / 1e3;
    const char *unit = "\u00b5s";
    if (v >= 1e6) {
        v /= 1e6;
        unit = "s";
    } else if (v >= 1e3) {
        v /= 1e3;
        unit = "ms";
    }
    snprintf(text, 32, "%.*f %s", v < 10 ? 2 : v < 100 ? 1 : 0, v, unit);
    return text;
}

static double per_second(uint64_t n, uint64_t ns)
{
    return ns ? (double)n * 1e9 / (double)ns : 0;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

static void print_hist(const char *name, const struct hist *h, FILE *to)
{
    static const struct {
        const char *name;
        double share;
    } points[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 } };
    char text[32];
    if (h->n == 0) return;
    fprintf(to, "%-12s", name);
    for (size_t i = 0; i < ARRAY_LEN(points); i++)
        fprintf(to, "%s %s   ", points[i].name, duration(hist_at(h, points[i].share), text));
    fprintf(to, "longest %s\n", duration(h->max, text));
}

/* Then --pid names another process. */
static bool is_idle(const struct bench_result *r)
{
    return r->run.ns && r->server_cpu_ns < IDLE_NS * (r->run.n + r->run.deliveries);
}

static void print_server(const struct bench_result *r, FILE *to)
{
    if (!r->watched) return;
    if (r->ended) {
        fputs("server      its process has ended\n", to);
        return;
    }
    fprintf(to, "server      %.0f %% of a CPU", 100 * ratio(r->server_cpu_ns, r->run.ns));
    if (r->run.deliveries)
        fprintf(to, ", %.2f \u00b5s for each delivery",
                ratio(r->server_cpu_ns, r->run.deliveries) / 1e3);
    if (r->run.n)
        fprintf(to, "%s%.1f \u00b5s for each request", r->run.deliveries ? " or " : ", ",
                ratio(r->server_cpu_ns, r->run.n) / 1e3);
    fprintf(to, "\nmemory      %.1f MiB resident; private %.1f MiB empty, %.1f MiB connected",
            (double)r->after.rss_bytes / 1048576, (double)r->before.private_bytes / 1048576,
            (double)r->idle.private_bytes / 1048576);
    if (r->connected >= MANY && r->idle.private_bytes > r->before.private_bytes)
        fprintf(to, " (%.0f bytes a connection)",
                ratio(r->idle.private_bytes - r->before.private_bytes, r->connected));
    fputc('\n', to);
    if (is_idle(r))
        fputs("            That process has done next to nothing: does --pid name the server?\n",
              to);
}

static void print_faults(const struct load_faults *f, FILE *to)
{
    if (load_clean(f)) {
        fputs("faults      none\n", to);
        return;
    }
    fputs("faults     ", to);
    for (enum load_fault kind = 0; kind < LOAD_FAULT_KINDS; kind++)
        if (f->n[kind])
            fprintf(to, " %llu %s", (unsigned long long)f->n[kind], load_fault_name(kind));
    fputs("\n            ", to);
    text_print(to, span_str(load_worst(f)));
}

static void print_run(const struct bench_wish *wish, const struct bench_result *r, FILE *to)
{
    char text[32];
    const struct load_done *run = &r->run;
    if (run->ns == 0) return;
    fprintf(to, "published   %llu messages of %llu B in %s, %.1f a second\n",
            (unsigned long long)run->accepted, (unsigned long long)wish->bytes,
            duration(run->ns, text), per_second(run->accepted, run->ns));
    if (run->n > run->accepted)
        fprintf(to, "            %llu more were sent, and not accepted\n",
                (unsigned long long)(run->n - run->accepted));
    if (run->asked > run->n)
        fprintf(
            to,
            "            %llu more were due, and could not be sent in time: the server, or this "
            "program, is too slow for that rate\n",
            (unsigned long long)(run->asked - run->n));
    fprintf(to, "delivered   %llu messages, %.0f a second\n", (unsigned long long)run->deliveries,
            per_second(run->deliveries, run->ns));
}

void bench_report_text(const struct bench_wish *wish, const struct bench_result *r, FILE *to)
{
    char text[32];
    if (wish->layout.max)
        fprintf(to, "connected   %zu of %zu in %s, %.0f a second\n", r->connected, wish->layout.max,
                duration(r->connect_ns, text), per_second(r->connected, r->connect_ns));
    print_run(wish, r, to);
    print_hist("latency", &r->latency, to);
    print_hist("API", &r->api, to);
    print_hist("own lag", &r->lag, to);
    print_server(r, to);
    print_faults(&r->faults, to);
    if (r->foreign)
        fprintf(
            to,
            "%llu messages of another run came on the same channels: give each run a --prefix of "
            "its own.\n",
            (unsigned long long)r->foreign);
    if (r->stopped) fputs("Ended before its time, by a signal.\n", to);
    if (r->run.gone)
        fputs("Ended before its time: the server was gone, or took nothing any more.\n", to);
    if (r->run.ns && r->own_cpu_ns > r->run.ns / 10 * 9)
        fputs("The load generator itself was busy all the time: the server may be faster.\n", to);
}

/* --- for programs --- */

static void add_u64(struct buf *b, const char *key, uint64_t v)
{
    json_key(b, span_str(key));
    json_u64(b, v);
}

static void add_hist(struct buf *b, const char *key, const struct hist *h)
{
    json_key(b, span_str(key));
    if (h->n == 0) {
        json_null(b);
        return;
    }
    json_open(b, '{');
    add_u64(b, "count", h->n);
    add_u64(b, "p50", hist_at(h, 0.5));
    add_u64(b, "p90", hist_at(h, 0.9));
    add_u64(b, "p99", hist_at(h, 0.99));
    add_u64(b, "p99_9", hist_at(h, 0.999));
    add_u64(b, "p99_99", hist_at(h, 0.9999));
    add_u64(b, "max", h->max);
    json_close(b, '}');
}

static void add_server(struct buf *b, const struct bench_result *r)
{
    json_key(b, SPAN("server"));
    if (!r->watched || r->ended) {
        json_null(b);
        return;
    }
    json_open(b, '{');
    add_u64(b, "cpu_ns", r->server_cpu_ns);
    add_u64(b, "private_bytes_empty", r->before.private_bytes);
    add_u64(b, "private_bytes_connected", r->idle.private_bytes);
    add_u64(b, "private_bytes_after", r->after.private_bytes);
    add_u64(b, "rss_bytes_after", r->after.rss_bytes);
    json_close(b, '}');
}

static void add_faults(struct buf *b, const struct load_faults *f)
{
    json_key(b, SPAN("faults"));
    json_open(b, '{');
    for (enum load_fault kind = 0; kind < LOAD_FAULT_KINDS; kind++)
        add_u64(b, load_fault_name(kind), f->n[kind]);
    json_key(b, SPAN("first"));
    json_string(b, span_str(load_worst(f)));
    json_close(b, '}');
}

void bench_report_json(const struct bench_wish *wish, const struct bench_result *r, FILE *to)
{
    struct buf b = { 0 };
    json_open(&b, '{');
    json_key(&b, SPAN("version"));
    json_string(&b, SPAN(PEAL_VERSION));
    json_key(&b, SPAN("mode"));
    json_string(&b, wish->rate ? SPAN("open") : SPAN("closed"));
    add_u64(&b, wish->rate ? "rate" : "burst", wish->rate ? wish->rate : wish->burst);
    add_u64(&b, "publishers", wish->publishers);
    json_key(&b, SPAN("prefix"));
    json_string(&b, span_str(wish->layout.prefix));
    add_u64(&b, "connections", wish->layout.max);
    add_u64(&b, "connected", r->connected);
    add_u64(&b, "connect_ns", r->connect_ns);
    add_u64(&b, "channels", wish->layout.n_channels);
    add_u64(&b, "per_connection", wish->layout.per_conn);
    add_u64(&b, "foreign", r->foreign);
    add_u64(&b, "bytes", wish->bytes);
    json_key(&b, SPAN("stopped"));
    json_bool(&b, r->stopped);
    json_key(&b, SPAN("gone"));
    json_bool(&b, r->run.gone);
    add_u64(&b, "asked", r->run.asked);
    add_u64(&b, "sent", r->run.n);
    add_u64(&b, "published", r->run.accepted);
    add_u64(&b, "delivered", r->run.deliveries);
    add_u64(&b, "run_ns", r->run.ns);
    add_u64(&b, "own_cpu_ns", r->own_cpu_ns);
    add_hist(&b, "latency_ns", &r->latency);
    add_hist(&b, "api_ns", &r->api);
    add_hist(&b, "lag_ns", &r->lag);
    add_server(&b, r);
    add_faults(&b, &r->faults);
    json_close(&b, '}');
    if (!buf_failed(&b)) fprintf(to, "%.*s\n", SPAN_FMT(buf_span(&b)));
    buf_fini(&b);
}
