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

bool field_is_token(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!chars[(uint8_t)s.p[i]]) return false;
    return s.n > 0;
}

bool field_list_has(struct span list, struct span token)
{
    struct span part;
    while (span_cut(&list, ',', &part))
        if (span_eq_nocase(span_trim(part), token)) return true;
    return false;
}
