/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarative reading of JSON objects: a table of fields, bound to the members of a struct, one call reads and checks.
 *
 *     static const struct xpl_json_field fields[] = {
 *         XPL_JSON_STRING(struct request, name, .required = true),
 *         XPL_JSON_INT(struct request, budget, .path = "image.budget", .min = 1, .max = 65536),
 *     };
 *     if (xpl_json_read(json, fields, XPL_COUNT(fields), &request, &err)) ...
 *
 * A missing or null member leaves its struct member untouched, so defaults are set before. Errors are XPL_BAD_FIELD
 * with the member's path and what would be right. Unknown members are not looked at; xpl_json_known refuses them.
 */
#ifndef XPL_API_JSON_SPEC_H
#define XPL_API_JSON_SPEC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/status.h"

enum xpl_json_type {
    XPL_TYPE_STRING, /* const char *, borrowed from the tree */
    XPL_TYPE_INT,    /* int64_t within [min, max] */
    XPL_TYPE_NUMBER, /* double within [min, max] */
    XPL_TYPE_BOOL,   /* bool */
    XPL_TYPE_CHOICE, /* int: index in `choices` */
    XPL_TYPE_OBJECT, /* json_t *, borrowed */
    XPL_TYPE_ARRAY   /* json_t *, borrowed; [min, max] elements */
};

struct xpl_json_field {
    const char *name; /* of the struct's member */
    const char *path; /* dotted; NULL = the name */
    enum xpl_json_type type;
    size_t offset;
    bool required;
    double min, max;            /* of numbers, of the length of strings and arrays; both 0 = no bounds */
    const char *const *choices; /* ended by NULL; for strings too: only these are accepted */
    bool strings;               /* an array of strings, none empty */
};

#define XPL_COUNT(array)                          (sizeof(array) / sizeof((array)[0]))
#define XPL_JSON_STRING(type_, member, ...)       XPL_JSON_FIELD(XPL_TYPE_STRING, type_, member, __VA_ARGS__)
#define XPL_JSON_INT(type_, member, ...)          XPL_JSON_FIELD(XPL_TYPE_INT, type_, member, __VA_ARGS__)
#define XPL_JSON_NUMBER_FIELD(type_, member, ...) XPL_JSON_FIELD(XPL_TYPE_NUMBER, type_, member, __VA_ARGS__)
#define XPL_JSON_BOOL(type_, member, ...)         XPL_JSON_FIELD(XPL_TYPE_BOOL, type_, member, __VA_ARGS__)
#define XPL_JSON_CHOICE(type_, member, ...)       XPL_JSON_FIELD(XPL_TYPE_CHOICE, type_, member, __VA_ARGS__)
#define XPL_JSON_OBJECT_FIELD(type_, member, ...) XPL_JSON_FIELD(XPL_TYPE_OBJECT, type_, member, __VA_ARGS__)
#define XPL_JSON_ARRAY_FIELD(type_, member, ...)  XPL_JSON_FIELD(XPL_TYPE_ARRAY, type_, member, __VA_ARGS__)
#define XPL_JSON_FIELD(kind, type_, member, ...)                                                                       \
    {                                                                                                                  \
        .name = #member, .type = kind, .offset = offsetof(type_, member), ##__VA_ARGS__                                \
    }

enum xpl_status xpl_json_read(const json_t *json, const struct xpl_json_field *fields, size_t n_fields, void *ret,
                              struct xpl_error *err);

/** The member at a dotted path; NULL when there is none. Borrowed. */
json_t *xpl_json_at(const json_t *json, const char *path);

/** The string at a dotted path; NULL when there is none or it is no string. Borrowed. */
const char *xpl_json_string_at(const json_t *json, const char *path);

/** Refuses members that are not in `names` (ended by NULL); `where` is the path of the object. */
enum xpl_status xpl_json_known(const json_t *object, const char *where, const char *const *names,
                               struct xpl_error *err);

#endif
