/* SPDX-License-Identifier: MIT
 *
 * server/config_globals.c: the global slots -> fields, and what host, port and listen mean
 * together.
 *
 * host and port are the short way to say where the one main listener is. They change the listener
 * that a source of lower rank (or the default) describes; beside a `listen` of their own rank they
 * must say the same.
 */
#include "server/config_draft.h"

static enum err set_default(struct draft *d, const struct option *opt, union option_value *out)
{
    CHECK(d);
    struct buf why = { 0 };
    struct span text = span_str(opt->dflt);
    enum err err =
        option_parse(opt, (struct option_given) { &text, 1, false }, d->arena, out, &why);
    CHECK(err != ERR_RANGE); /* the table's own defaults are in range */
    buf_fini(&why);
    return err;
}

enum err config_fill(struct draft *d, const struct option *opt,
                     const struct draft_slot *const *slots, void *owner, struct span *from)
{
    union option_value value;
    *from = span_of("", 0);
    for (; *slots; slots++) {
        if ((*slots)->rank == RANK_UNSET) continue;
        option_store(opt, owner, &(*slots)->value);
        *from = (*slots)->where;
        return ERR_OK;
    }
    if (!opt->dflt) return ERR_ABSENT;
    enum err err = set_default(d, opt, &value);
    if (!err) option_store(opt, owner, &value);
    return err;
}

static const struct draft_slot *slot_of(const struct draft *d, const char *name)
{
    const struct option *opt = option_find_global(span_str(name));
    CHECK(opt);
    return &d->global[option_index(opt)];
}

static enum err refuse_both(struct draft *d, const struct draft_slot *one)
{
    const struct draft_slot *listen = slot_of(d, "listen");
    return diag_set(d->diag, ERR_CONFIG,
                    "%.*s and %.*s say different things about where to listen; remove one of them",
                    SPAN_FMT(one->where), SPAN_FMT(listen->where));
}

/* Applies host or port to the main listener. */
static enum err apply(struct draft *d, struct config *cfg, const struct draft_slot *slot,
                      bool is_port)
{
    const struct draft_slot *listen = slot_of(d, "listen");
    struct config_addr *main = &cfg->listen.items[0];
    if (slot->rank == RANK_UNSET || slot->rank < listen->rank) return ERR_OK;
    if (!is_port && !slot->value.text.n) return ERR_OK;
    bool tcp = main->kind == CONFIG_ADDR_TCP;
    bool same =
        tcp && (is_port ? main->port == slot->value.number : span_eq(main->host, slot->value.text));
    if (same) return ERR_OK;
    if (slot->rank == listen->rank) return refuse_both(d, slot);
    if (!tcp || cfg->listen.n > 1)
        return diag_set(d->diag, ERR_CONFIG,
                        "%.*s sets the one main listener, but %.*s names other ones; change that "
                        "instead",
                        SPAN_FMT(slot->where), SPAN_FMT(listen->where));
    if (is_port)
        main->port = (uint16_t)slot->value.number;
    else
        main->host = slot->value.text;
    cfg->_from[option_index(option_find_global(SPAN("listen")))] = slot->where;
    return ERR_OK;
}

static enum err make_listen(struct draft *d, struct config *cfg)
{
    enum err err = apply(d, cfg, slot_of(d, "host"), false);
    if (!err) err = apply(d, cfg, slot_of(d, "port"), true);
    struct config_addr *main = &cfg->listen.items[0];
    if (err || main->kind != CONFIG_ADDR_TCP) return err;
    struct buf text = { 0 };
    config_addr_print(main->host, main->port, &text);
    bool ok = !buf_failed(&text) && config_arena_copy(d->arena, buf_span(&text), &main->text);
    buf_fini(&text);
    cfg->host = main->host;
    cfg->port = main->port;
    return ok ? ERR_OK : ERR_NOMEM;
}

enum err config_make_globals(struct draft *d, struct config *cfg)
{
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) {
        const struct draft_slot *slots[] = { &d->global[i], NULL };
        enum err err = config_fill(d, &option_globals[i], slots, cfg, &cfg->_from[i]);
        if (err) return err;
    }
    return make_listen(d, cfg);
}
