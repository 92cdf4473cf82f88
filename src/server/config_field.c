/* SPDX-License-Identifier: MIT
 *
 * server/config_field.c: checked values into the fields of struct config and struct app_settings,
 * back, and as text. The C type of each field is asserted in config_table.c.
 */
#include "server/config_value.h"
#include "store/store_url.h"

void option_store(const struct option *opt, void *owner, const union option_value *value)
{
    void *field = (char *)owner + opt->offset;
    switch (option_held(opt->type)) {
    case HELD_U32:
        *(uint32_t *)field = (uint32_t)value->number;
        break;
    case HELD_U64:
        *(uint64_t *)field = value->number;
        break;
    case HELD_BOOL:
        *(bool *)field = value->number != 0;
        break;
    case HELD_LOG_LEVEL:
        *(enum log_level *)field = (enum log_level)value->number;
        break;
    case HELD_LOG_FORMAT:
        *(enum log_format *)field = (enum log_format)value->number;
        break;
    case HELD_METRICS_NAMES:
        *(enum metrics_names *)field = (enum metrics_names)value->number;
        break;
    case HELD_TEXT:
        *(struct span *)field = value->text;
        break;
    case HELD_TEXTS:
        *(struct span_list *)field = value->list;
        break;
    case HELD_ADDRS:
        *(struct config_addrs *)field = value->addrs;
        break;
    case HELD_NETS:
        *(struct config_nets *)field = value->nets;
        break;
    }
}

void option_load(const struct option *opt, const void *owner, union option_value *out)
{
    const void *field = (const char *)owner + opt->offset;
    memset(out, 0, sizeof *out);
    switch (option_held(opt->type)) {
    case HELD_U32:
        out->number = *(const uint32_t *)field;
        break;
    case HELD_U64:
        out->number = *(const uint64_t *)field;
        break;
    case HELD_BOOL:
        out->number = *(const bool *)field;
        break;
    case HELD_LOG_LEVEL:
        out->number = *(const enum log_level *)field;
        break;
    case HELD_LOG_FORMAT:
        out->number = *(const enum log_format *)field;
        break;
    case HELD_METRICS_NAMES:
        out->number = *(const enum metrics_names *)field;
        break;
    case HELD_TEXT:
        out->text = *(const struct span *)field;
        break;
    case HELD_TEXTS:
        out->list = *(const struct span_list *)field;
        break;
    case HELD_ADDRS:
        out->addrs = *(const struct config_addrs *)field;
        break;
    case HELD_NETS:
        out->nets = *(const struct config_nets *)field;
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

static void print_text(const struct option *opt, struct span text, struct buf *out)
{
    if (opt->type == OPTION_STORE)
        store_url_mask(text, out);
    else if (opt->type == OPTION_PASSWORD_HASH && text.n)
        BUF_ADD_LIT(out, "(hidden)");
    else
        buf_add_span(out, text);
}

static void print_texts(const struct option *opt, const struct span_list *list, struct buf *out)
{
    if (opt->type == OPTION_SECRETS)
        buf_add_fmt(out, "(%zu hidden)", list->n);
    else
        print_list(list, opt->type == OPTION_ORIGINS ? "*" : "", out);
}

void option_print(const struct option *opt, const union option_value *value, struct buf *out)
{
    switch (option_held(opt->type)) {
    case HELD_U32:
    case HELD_U64:
        buf_add_u64(out, value->number);
        break;
    case HELD_BOOL:
        print_word(opt->type == OPTION_BOOL ? "false|true" : opt->unit, value->number, out);
        break;
    case HELD_LOG_LEVEL:
    case HELD_LOG_FORMAT:
    case HELD_METRICS_NAMES:
        print_word(opt->unit, value->number, out);
        break;
    case HELD_TEXT:
        print_text(opt, value->text, out);
        break;
    case HELD_TEXTS:
        print_texts(opt, &value->list, out);
        break;
    case HELD_ADDRS:
        print_addrs(&value->addrs, out);
        break;
    case HELD_NETS:
        print_nets(&value->nets, out);
        break;
    }
}

bool option_value_eq(const struct option *opt, const union option_value *a,
                     const union option_value *b)
{
    if (opt->type == OPTION_STORE || opt->type == OPTION_PASSWORD_HASH)
        return span_eq(a->text, b->text);
    if (opt->type == OPTION_SECRETS) return span_list_eq(a->list, b->list);
    struct buf x = { 0 }, y = { 0 };
    option_print(opt, a, &x);
    option_print(opt, b, &y);
    bool same = !buf_failed(&x) && !buf_failed(&y) && span_eq(buf_span(&x), buf_span(&y));
    buf_fini(&x);
    buf_fini(&y);
    return same;
}
