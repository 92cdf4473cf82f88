/* SPDX-License-Identifier: MIT
 * watch/base64url.c: the usual base64 with two other characters. */
#include "watch/base64url.h"
#include "base/hash.h"

bool base64url_decode(struct span text, struct buf *out)
{
    struct buf std = { 0 };
    size_t n = 0;
    buf_add_span(&std, text);
    while (std.n % 4) buf_add_byte(&std, '=');
    for (size_t i = 0; !buf_failed(&std) && i < std.n; i++) {
        if (std.p[i] == '-') std.p[i] = '+';
        if (std.p[i] == '_') std.p[i] = '/';
    }
    char *room = buf_failed(&std) ? NULL : buf_room(out, std.n + 1);
    bool ok = room && base64_decode(buf_span(&std), (uint8_t *)room, &n);
    if (ok) buf_grew(out, n);
    buf_fini(&std);
    return ok;
}

void base64url_encode(struct span data, struct buf *out)
{
    char *room = buf_room(out, 4 * ((data.n + 2) / 3) + 1);
    if (!room) return;
    size_t n = base64_encode(data, room);
    while (n > 0 && room[n - 1] == '=') n--;
    for (size_t i = 0; i < n; i++) {
        if (room[i] == '+') room[i] = '-';
        if (room[i] == '/') room[i] = '_';
    }
    buf_grew(out, n);
}
