/* SPDX-License-Identifier: Apache-2.0 */
#include "api/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/json_patch.h"
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

    if (!plain || json_is_null(plain)) {
        json_object_del(object, member);
        return XPL_OK;
    }
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

/* ---- credentials and the server they are for ---- */

/* The member at a pointer without escapes. */
static const json_t *at_pointer(const json_t *json, const char *pointer)
{
    char name[64];

    while (json && *pointer == '/') {
        size_t length = strcspn(++pointer, "/");

        if (length >= sizeof name)
            return NULL;
        memcpy(name, pointer, length);
        name[length] = '\0';
        json = json_object_get(json, name);
        pointer += length;
    }
    return json;
}

/* Whether there is anything to keep: an address alone is no secret. */
static bool has_secret(const json_t *credentials)
{
    return json_object_size(credentials) > (json_object_get(credentials, "url") ? 1u : 0u);
}

/* Whether an operation writes the credentials, and not their address alone. What removes them sends nothing. */
static bool sends(const json_t *operation, const char *secret, const char *url)
{
    const char *op = json_string_value(json_object_get(operation, "op"));
    const char *path = json_string_value(json_object_get(operation, "path"));

    if (!op || !path || strcmp(op, "remove") == 0)
        return false;
    return xpl_pointer_within(secret, path) || (xpl_pointer_within(path, secret) && strcmp(path, url) != 0);
}

enum xpl_status xpl_secret_check_moved(const json_t *before, const json_t *after, const json_t *patch,
                                       const char *secret, const char *url, struct xpl_error *err)
{
    const char *old_url = json_string_value(at_pointer(before, url));
    const char *new_url = json_string_value(at_pointer(after, url));
    const json_t *operation;
    size_t index;

    if (!new_url || !has_secret(at_pointer(before, secret)) || !has_secret(at_pointer(after, secret)) ||
        xpl_same_origin(old_url, new_url))
        return XPL_OK;
    json_array_foreach(patch, index, operation)
    {
        if (sends(operation, secret, url))
            return XPL_OK;
    }
    return xpl_fail_field(err, XPL_BAD_FIELD, url + 1,
                          "leads to another server than the stored credentials were given for: send them again");
}
