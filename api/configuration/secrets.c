/* SPDX-License-Identifier: Apache-2.0 */
#include "api/configuration/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/configuration/json_patch.h"
#include "api/scoring/endpoint.h"
#include "lib/base/hash.h"

/* The object that holds the member at a pointer without escapes, and that member's name. */
static json_t *holder_of(json_t *json, const char *pointer, const char **ret_name)
{
    char name[64];

    for (;;) {
        size_t length = strcspn(++pointer, "/");

        if (pointer[length] == '\0') {
            *ret_name = pointer;
            return json;
        }
        if (length >= sizeof name)
            return NULL;
        memcpy(name, pointer, length);
        name[length] = '\0';
        json = json_object_get(json, name);
        pointer += length;
    }
}

static json_t *at(const json_t *json, const char *pointer)
{
    const char *name;
    json_t *holder = holder_of((json_t *)(uintptr_t)json, pointer, &name);

    return json_object_get(holder, name);
}

/* ---- sealing ---- */

static const char *context_of(struct xpl_arena *arena, const char *table, const char *id, const char *member)
{
    return xpl_arena_printf(arena, "%s/%s/%s", table, id, member);
}

static enum xpl_status seal(const struct xpl_app *app, struct xpl_arena *arena, json_t *object, const char *member,
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
    text = json_dumps(plain, JSON_COMPACT | JSON_ENCODE_ANY);
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

static enum xpl_status unseal(const struct xpl_app *app, struct xpl_arena *arena, json_t *object, const char *member,
                              const char *table, const char *id, struct xpl_error *err)
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
        plain = json_loadb(text, plain_length, JSON_DECODE_ANY, NULL);
    if (!plain)
        return xpl_fail(err, XPL_STORAGE_FAILED, "the stored %s cannot be decrypted with this data directory's key",
                        member);
    return json_object_set_new(object, member, plain) ? xpl_no_memory(err) : XPL_OK;
}

enum xpl_status xpl_secrets_seal(const struct xpl_app *app, struct xpl_arena *arena, const struct xpl_secrets *secrets,
                                 const char *table, const char *id, json_t *entity, struct xpl_error *err)
{
    enum xpl_status st = XPL_OK;
    const char *name;

    for (const char *const *pointer = secrets->pointers; !st && *pointer; pointer++) {
        json_t *holder = holder_of(entity, *pointer, &name);

        st = seal(app, arena, holder, name, table, id, err);
    }
    return st;
}

enum xpl_status xpl_secrets_unseal(const struct xpl_app *app, struct xpl_arena *arena,
                                   const struct xpl_secrets *secrets, const char *table, const char *id, json_t *entity,
                                   struct xpl_error *err)
{
    enum xpl_status st = XPL_OK;
    const char *name;

    for (const char *const *pointer = secrets->pointers; !st && *pointer; pointer++) {
        json_t *holder = holder_of(entity, *pointer, &name);

        st = unseal(app, arena, holder, name, table, id, err);
    }
    return st;
}

void xpl_secrets_hide(const struct xpl_secrets *secrets, json_t *entity)
{
    for (const char *const *pointer = secrets->pointers; *pointer; pointer++)
        json_object_del(at(entity, *pointer), "sealed");
}

/* ---- secrets and the server they are for ---- */

static json_t *blanked(const json_t *value, const char *blank);

static json_t *blanked_object(const json_t *object, const char *blank)
{
    json_t *copy = json_object(), *member;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)object, name, member)
        json_object_set_new(copy, name, blanked(member, blank));
    return copy;
}

static json_t *blanked_array(const json_t *array, const char *blank)
{
    json_t *copy = json_array(), *element;
    size_t i;

    json_array_foreach(array, i, element) json_array_append_new(copy, blanked(element, blank));
    return copy;
}

/* The same form with `blank` in place of every value. Depth is bounded by that of bodies. */
static json_t *blanked(const json_t *value, const char *blank)
{
    if (json_is_object(value))
        return blanked_object(value, blank);
    return json_is_array(value) ? blanked_array(value, blank) : json_string(blank);
}

/* Replaces what is secret by something nobody knows; the address, which may stand among it, stays. */
static void blank_out(const struct xpl_secrets *secrets, json_t *entity)
{
    json_t *url = json_incref(at(entity, secrets->url));
    char blank[XPL_UUID_SIZE];
    const char *name;

    xpl_uuid(blank);
    for (const char *const *pointer = secrets->pointers; *pointer; pointer++) {
        json_t *holder = holder_of(entity, *pointer, &name), *secret = json_object_get(holder, name);

        if (secret)
            json_object_set_new(holder, name, blanked(secret, blank));
    }
    if (url)
        json_object_set_new(holder_of(entity, secrets->url, &name), strrchr(secrets->url, '/') + 1, url);
}

enum xpl_status xpl_secrets_check_moved(const struct xpl_secrets *secrets, const json_t *before, const json_t *after,
                                        const json_t *patch, struct xpl_error *err)
{
    static const char *const nothing[] = {NULL};
    const struct xpl_patch_rules rules = {nothing, nothing};
    const char *new_url = json_string_value(at(after, secrets->url));
    XPL_AUTO_JSON sent = NULL; /* what the patch makes of an entity whose secrets nobody knows */
    bool same;

    if (!new_url || xpl_same_origin(json_string_value(at(before, secrets->url)), new_url))
        return XPL_OK;
    if (!(sent = json_deep_copy(before)))
        return xpl_no_memory(err);
    blank_out(secrets, sent);
    same = xpl_json_patch(&sent, patch, &rules, NULL) == XPL_OK;
    for (const char *const *pointer = secrets->pointers; same && *pointer; pointer++) {
        const json_t *now = at(after, *pointer);

        same = now == NULL || json_equal(now, at(sent, *pointer));
    }
    return same ? XPL_OK
                : xpl_fail_field(err, XPL_BAD_FIELD, secrets->url + 1,
                                 "leads to another server than the stored credentials were given for: send them again");
}
