/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/record_rest.h"

#include <stdio.h>

#include "api/json_spec.h"
#include "lib/base/time.h"

#define MAX_REST_BYTES    65536u
#define MAX_RESPONSE_TIME 1e12 /* milliseconds */

static const char *const wanted[] = {
    "scoring_id", "scoring_timestamp", "asset_revision", "user_id", "response_time", "multiple_records", NULL};

static const char *wanted_name(struct xpl_text name)
{
    for (const char *const *known = wanted; *known; known++)
        if (xpl_text_equal(name, *known))
            return *known;
    return NULL;
}

/* ---- why it is no tree ---- */

/* What was scanned as JSON and is none to the tree's reader. */
static enum xpl_status refuse_value(const char *name, struct xpl_text value, struct xpl_error *err)
{
    int shown = (int)(value.length < 40 ? value.length : 40);

    if (*value.ptr == '"')
        return xpl_fail_field(err, XPL_BAD_JSON, name, "holds \\u0000 or half of a surrogate pair, which are no text");
    if (*value.ptr == '{' || *value.ptr == '[')
        return xpl_fail_field(err, XPL_BAD_JSON, name, "is not acceptable JSON");
    return xpl_fail_field(err, XPL_BAD_JSON, name, "%.*s is larger than any number here; %s", shown, value.ptr,
                          xpl_text_equal(xpl_text_of(name), "response_time") ? "-1 to 1000000000000 are accepted"
                                                                             : "this is no number");
}

static enum xpl_status refuse(const struct xpl_record_cell *cells, size_t n, struct xpl_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = wanted_name(cells[i].name);
        XPL_AUTO_JSON value = NULL;

        if (!name)
            continue;
        value = json_loadb(cells[i].value.ptr, cells[i].value.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
        if (!value)
            return refuse_value(name, cells[i].value, err);
    }
    return xpl_fail(err, XPL_BAD_JSON, "a column comes twice");
}

/* ---- the members ---- */

struct rest {
    const char *scoring_id, *scoring_timestamp, *asset_revision, *user_id;
    double response_time;
    bool multiple_records;
};

static enum xpl_status read_tree(struct xpl_arena *arena, const json_t *tree, struct xpl_transaction *t,
                                 struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct rest, scoring_id, .min = 1, .max = 200),
        XPL_JSON_STRING(struct rest, scoring_timestamp, .max = 64),
        XPL_JSON_STRING(struct rest, asset_revision, .max = 256),
        XPL_JSON_STRING(struct rest, user_id, .max = 256),
        XPL_JSON_NUMBER_FIELD(struct rest, response_time, .min = -1, .max = MAX_RESPONSE_TIME),
        XPL_JSON_BOOL(struct rest, multiple_records),
    };
    struct rest rest = {.response_time = -1, .multiple_records = true};
    enum xpl_status st = xpl_json_read(tree, fields, XPL_COUNT(fields), &rest, err);

    if (st)
        return st;
    t->scoring_timestamp = xpl_now_us();
    if (rest.scoring_timestamp && !xpl_time_parse(rest.scoring_timestamp, &t->scoring_timestamp))
        return xpl_fail_field(err, XPL_BAD_FIELD, "scoring_timestamp",
                              "\"%.40s\" is not a time such as 2024-03-21T11:45:41Z", rest.scoring_timestamp);
    t->scoring_id = xpl_arena_string(arena, rest.scoring_id);
    t->asset_revision = xpl_arena_string(arena, rest.asset_revision);
    t->user_id = xpl_arena_string(arena, rest.user_id);
    t->has_response_time = rest.response_time >= 0;
    t->response_time = rest.response_time;
    t->is_single = !rest.multiple_records;
    return XPL_OK;
}

/* The small members become a tree; what is not known is not looked at. */
enum xpl_status xpl_record_rest_read(struct xpl_arena *arena, const struct xpl_record_cell *cells, size_t n,
                                     struct xpl_transaction *t, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) rest = xpl_buf_new(MAX_REST_BYTES);
    const char *separator = "{";
    XPL_AUTO_JSON tree = NULL;

    if (!rest)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        const char *name = wanted_name(cells[i].name);

        if (!name)
            continue;
        xpl_buf_printf(rest, "%s\"%s\":", separator, name);
        xpl_buf_append(rest, cells[i].value.ptr, cells[i].value.length);
        separator = ",";
    }
    xpl_buf_string(rest, *separator == '{' ? "{}" : "}");
    if (rest->failed)
        return xpl_fail(err, XPL_TOO_LARGE, "the record's members besides image and response exceed %u bytes",
                        MAX_REST_BYTES);
    tree = json_loadb(rest->data, rest->length, JSON_REJECT_DUPLICATES, NULL);
    return tree ? read_tree(arena, tree, t, err) : refuse(cells, n, err);
}
