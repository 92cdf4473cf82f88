/* SPDX-License-Identifier: MIT
 *
 * net/endpoint.c: probe, bind, listen; adopt; close.
 *
 * SO_REUSEADDR is set everywhere, also on the probe: without it, connections in TIME_WAIT refuse a
 * restart after a kill. On Linux it does not let two sockets listen on one address. Between probe
 * and bind another SO_REUSEPORT server of the same user could slip in: a window of microseconds
 * that the kernel gives no means to close.
 */
#include "net/endpoint.h"
#include "base/mem.h"
#include "net/fds.h"
#include "net/holder.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x656e6470u

struct endpoint {
    uint32_t magic;
    unsigned n_workers;
    struct sock_addr addr;
    bool shared;    /* one socket, several workers: `token` is in use */
    bool owns_file; /* of a Unix socket: removed at close while it is the same inode */
    dev_t file_dev;
    ino_t file_ino;
    struct token token;
    size_t n_fds;
    int fds[];
};

static void close_fds(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) sock_close(fds[i]);
}

static enum err explain_in_use(const struct sock_addr *addr, const char *at, struct diag *d)
{
    char who[128];
    bool known = !sock_addr_is_unix(addr) && holder_of_tcp(addr, who, sizeof who);
    return diag_set(d, ERR_BUSY,
                    "Cannot listen on %s: %s listens there already. Stop it, or choose another "
                    "address.",
                    at, known ? who : "another process");
}

static enum err explain_low_port(const char *at, struct diag *d)
{
    char self[512];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    return diag_set(d, ERR_DENIED,
                    "Cannot listen on %s: ports below 1024 need a permission. Grant it with "
                    "\"sudo setcap cap_net_bind_service=+ep %s\" (or in systemd with "
                    "AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose a higher port.",
                    at, n > 0 ? self : "PATH");
}

/* Why it cannot be, for the operator. */
static enum err explain(const struct sock_addr *addr, int error, struct diag *d)
{
    char text[SOCK_ADDR_TEXT_MAX];
    const char *at = sock_addr_text(addr, text).p;
    enum err err = ERR_IO;
    switch (error) {
    case EADDRINUSE:
        return explain_in_use(addr, at, d);
    case EADDRNOTAVAIL:
        return diag_set(d, ERR_IO, "Cannot listen on %s: no interface here has this address.", at);
    case EACCES:
        if (!sock_addr_is_unix(addr)) return explain_low_port(at, d);
        err = ERR_DENIED;
        break;
    case EPERM:
    case EROFS:
        err = ERR_DENIED;
        break;
    case EMFILE:
    case ENFILE:
        err = ERR_LIMIT;
        break;
    default: /* the kernel's text says it */
        break;
    }
    return diag_set(d, err, "Cannot listen on %s: %s.", at, strerror(error));
}

/* A new TCP socket bound to `addr`, or -1 with errno. */
static int bind_tcp(const struct sock_addr *addr, bool reuse_port)
{
    int fd = socket(addr->u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    fds_opened(1);
    int on = 1;
    CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    if (reuse_port) CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0);
    if (addr->u.any.sa_family == AF_INET6)
        CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
    sock_set_nodelay(fd); /* accepted sockets inherit it: a system call less for each client */
    if (bind(fd, &addr->u.any, addr->len) == 0) return fd;
    int error = errno;
    sock_close(fd);
    errno = error;
    return -1;
}

static enum err probe_tcp(const struct sock_addr *addr, struct diag *d)
{
    int fd = bind_tcp(addr, false);
    if (fd < 0) return explain(addr, errno, d);
    sock_close(fd); /* never listened, so no client could mistake it for the server */
    return ERR_OK;
}

/* Binds and listens once more on the endpoint's address, and takes over the port that was found. */
static enum err add_tcp(struct endpoint *ep, struct diag *d)
{
    int fd = bind_tcp(&ep->addr, true);
    if (fd < 0) return explain(&ep->addr, errno, d);
    if (listen(fd, SOMAXCONN) != 0) {
        enum err err = explain(&ep->addr, errno, d);
        sock_close(fd);
        return err;
    }
    CHECK(sock_local(fd, &ep->addr));
    ep->fds[ep->n_fds++] = fd;
    return ERR_OK;
}

static enum err open_tcp(struct endpoint *ep, struct diag *d)
{
    enum err err = ERR_OK;
    if (sock_addr_port(&ep->addr) != 0) err = probe_tcp(&ep->addr, d);
    while (err == ERR_OK && ep->n_fds < ep->n_workers) err = add_tcp(ep, d);
    return err;
}

/* Nothing is at the path: can something be made there? */
static enum err look_at_folder(const struct sock_addr *addr, struct diag *d)
{
    char folder[sizeof addr->u.un.sun_path];
    memcpy(folder, addr->u.un.sun_path, sizeof folder);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0'; /* "/" stays */
    else
        memcpy(folder, ".", 2);
    return access(folder, W_OK | X_OK) == 0 ? ERR_ABSENT : explain(addr, errno, d);
}

/* What is at the path of a Unix socket: ERR_ABSENT nothing, ERR_EXISTS a socket that nobody serves,
 * ERR_BUSY one that is served, or something else (`d` says what). */
static enum err look_at_path(const struct sock_addr *addr, struct diag *d)
{
    const char *path = addr->u.un.sun_path;
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? look_at_folder(addr, d) : explain(addr, errno, d);
    if (!S_ISSOCK(st.st_mode))
        return diag_set(d, ERR_BUSY, "Cannot listen on unix:%s: a file that is no socket is there.",
                        path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return explain(addr, errno, d);
    fds_opened(1);
    bool refused = connect(fd, &addr->u.any, addr->len) != 0 && errno == ECONNREFUSED;
    struct ucred peer = { 0 };
    socklen_t len = sizeof peer;
    bool known = !refused && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0;
    sock_close(fd);
    if (refused) return ERR_EXISTS;
    char who[128] = "another process";
    if (known && peer.pid > 0) holder_of_pid(peer.pid, who, sizeof who);
    return diag_set(d, ERR_BUSY,
                    "Cannot listen on unix:%s: %s listens there already. Stop it, or choose "
                    "another path.",
                    path, who);
}

void endpoint_remove_dead_file(const struct sock_addr *addr)
{
    struct diag d;
    if (!sock_addr_is_unix(addr) || look_at_path(addr, &d) != ERR_EXISTS) return;
    unlink(addr->u.un.sun_path);
}

static enum err open_unix(struct endpoint *ep, struct diag *d)
{
    const char *path = ep->addr.u.un.sun_path;
    enum err state = look_at_path(&ep->addr, d);
    if (state == ERR_EXISTS && unlink(path) != 0) return explain(&ep->addr, errno, d);
    if (state != ERR_EXISTS && state != ERR_ABSENT) return state;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return explain(&ep->addr, errno, d);
    fds_opened(1);
    ep->fds[ep->n_fds++] = fd;
    if (bind(fd, &ep->addr.u.any, ep->addr.len) != 0) return explain(&ep->addr, errno, d);
    endpoint_own_file(ep);
    return listen(fd, SOMAXCONN) == 0 ? ERR_OK : explain(&ep->addr, errno, d);
}

static struct endpoint *make(const struct sock_addr *addr, unsigned n_workers, size_t room)
{
    CHECK(n_workers >= 1 && n_workers <= ENDPOINT_MAX_WORKERS);
    struct endpoint *ep = mem_zalloc(sizeof *ep + room * sizeof ep->fds[0]);
    if (!ep) return NULL;
    ep->magic = MAGIC;
    ep->n_workers = n_workers;
    ep->addr = *addr;
    token_init(&ep->token, n_workers);
    return ep;
}

enum err endpoint_open(const struct sock_addr *addr, unsigned n_workers, struct endpoint **out,
                       struct diag *d)
{
    struct endpoint *ep = make(addr, n_workers, n_workers);
    if (!ep) return diag_set(d, ERR_NOMEM, "No memory for a listening address.");
    enum err err = sock_addr_is_unix(addr) ? open_unix(ep, d) : open_tcp(ep, d);
    if (err != ERR_OK) {
        endpoint_close(&ep);
        return err;
    }
    ep->shared = ep->n_fds < n_workers;
    *out = ep;
    return ERR_OK;
}

enum err endpoint_probe(const struct sock_addr *addr, struct diag *d)
{
    if (!sock_addr_is_unix(addr)) return probe_tcp(addr, d);
    enum err state = look_at_path(addr, d);
    return state == ERR_ABSENT || state == ERR_EXISTS ? ERR_OK : state;
}

static bool get_flag(int fd, int level, int option)
{
    int on = 0;
    socklen_t len = sizeof on;
    return getsockopt(fd, level, option, &on, &len) == 0 && on;
}

/* What was inherited must be listening; others may share its flags, so they are set here. */
static enum err check_inherited(int fd, struct diag *d)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode) || !get_flag(fd, SOL_SOCKET, SO_ACCEPTCONN))
        return diag_set(d, ERR_SYNTAX, "The inherited descriptor %d is not a listening socket.",
                        fd);
    return ERR_OK;
}

/* True when sockets as we make them can be bound beside it. */
static bool can_be_joined(int fd)
{
    struct sock_addr addr;
    if (!sock_local(fd, &addr) || sock_addr_is_unix(&addr)) return false;
    bool v4 = addr.u.any.sa_family == AF_INET;
    return get_flag(fd, SOL_SOCKET, SO_REUSEPORT) &&
           (v4 || get_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY));
}

static void prepare_inherited(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    CHECK(flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    CHECK(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
    sock_set_nodelay(fd);
}

enum err endpoint_adopt(const int *fds, size_t n_fds, unsigned n_workers, struct endpoint **out,
                        struct diag *d)
{
    CHECK(n_fds > 0);
    bool reuse_port = true;
    for (size_t i = 0; i < n_fds; i++) {
        enum err err = check_inherited(fds[i], d);
        if (err != ERR_OK) return err;
        reuse_port = reuse_port && can_be_joined(fds[i]);
    }
    struct sock_addr addr;
    CHECK(sock_local(fds[0], &addr));
    struct endpoint *ep = make(&addr, n_workers, n_fds > n_workers ? n_fds : n_workers);
    if (!ep) return diag_set(d, ERR_NOMEM, "No memory for a listening address.");
    memcpy(ep->fds, fds, n_fds * sizeof *fds);
    ep->n_fds = n_fds;
    while (reuse_port && ep->n_fds < n_workers) {
        enum err err = add_tcp(ep, d);
        if (err == ERR_OK) continue;
        close_fds(ep->fds + n_fds, ep->n_fds - n_fds);
        ep->n_fds = 0; /* the inherited ones stay the caller's */
        endpoint_close(&ep);
        return err;
    }
    for (size_t i = 0; i < n_fds; i++) prepare_inherited(fds[i]);
    ep->shared = ep->n_fds < n_workers;
    *out = ep;
    return ERR_OK;
}

void endpoint_own_file(struct endpoint *ep)
{
    struct stat st;
    if (!sock_addr_is_unix(&ep->addr) || lstat(ep->addr.u.un.sun_path, &st) != 0) return;
    ep->owns_file = true;
    ep->file_dev = st.st_dev;
    ep->file_ino = st.st_ino;
}

bool endpoint_owns_file(const struct endpoint *ep)
{
    return ep->owns_file;
}

/* Whoever replaced the file meanwhile keeps it. */
static void remove_file(const struct endpoint *ep)
{
    struct stat st;
    const char *path = ep->addr.u.un.sun_path;
    if (ep->owns_file && lstat(path, &st) == 0 && st.st_dev == ep->file_dev &&
        st.st_ino == ep->file_ino)
        unlink(path);
}

void endpoint_close(struct endpoint **where)
{
    struct endpoint *ep = *where;
    if (!ep) return;
    CHECK_MAGIC(ep, MAGIC);
    *where = NULL;
    remove_file(ep); /* first: who connects from now on shall see that nobody is there */
    close_fds(ep->fds, ep->n_fds);
    token_fini(&ep->token);
    ep->magic = 0;
    mem_free(ep);
}

const struct sock_addr *endpoint_addr(const struct endpoint *ep)
{
    return &ep->addr;
}

const int *endpoint_fds(const struct endpoint *ep, size_t *n)
{
    *n = ep->n_fds;
    return ep->fds;
}

unsigned endpoint_workers(const struct endpoint *ep)
{
    return ep->n_workers;
}

struct token *endpoint_token(struct endpoint *ep)
{
    CHECK_MAGIC(ep, MAGIC);
    return ep->shared ? &ep->token : NULL;
}
