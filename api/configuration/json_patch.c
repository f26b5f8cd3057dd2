/* SPDX-License-Identifier: Apache-2.0 */
#include "api/configuration/json_patch.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"

#define MAX_TOKEN   256
#define MAX_POINTER 1024

/* Where a pointer leads: a container and the member or element in it. The root has no container. */
struct place {
    json_t *parent;
    char token[MAX_TOKEN];
};

/* Reads the next reference token, with ~1 and ~0 decoded; `*pointer` ends behind it. */
static bool next_token(const char **pointer, char token[MAX_TOKEN])
{
    size_t length = 0;
    const char *at = *pointer + 1;

    for (; *at && *at != '/'; at++) {
        char c = *at;

        if (c == '~' && at[1] != '0' && at[1] != '1')
            return false;
        if (c == '~')
            c = *++at == '0' ? '~' : '/';
        if (length + 1 >= MAX_TOKEN)
            return false;
        token[length++] = c;
    }
    token[length] = '\0';
    *pointer = at;
    return true;
}

/* Index of an existing element, or the length of the array for "-" or the place behind the last. */
static bool array_index(const json_t *array, const char *token, size_t *ret_index)
{
    size_t size = json_array_size(array);
    int64_t index;

    if (strcmp(token, "-") == 0) {
        *ret_index = size;
        return true;
    }
    if ((token[0] == '0' && token[1]) || !xpl_parse_int(token, 0, (int64_t)size, &index))
        return false;
    *ret_index = (size_t)index;
    return true;
}

static json_t *child(const json_t *parent, const char *token)
{
    size_t index;

    if (json_is_object(parent))
        return json_object_get(parent, token);
    if (json_is_array(parent) && array_index(parent, token, &index))
        return json_array_get(parent, index);
    return NULL;
}

/* Finds the container that the last token names a place in. False when an outer token leads nowhere. */
static bool find_place(json_t *root, const char *pointer, struct place *ret)
{
    json_t *at = root;

    *ret = (struct place){0};
    if (*pointer != '/' && *pointer)
        return false;
    while (*pointer) {
        if (ret->parent && !(at = child(ret->parent, ret->token)))
            return false;
        ret->parent = at;
        if (!next_token(&pointer, ret->token))
            return false;
    }
    return true;
}

static json_t *value_at(json_t *root, const char *pointer)
{
    struct place place;

    if (!find_place(root, pointer, &place))
        return NULL;
    return place.parent ? child(place.parent, place.token) : root;
}

static bool add(json_t **document, const char *pointer, json_t *value)
{
    struct place place;
    size_t index;

    if (!find_place(*document, pointer, &place))
        return false;
    if (!place.parent) {
        json_decref(*document);
        *document = json_incref(value);
        return true;
    }
    if (json_is_object(place.parent))
        return json_object_set(place.parent, place.token, value) == 0;
    return json_is_array(place.parent) && array_index(place.parent, place.token, &index) &&
           json_array_insert(place.parent, index, value) == 0;
}

static bool replace(json_t **document, const char *pointer, json_t *value)
{
    struct place place;
    size_t index;

    if (!value_at(*document, pointer))
        return false;
    if (!find_place(*document, pointer, &place) || !place.parent || !json_is_array(place.parent))
        return add(document, pointer, value);
    return array_index(place.parent, place.token, &index) && json_array_set(place.parent, index, value) == 0;
}

static bool remove_at(json_t *document, const char *pointer)
{
    struct place place;
    size_t index;

    if (!find_place(document, pointer, &place) || !place.parent || !child(place.parent, place.token))
        return false;
    if (json_is_object(place.parent))
        return json_object_del(place.parent, place.token) == 0;
    return array_index(place.parent, place.token, &index) && json_array_remove(place.parent, index) == 0;
}

/* Takes the size of a value, which is not deeper than `depth`, from a budget; false when it does not suffice. */
static bool afford(const json_t *value, size_t depth, size_t *budget)
{
    size_t cost = 1 + json_string_length(value), i;
    const char *name;
    json_t *member;

    if (depth == 0 || cost > *budget)
        return false;
    *budget -= cost;
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        cost = strlen(name);
        if (cost > *budget)
            return false;
        *budget -= cost;
        if (!afford(member, depth - 1, budget))
            return false;
    }
    json_array_foreach(value, i, member)
    {
        if (!afford(member, depth - 1, budget))
            return false;
    }
    return true;
}

static bool copy(json_t **document, const char *from, const char *path, bool move)
{
    json_t *value = json_deep_copy(value_at(*document, from));
    bool done = value && !(move && xpl_starts_with(path, from) && path[strlen(from)] == '/') &&
                (!move || remove_at(*document, from)) && add(document, path, value);

    json_decref(value);
    return done;
}

bool xpl_pointer_within(const char *inner, const char *outer)
{
    size_t length = strlen(outer);

    return strncmp(inner, outer, length) == 0 && (inner[length] == '\0' || inner[length] == '/');
}

static bool is_read_only(const char *pointer, const char *const *read_only)
{
    for (; *read_only; read_only++)
        if (*pointer == '/' && xpl_pointer_within(pointer + 1, *read_only))
            return true;
    return false;
}

/* Whether a value at `pointer` shows a secret: it is one, a part of one, or holds one. */
static bool shows_secret(const char *pointer, const char *const *secrets)
{
    for (; *secrets; secrets++)
        if (xpl_pointer_within(pointer, *secrets) || xpl_pointer_within(*secrets, pointer))
            return true;
    return false;
}

struct operation {
    const char *op, *path, *from;
    json_t *value;
};

static enum xpl_status read_operation(const json_t *json, const char *where, const struct xpl_patch_rules *rules,
                                      struct operation *ret, struct xpl_error *err)
{
    const char *op = json_string_value(json_object_get(json, "op"));
    const char *path = json_string_value(json_object_get(json, "path"));
    const char *from = json_string_value(json_object_get(json, "from"));
    bool test = op && strcmp(op, "test") == 0;

    if (!op || !path || strlen(path) > MAX_POINTER)
        return xpl_fail_field(err, XPL_BAD_FIELD, where, "must be an object with \"op\" and \"path\"");
    if (*path != '/' && !test)
        return xpl_fail_field(err, XPL_BAD_FIELD, where, "path must start with '/' and name a member of the entity");
    if (!test && is_read_only(path, rules->read_only))
        return xpl_fail_field(err, XPL_BAD_FIELD, where, "%.100s is read-only", path);
    if ((from && shows_secret(from, rules->secrets)) || (test && shows_secret(path, rules->secrets)))
        return xpl_fail_field(err, XPL_BAD_FIELD, where, "credentials can be written, but not copied or compared");
    *ret = (struct operation){op, path, from, json_object_get(json, "value")};
    return XPL_OK;
}

static enum xpl_status too_large(const char *where, struct xpl_error *err)
{
    return xpl_fail_field(err, XPL_TOO_LARGE, where, "makes more than %zu KiB, or nests deeper than %d levels",
                          XPL_PATCH_MAX_BYTES >> 10, XPL_PATCH_MAX_DEPTH);
}

/* `copies` is what may still be copied. */
static enum xpl_status apply(json_t **document, const json_t *json, const char *where,
                             const struct xpl_patch_rules *rules, size_t *copies, struct xpl_error *err)
{
    struct operation o = {0};
    enum xpl_status st = read_operation(json, where, rules, &o, err);
    bool done;

    if (st)
        return st;
    if (strcmp(o.op, "move") == 0 || strcmp(o.op, "copy") == 0) {
        if (!o.from || (*o.op == 'm' && is_read_only(o.from, rules->read_only)))
            return xpl_fail_field(err, XPL_BAD_FIELD, where, "needs \"from\", the path of a member that may change");
        if (!afford(value_at(*document, o.from), XPL_PATCH_MAX_DEPTH, copies))
            return too_large(where, err);
        done = copy(document, o.from, o.path, *o.op == 'm');
    } else if (strcmp(o.op, "remove") == 0) {
        done = remove_at(*document, o.path);
    } else if (!o.value) {
        return xpl_fail_field(err, XPL_BAD_FIELD, where, "\"%.20s\" needs \"value\"", o.op);
    } else if (strcmp(o.op, "add") == 0) {
        done = add(document, o.path, o.value);
    } else if (strcmp(o.op, "replace") == 0) {
        done = replace(document, o.path, o.value);
    } else if (strcmp(o.op, "test") == 0) {
        done = json_equal(value_at(*document, o.path), o.value) != 0;
    } else {
        return xpl_fail_field(err, XPL_BAD_FIELD, where,
                              "\"%.20s\" is not one of add, remove, replace, move, copy, test", o.op);
    }
    return done ? XPL_OK : xpl_fail_field(err, XPL_BAD_FIELD, where, "%s of %.100s is not possible", o.op, o.path);
}

enum xpl_status xpl_json_patch(json_t **document, const json_t *patch, const struct xpl_patch_rules *rules,
                               struct xpl_error *err)
{
    size_t copies = XPL_PATCH_MAX_BYTES, bytes = XPL_PATCH_MAX_BYTES, index;
    enum xpl_status st = XPL_OK;
    json_t *operation;
    char where[24];

    if (!json_is_array(patch))
        return xpl_fail(err, XPL_BAD_FIELD, "the body must be an array of JSON Patch operations");
    if (json_array_size(patch) > XPL_PATCH_MAX_OPERATIONS)
        return xpl_fail(err, XPL_BAD_FIELD, "at most %d operations are accepted", XPL_PATCH_MAX_OPERATIONS);
    json_array_foreach(patch, index, operation)
    {
        snprintf(where, sizeof where, "[%zu]", index);
        if ((st = apply(document, operation, where, rules, &copies, err)))
            return st;
    }
    return afford(*document, XPL_PATCH_MAX_DEPTH, &bytes) ? XPL_OK : too_large("", err);
}
