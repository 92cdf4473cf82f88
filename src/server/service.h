/* SPDX-License-Identifier: MIT
 *
 * server/service.h: what the service manager (systemd: Type=notify, WatchdogSec=) is told of a
 * server. Without one ($NOTIFY_SOCKET) every call does nothing. Main thread only.
 */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

struct server;

/* It serves: after the start, a reload, a restart in place that failed. */
void service_ready(const struct server *s);
void service_reloading(void);
void service_stopping(void);

/* Before the first of the two below. */
void service_start(struct server *s);
/* For how long the main thread may sleep, ms; -1: for ever, as nobody wants a sign of life. */
int service_wait_ms(const struct server *s);

/* A sign of life where one is due: all workers have answered since the last. While workers end
 * (server_stopping) nobody is asked: that has a time limit of its own (sd_notify(3),
 * sd_watchdog_enabled(3)). */
void service_beat(struct server *s);
#endif
