/* SPDX-License-Identifier: MIT
 *
 * server/config_field.c: checked values into the fields of struct config and struct app_settings,
 * back, and as text. The C type of each field is asserted in config_table.c.
 */
#include "server/config_value.h"
#include "store/store_url.h"

static void store_number(const struct option *opt, void *field, uint64_t number)
{
    switch (opt->type) {
    case OPTION_U64:
    case OPTION_CODE:
        *(uint64_t *)field = number;
        break;
    case OPTION_BOOL:
    case OPTION_CLIENT_EVENTS:
        *(bool *)field = number != 0;
        break;
    case OPTION_LOG_LEVEL:
        *(enum log_level *)field = (enum log_level)number;
        break;
    case OPTION_LOG_FORMAT:
        *(enum log_format *)field = (enum log_format)number;
        break;
    case OPTION_U32:
    case OPTION_PORT:
    case OPTION_WORKERS:
        *(uint32_t *)field = (uint32_t)number;
        break;
    case OPTION_HOST:
    case OPTION_PREFIX:
    case OPTION_KEY:
    case OPTION_STORE:
    case OPTION_SECRETS:
    case OPTION_ORIGINS:
    case OPTION_HOSTS:
    case OPTION_ADDRS:
    case OPTION_NETS:
        UNREACHABLE();
    }
}

void option_store(const struct option *opt, void *owner, const union option_value *value)
{
    void *field = (char *)owner + opt->offset;
    switch (opt->type) {
    case OPTION_HOST:
    case OPTION_PREFIX:
    case OPTION_KEY:
    case OPTION_STORE:
        *(struct span *)field = value->text;
        break;
    case OPTION_SECRETS:
    case OPTION_ORIGINS:
    case OPTION_HOSTS:
        *(struct span_list *)field = value->list;
        break;
    case OPTION_ADDRS:
        *(struct config_addrs *)field = value->addrs;
        break;
    case OPTION_NETS:
        *(struct config_nets *)field = value->nets;
        break;
    case OPTION_U32:
    case OPTION_U64:
    case OPTION_BOOL:
    case OPTION_PORT:
    case OPTION_WORKERS:
    case OPTION_CODE:
    case OPTION_LOG_LEVEL:
    case OPTION_LOG_FORMAT:
    case OPTION_CLIENT_EVENTS:
        store_number(opt, field, value->number);
        break;
    }
}

static uint64_t load_number(const struct option *opt, const void *field)
{
    switch (opt->type) {
    case OPTION_U64:
    case OPTION_CODE:
        return *(const uint64_t *)field;
    case OPTION_BOOL:
    case OPTION_CLIENT_EVENTS:
        return *(const bool *)field;
    case OPTION_LOG_LEVEL:
        return *(const enum log_level *)field;
    case OPTION_LOG_FORMAT:
        return *(const enum log_format *)field;
    case OPTION_U32:
    case OPTION_PORT:
    case OPTION_WORKERS:
        return *(const uint32_t *)field;
    case OPTION_HOST:
    case OPTION_PREFIX:
    case OPTION_KEY:
    case OPTION_STORE:
    case OPTION_SECRETS:
    case OPTION_ORIGINS:
    case OPTION_HOSTS:
    case OPTION_ADDRS:
    case OPTION_NETS:
        break;
    }
    UNREACHABLE();
}

void option_load(const struct option *opt, const void *owner, union option_value *out)
{
    const void *field = (const char *)owner + opt->offset;
    memset(out, 0, sizeof *out);
    switch (opt->type) {
    case OPTION_HOST:
    case OPTION_PREFIX:
    case OPTION_KEY:
    case OPTION_STORE:
        out->text = *(const struct span *)field;
        break;
    case OPTION_SECRETS:
    case OPTION_ORIGINS:
    case OPTION_HOSTS:
        out->list = *(const struct span_list *)field;
        break;
    case OPTION_ADDRS:
        out->addrs = *(const struct config_addrs *)field;
        break;
    case OPTION_NETS:
        out->nets = *(const struct config_nets *)field;
        break;
    case OPTION_U32:
    case OPTION_U64:
    case OPTION_BOOL:
    case OPTION_PORT:
    case OPTION_WORKERS:
    case OPTION_CODE:
    case OPTION_LOG_LEVEL:
    case OPTION_LOG_FORMAT:
    case OPTION_CLIENT_EVENTS:
        out->number = load_number(opt, field);
        break;
    }
}

static void print_word(const char *words, uint64_t index, struct buf *out)
{
    struct span rest = span_str(words), word;
    for (uint64_t i = 0; span_cut(&rest, '|', &word); i++)
        if (i == index) buf_add_span(out, word);
}

static void print_list(const struct span_list *list, const char *when_empty, struct buf *out)
{
    if (list->n == 0) buf_add_span(out, span_str(when_empty));
    for (size_t i = 0; i < list->n; i++) {
        if (i) buf_add_byte(out, ',');
        buf_add_span(out, list->items[i]);
    }
}

static void print_addrs(const struct config_addrs *addrs, struct buf *out)
{
    for (size_t i = 0; i < addrs->n; i++) {
        if (i) buf_add_byte(out, ',');
        buf_add_span(out, addrs->items[i].text);
    }
}

static void print_nets(const struct config_nets *nets, struct buf *out)
{
    if (nets->n == 0) BUF_ADD_LIT(out, "none");
    for (size_t i = 0; i < nets->n; i++) {
        if (i) buf_add_byte(out, ',');
        config_net_print(&nets->items[i], out);
    }
}

void option_print(const struct option *opt, const union option_value *value, struct buf *out)
{
    switch (opt->type) {
    case OPTION_HOST:
    case OPTION_PREFIX:
    case OPTION_KEY:
        buf_add_span(out, value->text);
        break;
    case OPTION_STORE:
        store_url_mask(value->text, out);
        break;
    case OPTION_SECRETS:
        buf_add_fmt(out, "(%zu hidden)", value->list.n);
        break;
    case OPTION_ORIGINS:
        print_list(&value->list, "*", out);
        break;
    case OPTION_HOSTS:
        print_list(&value->list, "", out);
        break;
    case OPTION_ADDRS:
        print_addrs(&value->addrs, out);
        break;
    case OPTION_NETS:
        print_nets(&value->nets, out);
        break;
    case OPTION_BOOL:
        buf_add_span(out, value->number ? SPAN("true") : SPAN("false"));
        break;
    case OPTION_LOG_LEVEL:
    case OPTION_LOG_FORMAT:
    case OPTION_CLIENT_EVENTS:
        print_word(opt->unit, value->number, out);
        break;
    case OPTION_U32:
    case OPTION_U64:
    case OPTION_PORT:
    case OPTION_WORKERS:
    case OPTION_CODE:
        buf_add_u64(out, value->number);
        break;
    }
}

bool option_value_eq(const struct option *opt, const union option_value *a,
                     const union option_value *b)
{
    if (opt->type == OPTION_STORE) return span_eq(a->text, b->text);
    if (opt->type == OPTION_SECRETS) {
        bool same = a->list.n == b->list.n;
        for (size_t i = 0; same && i < a->list.n; i++)
            same = span_eq(a->list.items[i], b->list.items[i]);
        return same;
    }
    struct buf x = { 0 }, y = { 0 };
    option_print(opt, a, &x);
    option_print(opt, b, &y);
    bool same = !buf_failed(&x) && !buf_failed(&y) && span_eq(buf_span(&x), buf_span(&y));
    buf_fini(&x);
    buf_fini(&y);
    return same;
}
