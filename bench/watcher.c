/* SPDX-License-Identifier: MIT
 * bench/watcher.c: see watcher.h. */
#include "bench/watcher.h"
#include "base/clock.h"
#include "bench/die.h"
#include "bench/proc.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGN_MS 20000 /* silence that a server bears is longer */

static const char request[] = "GET /app/peal-internal?protocol=7&client=bench HTTP/1.1\r\n"
                              "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nX-Peal: 1\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void say(int fd, const void *p, size_t n)
{
    if (send(fd, p, n, MSG_NOSIGNAL) != (ssize_t)n) die_errno("watcher");
}

/* A short frame, masked with zeros. */
static void say_frame(int fd, uint8_t head, const char *text)
{
    uint8_t frame[6 + 125] = { head };
    size_t n = strlen(text);
    frame[1] = (uint8_t)(0x80 | n);
    memcpy(frame + 6, text, n);
    say(fd, frame, 6 + n);
}

static int dial(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0) die_errno("watcher");
    return fd;
}

/* Reads until `word` has come `times` times. */
static void await(int fd, const char *word, unsigned times)
{
    char text[8192];
    size_t n = 0;
    for (unsigned seen = 0; seen < times;) {
        if (n == sizeof text) die("watcher: no %s", word);
        ssize_t got = recv(fd, text + n, sizeof text - n, 0);
        if (got <= 0) die("watcher: the server hung up before %s", word);
        n += (size_t)got;
        seen = 0;
        for (const char *at = text; (at = memmem(at, n - (size_t)(at - text), word, strlen(word)));
             at++)
            seen++;
    }
}

static _Noreturn void watch(uint16_t port, int told)
{
    static char rest[1 << 16];
    int fd = dial(port);
    say(fd, request, sizeof request - 1);
    await(fd, "pusher:connection_established", 1);
    say_frame(fd, 0x81, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"watch\"}}");
    say_frame(fd, 0x81, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"stats\"}}");
    await(fd, "pusher_internal:subscription_succeeded", 2);
    if (write(told, "1", 1) != 1) _exit(1);
    for (uint64_t sign_ms = clock_mono_ms(); recv(fd, rest, sizeof rest, 0) > 0;) {
        if (clock_mono_ms() < sign_ms + SIGN_MS) continue;
        sign_ms = clock_mono_ms();
        say_frame(fd, 0x8A, ""); /* a pong: the watcher lives */
    }
    _exit(0); /* the server has ended */
}

pid_t watcher_start(uint16_t admin_port)
{
    int fds[2];
    char ready;
    if (pipe2(fds, O_CLOEXEC) != 0) die_errno("pipe");
    pid_t pid = proc_fork();
    if (pid == 0) watch(admin_port, fds[1]);
    close(fds[1]);
    if (read(fds[0], &ready, 1) != 1) die("nobody could watch");
    close(fds[0]);
    return pid;
}

void watcher_stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
