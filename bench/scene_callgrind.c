/* SPDX-License-Identifier: MIT
 *
 * bench/scene_callgrind.c: user-space instructions per delivery, publish and static reply, counted
 * by callgrind: exact, whatever else the machine does.
 *
 * Each server runs twice, with few and with many messages, and the difference is divided by the
 * difference: so starting, connecting and stopping fall out.
 */
#include "bench/die.h"
#include "bench/scenes.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUBSCRIBERS 1000
#define FEW 4 /* bursts of deliveries */
#define MANY 24
#define SINGLE                                                                                     \
    6 /* times as many where a burst is one message: what comes with time counts less              \
       */
#define PUBLISHES 50 /* for each burst of deliveries */

struct kind {
    const char *name;
    size_t subscribers; /* 0: requests alone */
    enum load_request request;
    unsigned burst;
    enum floor_kind floor;
};

static const char *valgrind(void)
{
    static const char *const paths[] = { "/usr/bin/valgrind", "/usr/local/bin/valgrind" };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (access(paths[i], X_OK) == 0) return paths[i];
    die("valgrind is not installed");
}

/* The line "totals: N" of what callgrind wrote; the file goes. */
static double read_total(const char *path)
{
    char line[512];
    double total = 0;
    FILE *f = fopen(path, "re");
    if (!f) die_errno("%s", path);
    /* cppcheck-suppress nullPointerRedundantCheck ; die_errno does not return */
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "totals: ", 8) == 0) total = strtod(line + 8, NULL);
    fclose(f);
    unlink(path);
    if (total <= 0) die("callgrind counted nothing");
    return total;
}

static void load_it(struct side *s, const struct kind *k, unsigned times)
{
    const struct load_plan plan = { .data_bytes = 200, .burst = k->burst };
    if (k->subscribers) side_crowd(s, k->subscribers);
    if (!k->subscribers) side_load(s, layout_one(0), 1);
    for (unsigned i = 0; i < times && k->subscribers; i++) load_closed(s->load, &plan);
    for (unsigned i = 0; i < times && !k->subscribers; i++)
        load_requests(s->load, k->request, 1, k->burst, 0);
    side_check(s);
}

static double instructions(struct bench *b, enum report_side side, const struct kind *k,
                           unsigned times)
{
    char path[] = "/tmp/peal-callgrind-XXXXXX", out[192];
    struct side s;
    int fd = mkstemp(path); /* nobody else's, whatever lies there */
    if (fd < 0) die_errno("%s", path);
    close(fd);
    snprintf(out, sizeof out, "--callgrind-out-file=%s", path);
    side_start(b, &s,
               &(struct side_start) {
                   .side = side,
                   .floor = k->floor,
                   .wrapper = { valgrind(), "--tool=callgrind", "-q", out },
               });
    load_it(&s, k, times);
    side_stop(&s);
    return read_total(path);
}

void scene_callgrind(struct bench *b)
{
    static const struct kind kinds[] = {
        { "delivery, 1\u21921000, one per turn", SUBSCRIBERS, 0, 1, FLOOR_PLAIN },
        { "delivery, 1\u21921000, full load", SUBSCRIBERS, 0, 32, FLOOR_JOIN },
        { "publish, one at a time", 0, LOAD_PUBLISH, 1, FLOOR_PLAIN },
        { "publish, 16 deep", 0, LOAD_PUBLISH, 16, FLOOR_PLAIN },
        { "static reply, one at a time", 0, LOAD_STATIC, 1, FLOOR_PLAIN },
        { "static reply, 16 deep", 0, LOAD_STATIC, 16, FLOOR_PLAIN },
    };
    bench_say("callgrind: %zu kinds, once each", ARRAY_LEN(kinds));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct kind *k = &kinds[i];
        unsigned times = !k->subscribers ? PUBLISHES : k->burst == 1 ? SINGLE : 1;
        double each = (double)(MANY - FEW) * times * k->burst;
        if (k->subscribers) each *= (double)k->subscribers;
        for (enum report_side side = 0; side < REPORT_SIDES; side++) {
            double few = instructions(b, side, k, FEW * times),
                   many = instructions(b, side, k, MANY * times);
            row_add(report_row(&b->report, "callgrind", 1, "instructions per %s", k->name), side,
                    (many - few) / each);
        }
    }
}
