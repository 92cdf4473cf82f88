/* SPDX-License-Identifier: MIT
 *
 * base/field.c: tokens and lists of them.
 */
#include "base/field.h"

static const bool chars[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,  ['#'] = true,
    ['$'] = true,         ['%'] = true,         ['&'] = true,         ['\''] = true, ['*'] = true,
    ['+'] = true,         ['-'] = true,         ['.'] = true,         ['^'] = true,  ['_'] = true,
    ['`'] = true,         ['|'] = true,         ['~'] = true,
};

size_t field_token_len(struct span s)
{
    size_t n = 0;
    while (n < s.n && chars[(uint8_t)s.p[n]]) n++;
    return n;
}

bool field_is_token(struct span s)
{
    return s.n > 0 && field_token_len(s) == s.n;
}

bool field_list_has(struct span list, struct span token)
{
    struct span part;
    while (span_cut(&list, ',', &part))
        if (span_eq_nocase(span_trim(part), token)) return true;
    return false;
}

bool field_list_next(struct span *list, struct span *value, struct span *params)
{
    if (!list->p || !span_cut(list, ',', params)) return false;
    span_cut(params, ';', value);
    *value = span_trim(*value);
    return true;
}
