/* SPDX-License-Identifier: Apache-2.0 */
/* What clients note about records, and correct of what was known about the call, in one of them or in several at once;
 * what the model was asked and what it answered never changes. */
#include <stdio.h>
#include <string.h>

#include "api/configuration/json_patch.h"
#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "api/records/records.h"
#include "lib/base/text.h"

#define MAX_TEXT 256
#define MAX_TIME 1e12

static const char *const places[] = {"/annotations", "/values/asset_revision", "/values/user_id",
                                     "/values/response_time"};

static bool may_change(const char *pointer)
{
    for (size_t i = 0; i < XPL_COUNT(places); i++)
        if (xpl_pointer_within(pointer, places[i]))
            return true;
    return false;
}

/* Splits "/records/{id}/annotations/{name}" into the record and the place in {"annotations": {…}, "values": {…}}. At
 * the address of one record, `own_id`, "/annotations/{name}" will do. False when it is neither, or must not change. */
static bool split_pointer(struct xpl_call *call, const char *pointer, const char *own_id, const char **ret_id,
                          const char **ret_rest)
{
    const char *end;

    if (own_id && may_change(pointer)) {
        *ret_id = own_id;
        *ret_rest = pointer;
        return true;
    }
    if (xpl_starts_with(pointer, "/records/"))
        pointer += strlen("/records");
    end = *pointer == '/' ? strchr(pointer + 1, '/') : NULL;
    if (!end || !may_change(end))
        return false;
    *ret_id = xpl_arena_string_n(call->arena, pointer + 1, (size_t)(end - pointer - 1));
    *ret_rest = end;
    return *ret_id && (!own_id || strcmp(*ret_id, own_id) == 0);
}

/* Rewrites the pointer in a member of an operation; all of an operation happens in the record `*id`, NULL = not known.
 */
static enum xpl_status take_pointer(struct xpl_call *call, json_t *operation, const char *member, const char **id,
                                    struct xpl_error *err)
{
    const char *own_id = call->path_params[1], *pointer, *found, *rest;

    pointer = json_string_value(json_object_get(operation, member));
    if (!pointer || !split_pointer(call, pointer, own_id, &found, &rest))
        return xpl_fail_field(err, XPL_BAD_FIELD, member,
                              "must be %s/annotations/{name}, or /values/asset_revision, /values/user_id or"
                              " /values/response_time there: nothing else of a record changes",
                              own_id ? "" : "/records/{record_id}");
    if (*id && strcmp(*id, found) != 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, member, "leads to another record than path does");
    *id = found;
    return json_object_set_new(operation, member, json_string(rest)) ? xpl_no_memory(err) : XPL_OK;
}

static json_t *document_of(const struct xpl_record *r)
{
    return json_pack("{s:o, s:{s:s?, s:s?, s:o}}", "annotations",
                     r->annotations ? json_loads(r->annotations, 0, NULL) : json_object(), "values", "asset_revision",
                     r->asset_revision, "user_id", r->user_id, "response_time",
                     r->has_response_time ? json_real(r->response_time) : json_null());
}

static enum xpl_status read_text(struct xpl_call *call, const json_t *values, const char *name, const char **ret,
                                 struct xpl_error *err)
{
    const json_t *value = json_object_get(values, name);
    const char *text = json_string_value(value);

    *ret = NULL;
    if (!value || json_is_null(value))
        return XPL_OK;
    if (!text || json_string_length(value) > MAX_TEXT || strlen(text) != json_string_length(value))
        return xpl_fail(err, XPL_BAD_FIELD, "%s must be null or a text of at most %d bytes", name, MAX_TEXT);
    return (*ret = xpl_arena_string(call->arena, text)) ? XPL_OK : xpl_no_memory(err);
}

/* What the patch made of it; annotations that were not there and are not now stay so. */
static enum xpl_status read_document(struct xpl_call *call, const json_t *document, bool had_annotations,
                                     struct xpl_record_notes *ret, struct xpl_error *err)
{
    const json_t *annotations = json_object_get(document, "annotations"), *values = json_object_get(document, "values");
    const json_t *time = json_object_get(values, "response_time");
    enum xpl_status st;

    if (!json_is_object(annotations))
        return xpl_fail(err, XPL_BAD_FIELD, "annotations must stay an object");
    if ((st = read_text(call, values, "asset_revision", &ret->asset_revision, err)) ||
        (st = read_text(call, values, "user_id", &ret->user_id, err)))
        return st;
    ret->has_response_time = time && !json_is_null(time);
    ret->response_time = json_number_value(time);
    if (ret->has_response_time &&
        (!json_is_number(time) || !(ret->response_time >= 0 && ret->response_time <= MAX_TIME)))
        return xpl_fail(err, XPL_BAD_FIELD, "response_time must be null or a number from 0 to %g", MAX_TIME);
    if (!had_annotations && json_object_size(annotations) == 0)
        return XPL_OK;
    return (ret->annotations = xpl_json_text(call->arena, annotations)) ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status patch_record(struct xpl_db *db, struct xpl_call *call, const struct xpl_record *record,
                                    json_t *operation, struct xpl_error *err)
{
    static const char *const nothing[] = {NULL};
    const struct xpl_patch_rules rules = {nothing, nothing};
    XPL_AUTO_JSON patch = json_pack("[O]", operation);
    XPL_AUTO_JSON document = document_of(record);
    struct xpl_record_notes notes = {0};
    enum xpl_status st;

    if (!document || !patch)
        return xpl_no_memory(err);
    if ((st = xpl_json_patch(&document, patch, &rules, err))) {
        *err->field = '\0'; /* it counts within a patch of one */
        return st;
    }
    if ((st = read_document(call, document, record->annotations, &notes, err)))
        return st;
    return xpl_record_update(db, record->id, &notes, err);
}

static enum xpl_status annotate(struct xpl_db *db, struct xpl_call *call, json_t *operation, struct xpl_error *err)
{
    struct xpl_record record;
    const char *id = NULL;
    enum xpl_status st;

    if ((st = take_pointer(call, operation, "path", &id, err)) ||
        (json_object_get(operation, "from") && (st = take_pointer(call, operation, "from", &id, err))) ||
        (st = xpl_record_find(db, call, id, &record, err)))
        return st;
    return patch_record(db, call, &record, operation, err);
}

static enum xpl_status annotate_all(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err)
{
    XPL_AUTO_JSON patch = NULL;
    enum xpl_status st = xpl_call_json(call, &patch, err);
    json_t *operation;
    char where[24];
    size_t i;

    if (st)
        return st;
    json_array_foreach(patch, i, operation)
    {
        if (!(st = annotate(db, call, operation, err)))
            continue;
        snprintf(where, sizeof where, "[%zu]", i);
        xpl_error_prefix(err, where);
        return st;
    }
    return XPL_OK;
}

static enum xpl_status run_patch(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    enum xpl_status st = annotate_all(db, call, err);

    (void)arg;
    if (!st)
        xpl_reply_json(call, 200, json_pack("{s:s}", "state", "active"));
    return st;
}

static enum xpl_status run_update(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct xpl_record record;
    enum xpl_status st;

    (void)arg;
    if ((st = annotate_all(db, call, err)) || (st = xpl_record_find(db, call, call->path_params[1], &record, err)))
        return st;
    return xpl_record_reply(db, call, &record, err);
}

static enum xpl_answered reply_patched(struct xpl_call *call, xpl_call_write_fn run)
{
    XPL_AUTO_JSON patch = NULL;
    struct xpl_error err = {0};

    if (xpl_check_data_set(call->db, call, &err) || xpl_call_json(call, &patch, &err))
        return xpl_reply_error(call, &err);
    if (!json_is_array(patch) || json_array_size(patch) == 0) {
        xpl_fail(&err, XPL_BAD_FIELD, "the body must be an array of JSON Patch operations");
        return xpl_reply_error(call, &err);
    }
    return xpl_reply_after_commit(call, run, NULL, call->body.length);
}

enum xpl_answered xpl_records_patch(struct xpl_call *call)
{
    return reply_patched(call, run_patch);
}

enum xpl_answered xpl_records_update(struct xpl_call *call)
{
    return reply_patched(call, run_update);
}
