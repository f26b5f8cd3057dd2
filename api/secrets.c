/* SPDX-License-Identifier: Apache-2.0 */
#include "api/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"

static const char *context_of(struct xpl_arena *arena, const char *table, const char *id, const char *member)
{
    return xpl_arena_printf(arena, "%s/%s/%s", table, id, member);
}

enum xpl_status xpl_secret_seal(const struct xpl_app *app, struct xpl_arena *arena, json_t *object, const char *member,
                                const char *table, const char *id, struct xpl_error *err)
{
    const json_t *plain = json_object_get(object, member);
    const char *context = context_of(arena, table, id, member);
    char secret_id[XPL_UUID_SIZE], *text, *sealed_text = NULL;
    uint8_t *sealed = NULL;
    size_t length = 0;

    if (!plain)
        return XPL_OK;
    text = json_dumps(plain, JSON_COMPACT);
    if (text && context)
        sealed = xpl_seal(arena, app->secrets_key, context, text, strlen(text), &length);
    free(text);
    if (sealed)
        sealed_text = xpl_base64(arena, sealed, length);
    if (!sealed_text ||
        json_object_set_new(object, member,
                            json_pack("{s:s, s:s}", "secret_id", xpl_uuid(secret_id), "sealed", sealed_text)))
        return xpl_no_memory(err);
    return XPL_OK;
}

enum xpl_status xpl_secret_unseal(const struct xpl_app *app, struct xpl_arena *arena, json_t *object,
                                  const char *member, const char *table, const char *id, struct xpl_error *err)
{
    const char *sealed = json_string_value(json_object_get(json_object_get(object, member), "sealed"));
    const char *context = context_of(arena, table, id, member);
    size_t length = 0, plain_length = 0;
    json_t *plain = NULL;
    uint8_t *bytes;
    char *text;

    if (!sealed)
        return XPL_OK;
    bytes = xpl_base64_decode(arena, sealed, &length);
    text = bytes && context ? xpl_unseal(arena, app->secrets_key, context, bytes, length, &plain_length) : NULL;
    if (text)
        plain = json_loadb(text, plain_length, 0, NULL);
    if (!plain)
        return xpl_fail(err, XPL_STORAGE_FAILED, "the stored %s cannot be decrypted with this data directory's key",
                        member);
    return json_object_set_new(object, member, plain) ? xpl_no_memory(err) : XPL_OK;
}

void xpl_secret_hide(json_t *object, const char *member)
{
    json_object_del(json_object_get(object, member), "sealed");
}
