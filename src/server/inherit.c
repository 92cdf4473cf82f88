/* SPDX-License-Identifier: MIT
 * server/inherit.c: see inherit.h. */
#include "server/inherit.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/endpoint.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SYSTEMD_FIRST 3   /* sd_listen_fds(3): the descriptors begin here */
#define SYSTEMD_MAX 16640 /* 65 listeners of 256 workers */
#define GIVEN_MARK '!'    /* before the name of a listener that somebody else made */

/* --- names --- */

static bool is_plain(char c)
{
    return c != ',' && c != '%' && (unsigned char)c > ' ';
}

void inherit_name(struct buf *out, bool admin, struct span addr_text, unsigned number)
{
    buf_add_fmt(out, "%s@", admin ? "admin" : "listen");
    for (size_t i = 0; i < addr_text.n; i++) {
        char c = addr_text.p[i];
        if (is_plain(c))
            buf_add_byte(out, c);
        else
            buf_add_fmt(out, "%%%02X", (unsigned char)c);
    }
    if (number > 0) buf_add_fmt(out, "#%u", number);
}

/* --- reading --- */

static enum err grow(struct inherited *in, size_t n)
{
    struct inherited_fd *fds = mem_realloc(in->fds, n * sizeof *fds);
    if (!fds) return ERR_NOMEM;
    in->fds = fds;
    return ERR_OK;
}

/* FD:NAME */
static bool read_one(struct span item, struct inherited_fd *out)
{
    struct span number;
    uint64_t fd;
    if (!span_cut(&item, ':', &number) || !item.p || item.n == 0) return false;
    if (!span_to_u64(number, &fd) || fd > INT32_MAX) return false;
    *out = (struct inherited_fd) { .fd = (int)fd, .given = item.p[0] == GIVEN_MARK, .name = item };
    if (out->given) out->name = span_skip(item, 1);
    return true;
}

static enum err read_ours(struct inherited *in, struct diag *d)
{
    const char *text = getenv(INHERIT_LISTENERS);
    if (!text || !*text) return ERR_OK;
    size_t len = strlen(text), n = 1;
    for (size_t i = 0; i < len; i++) n += text[i] == ',';
    in->_text = mem_alloc(len + 1);
    if (!in->_text || grow(in, n)) return ERR_NOMEM;
    memcpy(in->_text, text, len + 1);
    struct span rest = span_of(in->_text, len), item;
    while (rest.p && span_cut(&rest, ',', &item)) {
        if (!read_one(item, &in->fds[in->n]))
            return diag_set(d, ERR_CONFIG,
                            "the variable " INHERIT_LISTENERS " is not what a restart in place "
                            "passes on: remove it from the environment");
        in->n++;
    }
    return ERR_OK;
}

static uint64_t number_of(const char *variable)
{
    uint64_t n = 0;
    const char *text = getenv(variable);
    return text && span_to_u64(span_str(text), &n) ? n : 0;
}

/* sd_listen_fds(3): the variables count for the process that they name only. */
static enum err read_systemd(struct inherited *in)
{
    uint64_t n = number_of("LISTEN_FDS");
    if (number_of("LISTEN_PID") != (uint64_t)getpid() || n == 0 || n > SYSTEMD_MAX) return ERR_OK;
    if (grow(in, in->n + n)) return ERR_NOMEM;
    for (uint64_t i = 0; i < n; i++) {
        int fd = SYSTEMD_FIRST + (int)i;
        if (fcntl(fd, F_GETFD) < 0) continue;
        in->fds[in->n++] = (struct inherited_fd) { .fd = fd, .given = true, .name = { "", 0 } };
    }
    return ERR_OK;
}

static void keep_from_children(const struct inherited *in)
{
    for (size_t i = 0; i < in->n; i++) {
        int flags = fcntl(in->fds[i].fd, F_GETFD);
        if (flags >= 0) (void)fcntl(in->fds[i].fd, F_SETFD, flags | FD_CLOEXEC);
    }
}

enum err inherit_read(struct inherited *in, struct diag *d)
{
    static const char *const variables[] = { INHERIT_LISTENERS, INHERIT_GENERATION, "LISTEN_FDS",
                                             "LISTEN_PID", "LISTEN_FDNAMES" };
    *in = (struct inherited) { .generation = 1 };
    uint64_t generation = number_of(INHERIT_GENERATION);
    if (generation > 1 && generation <= UINT32_MAX) in->generation = (unsigned)generation;
    enum err err = read_ours(in, d);
    if (!err) err = read_systemd(in);
    if (err == ERR_NOMEM) diag_set(d, err, "no memory for the inherited listeners");
    if (!err) keep_from_children(in);
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) unsetenv(variables[i]);
    return err;
}

/* --- matching --- */

static bool fits(const struct inherited_fd *f, struct span name, const struct sock_addr *addr)
{
    if (f->taken) return false;
    if (f->name.n) return span_eq(f->name, name);
    char here[SOCK_ADDR_TEXT_MAX], wanted[SOCK_ADDR_TEXT_MAX];
    struct sock_addr local;
    return sock_local(f->fd, &local) &&
           span_eq(sock_addr_text(&local, here), sock_addr_text(addr, wanted));
}

bool inherit_has(const struct inherited *in, struct span name, const struct sock_addr *addr)
{
    for (size_t i = 0; i < in->n; i++)
        if (fits(&in->fds[i], name, addr)) return true;
    return false;
}

size_t inherit_take(struct inherited *in, struct span name, const struct sock_addr *addr, int *fds,
                    bool *given)
{
    size_t n = 0;
    for (size_t i = 0; i < in->n; i++) {
        if (!fits(&in->fds[i], name, addr)) continue;
        in->fds[i].taken = true;
        *given = in->fds[i].given;
        fds[n++] = in->fds[i].fd;
    }
    return n;
}

void inherit_close_rest(struct inherited *in)
{
    for (size_t i = 0; i < in->n; i++) {
        struct inherited_fd *f = &in->fds[i];
        struct sock_addr local;
        char text[SOCK_ADDR_TEXT_MAX];
        if (f->taken || !sock_local(f->fd, &local)) continue;
        log_warn("server", "inherited listener closed",
                 kv_span("address", sock_addr_text(&local, text)),
                 kv_str("why", "it is in no option listen or admin.listen"));
        f->taken = true;
        sock_close(f->fd);
        if (!f->given) endpoint_remove_dead_file(&local);
    }
}

void inherit_fini(struct inherited *in)
{
    mem_free(in->fds);
    mem_free(in->_text);
    *in = (struct inherited) { .generation = in->generation };
}
