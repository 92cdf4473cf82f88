/* SPDX-License-Identifier: MIT
 *
 * pusher/user_object.c: reads channel_data and user_data.
 *
 * Called only with text whose signature was found right, so a failure here is a mistake of the
 * application's back end, and the words say what to mend there.
 */
#include "pusher/user_object.h"
#include "base/utf8.h"

/* False where the value cannot be an id. */
static bool read_id(struct json_val val, struct buf *scratch, struct span *id)
{
    if (val.type == JSON_NUMBER) {
        *id = val.raw;
        return true;
    }
    if (val.type != JSON_STRING) return false;
    *id = json_text(val, scratch);
    return id->n > 0 && utf8_valid(*id);
}

const char *user_object_read(struct span text, const char *id_name, struct buf *scratch,
                             struct user_object *user)
{
    struct json_val root;
    struct json_field fields[] = { { .name = id_name },
                                   { .name = "user_info" },
                                   { .name = "watchlist" } };
    *user = (struct user_object) { 0 };
    if (!json_check(text, EVENT_MAX_DEPTH, &root, NULL)) return "it is not JSON";
    if (root.type != JSON_OBJECT) return "it is not a JSON object";
    if (json_fields(root, fields, ARRAY_LEN(fields))) return "a member stands there twice";
    struct json_val id = fields[0].val;
    if (!read_id(id, scratch, &user->member.id)) {
        user->no_id = true;
        return "the id must be a non-empty string or a number";
    }
    user->member.id_raw = id.raw;
    user->member.info_raw = fields[1].val.raw;
    user->watchlist = fields[2].val;
    return NULL;
}
