/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json_spec.h"

#include <stdio.h>
#include <string.h>

#define MAX_STRING_LENGTH 4096.0

static const char *path_of(const struct xpl_json_field *field)
{
    return field->path ? field->path : field->name;
}

json_t *xpl_json_at(const json_t *json, const char *path)
{
    char name[96];

    while (json) {
        size_t length = strcspn(path, ".");

        if (length >= sizeof name)
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        json = json_object_get(json, name);
        if (!path[length])
            break;
        path += length + 1;
    }
    return (json_t *)(uintptr_t)json;
}

const char *xpl_json_string_at(const json_t *json, const char *path)
{
    return json_string_value(xpl_json_at(json, path));
}

static const char *type_name(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

static enum xpl_status wrong_type(const struct xpl_json_field *field, const char *wanted, const json_t *found,
                                  struct xpl_error *err)
{
    return xpl_fail_field(err, XPL_BAD_FIELD, path_of(field), "must be %s, not %s", wanted, type_name(found));
}

static bool bounded(const struct xpl_json_field *field)
{
    return field->min != 0 || field->max != 0;
}

static enum xpl_status list_choices(const struct xpl_json_field *field, const char *value, struct xpl_error *err)
{
    char names[256] = "";

    for (const char *const *choice = field->choices; *choice; choice++) {
        size_t used = strlen(names);

        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", *choice);
    }
    return xpl_fail_field(err, XPL_BAD_FIELD, path_of(field), "\"%.64s\" is not one of %s", value, names);
}

static enum xpl_status read_string(const json_t *json, const struct xpl_json_field *field, void *member,
                                   struct xpl_error *err)
{
    const char *value = json_string_value(json);
    double max = bounded(field) ? field->max : MAX_STRING_LENGTH;
    int at = 0;

    if (!value)
        return wrong_type(field, "a string", json, err);
    if ((double)json_string_length(json) > max || (double)json_string_length(json) < field->min)
        return xpl_fail_field(err, XPL_BAD_FIELD, path_of(field), "has %zu bytes; %.0f to %.0f are accepted",
                              json_string_length(json), field->min, max);
    if (field->required && !*value)
        return xpl_fail_field(err, XPL_BAD_FIELD, path_of(field), "must not be empty");
    for (; field->choices && field->choices[at]; at++)
        if (strcmp(field->choices[at], value) == 0)
            break;
    if (field->choices && !field->choices[at])
        return list_choices(field, value, err);
    if (field->type == XPL_TYPE_CHOICE)
        *(int *)member = at;
    else
        *(const char **)member = value;
    return XPL_OK;
}

/* A number where a whole one is wanted is shown: that it is a number says nothing. */
static enum xpl_status not_a_number(const struct xpl_json_field *field, const json_t *json, struct xpl_error *err)
{
    char text[32];

    if (field->type == XPL_TYPE_NUMBER)
        return wrong_type(field, "a number", json, err);
    if (!json_is_real(json))
        return wrong_type(field, "a whole number", json, err);
    snprintf(text, sizeof text, "%.15g", json_real_value(json));
    return xpl_fail_field(err, XPL_BAD_FIELD, path_of(field), "must be a whole number, not %s%s", text,
                          strpbrk(text, ".e") ? "" : ".0");
}

static enum xpl_status read_number(const json_t *json, const struct xpl_json_field *field, void *member,
                                   struct xpl_error *err)
{
    bool whole = field->type == XPL_TYPE_INT;
    double value = json_number_value(json);

    if (whole ? !json_is_integer(json) : !json_is_number(json))
        return not_a_number(field, json, err);
    if (bounded(field) && !(value >= field->min && value <= field->max))
        return xpl_fail_field(err, XPL_BAD_FIELD, path_of(field), "%.15g is outside of %.15g to %.15g", value,
                              field->min, field->max);
    if (whole)
        *(int64_t *)member = json_integer_value(json);
    else
        *(double *)member = value;
    return XPL_OK;
}

static enum xpl_status read_array(json_t *json, const struct xpl_json_field *field, void *member, struct xpl_error *err)
{
    size_t n = json_array_size(json), index;
    json_t *element;

    if (!json_is_array(json))
        return wrong_type(field, "an array", json, err);
    if (bounded(field) && ((double)n < field->min || (double)n > field->max))
        return xpl_fail_field(err, XPL_BAD_FIELD, path_of(field), "has %zu elements; %.0f to %.0f are accepted", n,
                              field->min, field->max);
    json_array_foreach(json, index, element)
    {
        char path[128];

        if (!field->strings || (json_is_string(element) && json_string_length(element) > 0))
            continue;
        snprintf(path, sizeof path, "%s[%zu]", path_of(field), index);
        return xpl_fail_field(err, XPL_BAD_FIELD, path, "must be a string that is not empty");
    }
    *(json_t **)member = json;
    return XPL_OK;
}

static enum xpl_status read_member(json_t *json, const struct xpl_json_field *field, void *member,
                                   struct xpl_error *err)
{
    switch (field->type) {
    case XPL_TYPE_STRING:
    case XPL_TYPE_CHOICE:
        return read_string(json, field, member, err);
    case XPL_TYPE_INT:
    case XPL_TYPE_NUMBER:
        return read_number(json, field, member, err);
    case XPL_TYPE_BOOL:
        if (!json_is_boolean(json))
            return wrong_type(field, "true or false", json, err);
        *(bool *)member = json_is_true(json);
        return XPL_OK;
    case XPL_TYPE_OBJECT:
        if (!json_is_object(json))
            return wrong_type(field, "an object", json, err);
        *(json_t **)member = json;
        return XPL_OK;
    case XPL_TYPE_ARRAY:
        return read_array(json, field, member, err);
    }
    return XPL_INTERNAL;
}

/* The path's outer members must be objects, so that "asset": 3 is told as what it is. */
static enum xpl_status check_parents(const json_t *json, const struct xpl_json_field *field, struct xpl_error *err)
{
    const char *path = path_of(field);

    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
        char parent[128];
        const json_t *found;

        snprintf(parent, sizeof parent, "%.*s", (int)(dot - path), path);
        found = xpl_json_at(json, parent);
        if (found && !json_is_object(found) && !json_is_null(found))
            return xpl_fail_field(err, XPL_BAD_FIELD, parent, "must be an object, not %s", type_name(found));
    }
    return XPL_OK;
}

enum xpl_status xpl_json_read(const json_t *json, const struct xpl_json_field *fields, size_t n_fields, void *ret,
                              struct xpl_error *err)
{
    enum xpl_status st;

    if (!json_is_object(json))
        return xpl_fail(err, XPL_BAD_FIELD, "the body must be an object, not %s", type_name(json));
    for (size_t i = 0; i < n_fields; i++) {
        json_t *found = xpl_json_at(json, path_of(&fields[i]));

        if ((st = check_parents(json, &fields[i], err)))
            return st;
        if (!found || json_is_null(found)) {
            if (fields[i].required)
                return xpl_fail_field(err, XPL_BAD_FIELD, path_of(&fields[i]), "is missing");
            continue;
        }
        if ((st = read_member(found, &fields[i], (char *)ret + fields[i].offset, err)))
            return st;
    }
    return XPL_OK;
}

enum xpl_status xpl_json_known(const json_t *object, const char *where, const char *const *names, struct xpl_error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        const char *const *known = names;
        char path[XPL_ERROR_FIELD_MAX];

        while (*known && strcmp(*known, name) != 0)
            known++;
        if (*known)
            continue;
        snprintf(path, sizeof path, "%s%s%.100s", where, *where ? "." : "", name);
        return xpl_fail_field(err, XPL_BAD_FIELD, path, "is not known here");
    }
    return XPL_OK;
}
