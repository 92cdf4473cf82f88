/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_memory.c: whichever allocation of the server fails, it lives on,
 * hangs nobody, and leaks nothing (the sanitizer judges that when it exits).
 *
 * The server is a child, since clients need memory, too; a number through a pipe says which
 * allocation is the next to fail. */
#include "base/mem.h"
#include "unit/server/server_rig.h"
#include <sys/prctl.h>

#define SWEEP 60

struct child {
    struct rig rig; /* port and admin_port only */
    pid_t pid;
    int say, hear;
};

static _Noreturn void serve(int hear, int say)
{
    struct rig rig;
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0); /* a failing test leaves no server behind */
    START(&rig, "app_defaults.subscription_count=true");
    rig_serve(&rig);
    const uint16_t ports[2] = { rig.port, rig.admin_port };
    CHECK(write(say, ports, sizeof ports) == (ssize_t)sizeof ports);
    for (int32_t n; read(hear, &n, sizeof n) == (ssize_t)sizeof n;) {
        mem_fail_after(n, false);
        CHECK(write(say, "", 1) == 1);
    }
    rig_join(&rig);
    mem_fail_after(-1, false);
    rig_stop(&rig);
    exit(rig.code);
}

static void start(struct child *c)
{
    int to[2], from[2];
    uint16_t ports[2];
    CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    c->pid = fork();
    CHECK(c->pid >= 0);
    if (c->pid == 0) {
        close(to[1]);
        close(from[0]);
        serve(to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    c->say = to[1];
    c->hear = from[0];
    CHECK(read(c->hear, ports, sizeof ports) == (ssize_t)sizeof ports);
    c->rig = (struct rig) { .port = ports[0], .admin_port = ports[1] };
}

static void fail_after(struct child *c, int32_t n)
{
    char done;
    CHECK(write(c->say, &n, sizeof n) == (ssize_t)sizeof n && read(c->hear, &done, 1) == 1);
}

/* Says all at once and reads to the end, whatever comes. */
static void talk(uint16_t port, struct span said)
{
    struct cl c;
    cl_dial(&c, port);
    while (said.n) {
        ssize_t n = send(c.fd, said.p, said.n, MSG_NOSIGNAL);
        if (n <= 0) break; /* it has hung up */
        said = span_skip(said, (size_t)n);
    }
    cl_drain(&c);
    cl_close(&c);
}

static void add_frame(struct buf *b, const char *text)
{
    static const uint8_t mask[4] = { 4, 3, 2, 1 };
    ws_write_text(b, span_str(text), mask);
}

/* A client that does a little of everything and closes. */
static void write_client(struct buf *b)
{
    BUF_ADD_LIT(b, "GET /app/app-key HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    add_frame(b, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"room\"}}");
    add_frame(b, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"cache-room\"}}");
    add_frame(b, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"room\"}}");
    add_frame(b, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"private-x\"}}");
    add_frame(b, "{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":\"room\"}}");
    add_frame(b, "nonsense");
    buf_add(b, "\x89\x80\0\0\0\0", 6);
    buf_add(b, "\x01\x82\0\0\0\0ab\x80\x82\0\0\0\0cd", 16);
    buf_add(b, "\x88\x80\0\0\0\0", 6);
}

static void whichever_allocation_fails_the_server_goes_on(void **state)
{
    (void)state;
    struct child c;
    struct buf client = { 0 }, event = { 0 }, ask = { 0 };
    start(&c);
    write_client(&client);
    write_publish(&event, "cache-room", "e", 3000);
    write_publish(&event, "room", "e", 3000);
    BUF_ADD_LIT(&event, "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    BUF_ADD_LIT(&ask, "GET /admin/workers HTTP/1.1\r\nHost: localhost\r\n\r\n"
                      "GET /admin/connections?app=app-id HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct cl there;
    cl_open(&there, &c.rig);
    cl_subscribe(&there, "other");
    for (int32_t n = 0; n < SWEEP; n++) {
        fail_after(&c, n);
        talk(c.rig.port, buf_span(&client));
        fail_after(&c, n);
        talk(c.rig.port, buf_span(&event));
        fail_after(&c, n);
        talk(c.rig.admin_port, buf_span(&ask));
    }
    fail_after(&c, -1);
    assert_int_equal(rig_publish(&c.rig, "other", "still-here", 10), 200);
    assert_true(cl_hears(&there, "still-here"));
    cl_close(&there);
    buf_fini(&client);
    buf_fini(&event);
    buf_fini(&ask);
    close(c.say);
    assert_int_equal(kill(c.pid, SIGTERM), 0);
    int status = 0;
    assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(c.hear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_allocation_fails_the_server_goes_on),
    };
    return RUN_TESTS(tests);
}
