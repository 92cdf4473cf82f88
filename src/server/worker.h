/* SPDX-License-Identifier: MIT
 *
 * server/worker.h: one thread with its loop, its connections and its hub. Nothing of it is touched
 * by another thread but through worker_post().
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H
#include "api/api.h"
#include "base/lock.h"
#include "hub/hub.h"
#include "net/fds.h"
#include "net/listener.h"
#include "net/wheel.h"
#include "server/config.h"
#include "server/counts.h"
#include "server/out.h"
#include "server/watchers.h"
#include "ws/decoder.h"
#include <pthread.h>
#include <semaphore.h>

#define WORKER_READ_BYTES 65536
#define WORKER_MAX_LISTENERS 65 /* listen (64) and admin */

struct server;
struct worker;

/* Work handed to a worker's thread by any other. The node is the caller's until `run` is called. */
struct task {
    struct mpsc_node node;
    void (*run)(struct worker *w, struct task *t);
};

/* How a worker ends (docs/internals/server.md). */
enum worker_phase {
    WORKER_SERVES,
    WORKER_DRAINS,
    WORKER_REQUESTS,
    WORKER_FINISHES,
    WORKER_DONE,
};

struct worker {
    struct server *server;
    const struct config *cfg; /* the settings as this worker has them: replaced by tasks only, so */
    const struct apps *apps;  /* they stay the same for a turn */
    unsigned index;
    pthread_t thread;
    bool started;           /* the thread exists */
    sem_t go;               /* and serves */
    _Atomic uintptr_t self; /* the thread's own pthread_self(); 0 before it runs */
    bool mailbox_done;      /* in this turn: what comes later needs another one */
    bool mailbox_left;      /* and there was more than one turn may do */
    struct loop *loop;
    struct poller *poller;
    struct hub *hub;
    struct api *api;
    struct wheel wheel;
    struct listener *listeners[WORKER_MAX_LISTENERS];
    size_t n_listeners;
    struct mpsc tasks;
    struct task drain_task, stop_task; /* the main thread's, each used once */
    struct task finish_task;           /* drain.c's */
    struct task beat_task;             /* service.c's, on its way while beat_asked */
    _Atomic bool beat_asked;

    struct fds_table fds;         /* with fd_tables */
    struct list http, ws, ending; /* connections by state; http oldest first */
    struct list dirty;            /* with output of this turn */
    struct list dead;             /* to be freed in the close phase */
    struct list resume;           /* conn_input.c: input that goes on in this or the next turn */
    unsigned work, share;         /* left of this turn; of that, for the present connection */
    _Atomic bool to_shed;         /* too much input is held in all, and most of it here */
    struct worker_counts counts;
    struct lock_waits lock_waits; /* of its thread, mostly for the directory */

    enum worker_phase phase;
    uint64_t phase_since_ms;
    bool told_finished;  /* WORKER_REQUESTS: no request is left here */
    bool to_close;       /* WORKER_FINISHES: WebSockets are still open */
    uint64_t n_to_drain; /* WebSockets when draining began */

    struct self_test_end *self_test;
    struct watch_out watch;       /* gathered for who watches */
    struct client_names *clients; /* what the clients here say they are */

    struct out_batch batch; /* of the flush phase */
    uint8_t *read_buf;      /* WORKER_READ_BYTES, shared by all connections */
};

enum err worker_init(struct worker *w, struct server *server, unsigned index) MUST_USE;
/* Makes the thread, which opens what it needs; it serves when it is told to go. All workers are
 * initialised before the first one is started: one that takes a table of descriptors of its own
 * (fd_tables) has to find the loops of the others in it, to wake them. */
enum err worker_start(struct worker *w, struct diag *d) MUST_USE;
void worker_go(struct worker *w);
/* The worker's thread: other settings from now on. Borrows both. */
void worker_configure(struct worker *w, const struct config *cfg, const struct apps *apps);
/* Any thread. */
void worker_post(struct worker *w, struct task *t);
void worker_join(struct worker *w);
/* Ends connections and tasks that are left: the thread as its last act; and once more whoever has
 * joined all of them, for the tasks that came after that. */
void worker_end_conns(struct worker *w);
/* After worker_end_conns() of all workers. */
void worker_fini(struct worker *w);
/* Any thread: makes the worker look into its mailbox and tasks. */
void worker_wake(struct worker *w);
#endif
