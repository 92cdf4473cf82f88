/* SPDX-License-Identifier: MIT
 *
 * base/utf8.c: UTF-8 by the table of RFC 3629 section 4 (the same as Unicode table 3-7).
 *
 * The first octet fixes how many follow and what range the second may have; later ones are
 * 80..BF. So overlong forms, surrogates and code points above U+10FFFF fail at their first or
 * second octet and no code point is ever computed. ASCII runs go eight octets at a time.
 */
#include "base/utf8.h"
#include "base/swar.h"

/* What may follow a first octet outside ASCII; false when it cannot be one. */
static bool lead(uint8_t c, struct utf8 *next)
{
    uint8_t need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    *next = (struct utf8) { ._need = need, ._lo = 0x80, ._hi = 0xbf };
    if (c < 0xc2 || c > 0xf4) return false;
    if (c == 0xe0) next->_lo = 0xa0; /* below: overlong */
    if (c == 0xed) next->_hi = 0x9f; /* above: surrogates */
    if (c == 0xf0) next->_lo = 0x90; /* below: overlong */
    if (c == 0xf4) next->_hi = 0x8f; /* above: beyond U+10FFFF */
    return true;
}

static bool step(struct utf8 *u, uint8_t c)
{
    if (u->_need == 0) {
        if (c < 0x80) return true;
        return lead(c, u);
    }
    if (c < u->_lo || c > u->_hi) return false;
    u->_need--;
    u->_lo = 0x80;
    u->_hi = 0xbf;
    return true;
}

bool utf8_feed(struct utf8 *u, const void *p, size_t n)
{
    const uint8_t *at = p;
    while (n) {
        if (u->_need == 0 && n >= 8 && !swar_high(swar_load(at))) {
            at += 8;
            n -= 8;
            continue;
        }
        if (!step(u, *at)) return false;
        at++;
        n--;
    }
    return true;
}

bool utf8_valid(struct span s)
{
    struct utf8 u = { 0 };
    return utf8_feed(&u, s.p, s.n) && utf8_complete(&u);
}

size_t utf8_char(const char *p, size_t n)
{
    const uint8_t *at = (const uint8_t *)p;
    struct utf8 u = { 0 };
    size_t used = 0;
    do {
        if (used == n || !step(&u, at[used])) return 0;
        used++;
    } while (u._need);
    return used;
}
