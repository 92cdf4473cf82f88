/* SPDX-License-Identifier: MIT
 *
 * net/holder.c: from an address to the socket's inode, from the inode to a process.
 *
 * Slow (it looks at every descriptor of every process), and only used when start-up fails anyway.
 */
#include "net/holder.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <unistd.h>

#define STATE_LISTEN 0x0A

struct entry {
    struct in6_addr v6; /* of tcp6 */
    struct in_addr v4;  /* of tcp */
    unsigned port, state, uid;
    unsigned long inode;
};

/* A line of /proc/net/tcp[6]; addresses are printed as words in memory order. */
static bool parse_line(const char *line, struct entry *e)
{
    char hex[33];
    *e = (struct entry) { 0 };
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, which fit */
    int n = sscanf(line, " %*u: %32[0-9A-F]:%x %*32[0-9A-F]:%*x %x %*s %*s %*s %u %*u %lu", hex,
                   &e->port, &e->state, &e->uid, &e->inode);
    if (n != 5) return false;
    size_t words = strlen(hex) / 8;
    for (size_t i = 0; i < words && i < 4; i++) {
        char word[9] = "";
        memcpy(word, hex + 8 * i, 8);
        uint32_t value = (uint32_t)strtoul(word, NULL, 16);
        memcpy(&e->v6.s6_addr[4 * i], &value, 4);
        if (words == 1) e->v4.s_addr = value;
    }
    return true;
}

/* An IPv6 address `mine` and a listener of /proc/net/tcp6. */
static bool overlaps_v6(const struct in6_addr *mine, const struct entry *e)
{
    return IN6_IS_ADDR_UNSPECIFIED(mine) || IN6_IS_ADDR_UNSPECIFIED(&e->v6) ||
           IN6_ARE_ADDR_EQUAL(mine, &e->v6);
}

/* An IPv4 address and a listener of either table: IPv6 ones may take IPv4, too. */
static bool overlaps_v4(in_addr_t mine, const struct entry *e, bool table6)
{
    if (!table6) return mine == 0 || e->v4.s_addr == 0 || mine == e->v4.s_addr;
    if (IN6_IS_ADDR_UNSPECIFIED(&e->v6)) return true;
    return IN6_IS_ADDR_V4MAPPED(&e->v6) && (mine == 0 || memcmp(&e->v6.s6_addr[12], &mine, 4) == 0);
}

/* True when the listener is in the way of `addr`. */
static bool overlaps(const struct sock_addr *addr, const struct entry *e, bool table6)
{
    if (e->state != STATE_LISTEN || e->port != sock_addr_port(addr)) return false;
    if (addr->u.any.sa_family == AF_INET) return overlaps_v4(addr->u.v4.sin_addr.s_addr, e, table6);
    return table6 && overlaps_v6(&addr->u.v6.sin6_addr, e);
}

static bool find_socket(const struct sock_addr *addr, const char *table, struct entry *found)
{
    FILE *f = fopen(table, "re");
    if (!f) return false;
    char line[256];
    bool hit = false;
    while (!hit && fgets(line, sizeof line, f))
        hit = parse_line(line, found) && overlaps(addr, found, strchr(table, '6') != NULL);
    fclose(f);
    return hit;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char path[64], want[64], target[64];
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    size_t want_len = (size_t)snprintf(want, sizeof want, "socket:[%lu]", inode);
    DIR *dir = opendir(path);
    if (!dir) return false;
    bool hit = false;
    for (const struct dirent *e = readdir(dir); e && !hit; e = readdir(dir)) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof target);
        hit = n > 0 && span_eq(span_of(target, (size_t)n), span_of(want, want_len));
    }
    closedir(dir);
    return hit;
}

/* The process that has the socket; 0: none that we may look into. */
static pid_t find_process(unsigned long inode)
{
    DIR *dir = opendir("/proc");
    if (!dir) return 0;
    uint64_t pid = 0;
    for (const struct dirent *e = readdir(dir); e && !pid; e = readdir(dir))
        if (isdigit((unsigned char)e->d_name[0]) && has_socket(e->d_name, inode))
            span_to_u64(span_str(e->d_name), &pid);
    closedir(dir);
    return (pid_t)pid;
}

void holder_of_pid(pid_t pid, char *text, size_t room)
{
    if (pid == getpid()) {
        snprintf(text, room, "this very process (pid %d)", (int)pid);
        return;
    }
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *f = fopen(path, "re");
    if (f) {
        if (!fgets(name, sizeof name, f)) name[0] = '\0';
        fclose(f);
    }
    name[strcspn(name, "\n")] = '\0';
    for (char *c = name; *c; c++)
        if (!isprint((unsigned char)*c)) *c = '?'; /* a process chooses its own name */
    snprintf(text, room, "%s (pid %d)", name[0] ? name : "a process", (int)pid);
}

bool holder_of_tcp(const struct sock_addr *addr, char *text, size_t room)
{
    struct entry e;
    text[0] = '\0';
    if (!find_socket(addr, "/proc/net/tcp", &e) && !find_socket(addr, "/proc/net/tcp6", &e))
        return false;
    pid_t pid = find_process(e.inode);
    if (pid)
        holder_of_pid(pid, text, room);
    else
        snprintf(text, room, "a process that we may not look at (uid %u)", e.uid);
    return true;
}
