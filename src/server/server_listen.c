/* SPDX-License-Identifier: MIT
 *
 * server/server_listen.c: the listeners of a server: those that were passed on by name or address,
 * and new ones for the rest.
 */
#include "base/mem.h"
#include "server/server_priv.h"

/* One configured address. */
struct place {
    bool admin;
    unsigned number; /* how many before it have the same text */
    const struct config_addr *at;
};

static size_t count_places(const struct config *cfg)
{
    return cfg->listen.n + 1;
}

/* Says which option is to be changed. */
static enum err blame(const struct place *p, enum err err, struct diag *d)
{
    struct diag said = *d;
    if (!err || !said.text[0]) return err;
    return diag_set(d, err, "%s: %s", p->admin ? "admin.listen" : "listen", said.text);
}

/* The admin listener is the last one. */
static struct place place_of(const struct config *cfg, size_t i)
{
    if (i == cfg->listen.n)
        return (struct place) { .admin = true, .at = &cfg->admin.listen.items[0] };
    struct place p = { .at = &cfg->listen.items[i] };
    for (size_t k = 0; k < i; k++) p.number += span_eq(cfg->listen.items[k].text, p.at->text);
    return p;
}

/* Where descriptors were passed on for this listener, it is made of them: `*out` is set then. */
static enum err adopt(struct server *s, struct span name, const struct sock_addr *addr,
                      unsigned n_workers, struct diag *d)
{
    struct inherited *in = s->origin.inherited;
    struct buf *kept = &s->endpoint_names[s->n_endpoints];
    bool given = false;
    int *fds = in && in->n ? mem_alloc(in->n * sizeof *fds) : NULL;
    size_t n = fds ? inherit_take(in, name, addr, fds, &given) : 0;
    enum err err = n ? endpoint_adopt(fds, n, n_workers, &s->endpoints[s->n_endpoints], d)
                     : endpoint_open(addr, n_workers, &s->endpoints[s->n_endpoints], d);
    mem_free(fds);
    if (err) return err;
    struct endpoint *ep = s->endpoints[s->n_endpoints++];
    if (n && !given) endpoint_own_file(ep);
    if (given) buf_add_byte(kept, '!');
    buf_add_span(kept, name);
    return buf_failed(kept) ? ERR_NOMEM : ERR_OK;
}

static enum err open_place(struct server *s, const struct place *p, struct diag *d)
{
    struct sock_addr addr;
    struct buf name = { 0 };
    inherit_name(&name, p->admin, p->at->text, p->number);
    enum err err = buf_failed(&name) ? ERR_NOMEM : endpoint_parse(p->at->text, &addr, d);
    if (!err) err = adopt(s, buf_span(&name), &addr, p->admin ? 1 : s->n_workers, d);
    buf_fini(&name);
    return blame(p, err, d);
}

static void name_listeners(struct server *s)
{
    char text[SOCK_ADDR_TEXT_MAX];
    for (size_t i = 0; i + 1 < s->n_endpoints; i++) {
        if (i > 0) buf_add_byte(&s->listen_text, ',');
        buf_add_span(&s->listen_text, sock_addr_text(endpoint_addr(s->endpoints[i]), text));
    }
    buf_add_byte(&s->listen_text, '\0');
    const struct sock_addr *first = endpoint_addr(s->endpoints[0]);
    if (sock_addr_is_unix(first))
        sock_addr_text(first, s->host);
    else
        sock_addr_host(first, s->host);
    sock_addr_text(endpoint_addr(s->endpoints[s->n_endpoints - 1]), s->admin);
}

enum err server_open_listeners(struct server *s, struct diag *d)
{
    for (size_t i = 0; i < count_places(s->cfg); i++) {
        struct place p = place_of(s->cfg, i);
        enum err err = open_place(s, &p, d);
        if (err) return err;
    }
    if (s->origin.inherited) inherit_close_rest(s->origin.inherited);
    name_listeners(s);
    return ERR_OK;
}

void server_close_listeners(struct server *s)
{
    for (size_t i = 0; i < s->n_endpoints; i++) {
        endpoint_close(&s->endpoints[i]);
        buf_fini(&s->endpoint_names[i]);
    }
    s->n_endpoints = 0;
    buf_fini(&s->listen_text);
}

static enum err check_place(const struct place *p, const struct inherited *inherited,
                            struct diag *d)
{
    struct sock_addr addr;
    struct buf name = { 0 };
    inherit_name(&name, p->admin, p->at->text, p->number);
    enum err err = buf_failed(&name) ? ERR_NOMEM : endpoint_parse(p->at->text, &addr, d);
    if (!err && !inherit_has(inherited, buf_span(&name), &addr)) err = endpoint_probe(&addr, d);
    buf_fini(&name);
    return blame(p, err, d);
}

enum err server_check(const struct config *cfg, const struct inherited *inherited, struct diag *d)
{
    for (size_t i = 0; i < count_places(cfg); i++) {
        struct place p = place_of(cfg, i);
        enum err err = check_place(&p, inherited, d);
        if (err) return err;
    }
    return ERR_OK;
}
