/* SPDX-License-Identifier: MIT
 *
 * cli/doctor.h: the links of the chain from a back end to a browser, each looked at from outside.
 *
 * A link is ok, doubtful or broken; what comes behind a broken one is skipped where it needs it. A
 * finding that is not ok says what to change, as the very line where there is one.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H
#include "cli/curl_setup.h"
#include "cli/target.h"

enum finding { FINDING_OK, FINDING_DOUBT, FINDING_BROKEN, FINDING_SKIPPED };

struct doctor {
    struct target target;
    uint64_t idle_s; /* how long to keep a silent connection; 0: not tried */
    bool json;
    bool at_admin;            /* the address is that of an admin listener */
    const char *first_broken; /* the link's name; NULL: none */
    unsigned n_doubts;
    struct buf out; /* JSON, until all is known */
};

/* Reports a link. `link` is static; `change` (NULL: nothing) says what to do. Both texts may hold
 * what a server said: it is made safe. */
void doctor_report(struct doctor *d, enum finding kind, const char *link, const char *text,
                   const char *change);

/* --- doctor_files.c: what lies in this folder --- */
void doctor_settings(struct doctor *d);
/* .env and config/broadcasting.php of a Laravel application. */
void doctor_laravel(struct doctor *d);

/* --- doctor_net.c: as far as HTTP; each returns whether what comes behind makes sense --- */
bool doctor_name(struct doctor *d);
bool doctor_connection(struct doctor *d); /* TCP, TLS and the certificate */
bool doctor_server(struct doctor *d);     /* is it Peal that answers? */
void doctor_descriptors(struct doctor *d);

/* --- doctor_pusher.c --- */
bool doctor_api(struct doctor *d);    /* /apps/ID: path, key, signature, clock */
bool doctor_socket(struct doctor *d); /* /app/KEY: path, upgrade, key, private channel */
void doctor_event(struct doctor *d);  /* published, and received */
void doctor_idle(struct doctor *d);   /* does a proxy cut silent connections? */
#endif
