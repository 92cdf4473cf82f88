/* SPDX-License-Identifier: MIT
 *
 * load/faults.h: what a server did wrong under load, counted, with the first case of each kind in
 * words. LOAD_BROKEN is our own failure.
 */
#ifndef LOAD_FAULTS_H
#define LOAD_FAULTS_H
#include <stdbool.h>
#include <stdint.h>

enum load_fault {
    LOAD_LOST,       /* deliveries that never came */
    LOAD_DOUBLED,    /* deliveries that came again */
    LOAD_SWAPPED,    /* deliveries that came after a later one of the same channel */
    LOAD_WRONG,      /* messages that are not what was published */
    LOAD_REFUSED,    /* requests that were answered with another status than 200 */
    LOAD_UNANSWERED, /* requests whose connection ended before the answer */
    LOAD_UNOPENED,   /* WebSockets that could not be opened and subscribed */
    LOAD_CLOSED,     /* WebSockets that the server ended */
    LOAD_BROKEN,     /* no memory, no descriptor: the run is worth nothing */
    LOAD_FAULT_KINDS
};

/* Zeroing makes it clean. */
struct load_faults {
    uint64_t n[LOAD_FAULT_KINDS];
    char first[LOAD_FAULT_KINDS][256]; /* "" where there was none */
};

/* Counts one, and keeps the words of the first of its kind. */
void load_fault(struct load_faults *f, enum load_fault kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Counts `n` more without words of their own. */
void load_faults_add(struct load_faults *f, enum load_fault kind, uint64_t n);

bool load_clean(const struct load_faults *f);
/* The words of the worst fault; "" where there is none. */
const char *load_worst(const struct load_faults *f);
/* "lost", "doubled", …: for tables and JSON. Static. */
const char *load_fault_name(enum load_fault kind);
#endif
