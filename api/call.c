/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to its route, and the checked reading of queries and bodies. */
#include "api/call.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "api/body_encoding.h"
#include "api/cors.h"
#include "api/handlers.h"
#include "api/idempotency.h"
#include "api/routes.h"
#include "lib/base/json_scan.h"
#include "lib/base/time.h"
#include "lib/base/trace.h"

#define QUICK_BODY_BYTES 8192

static const char *const method_names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

/* The rest of `path` behind /openscale/{instance} or /openscale, and the instance that was named. */
static const char *strip_prefix(struct xpl_call *call, const char *path)
{
    const char *rest, *end;
    char *instance;

    call->data_mart_id = XPL_DEFAULT_INSTANCE;
    if (!xpl_starts_with(path, "/openscale/"))
        return path;
    rest = path + strlen("/openscale");
    end = strchr(rest + 1, '/');
    instance = end ? xpl_arena_string_n(call->arena, rest + 1, (size_t)(end - rest - 1)) : NULL;
    if (instance && xpl_is_guid(instance)) {
        call->data_mart_id = xpl_lower(instance);
        call->instance_named = true;
        return end;
    }
    return rest;
}

/*
 * Matches one template against a path, segment by segment; a {name} takes one non-empty segment. Slices of the
 * parameters are written to `params`, with an empty one behind the last.
 */
static bool match(const char *template, const char *path, struct xpl_text params[XPL_MAX_PATH_PARAMS + 1])
{
    size_t n = 0;

    while (*template && *path) {
        if (*template == '{') {
            size_t length = strcspn(path, "/");

            if (length == 0 || n == XPL_MAX_PATH_PARAMS)
                return false;
            params[n++] = (struct xpl_text){path, length};
            path += length;
            template += strcspn(template, "}") + 1;
        } else if (*template ++ != *path++) {
            return false;
        }
    }
    params[n] = (struct xpl_text){0};
    return !*template && !*path;
}

static bool take_params(struct xpl_call *call, const struct xpl_text *params)
{
    for (size_t i = 0; params[i].ptr; i++) {
        char *value = xpl_arena_string_n(call->arena, params[i].ptr, params[i].length);

        if (!value || !xpl_percent_decode(value, false) || !xpl_is_utf8(value, strlen(value)))
            return false;
        call->path_params[i] = value;
    }
    return true;
}

static void append_word(char *list, size_t size, const char *word)
{
    size_t used = strlen(list);

    snprintf(list + used, size - used, "%s%s", used ? ", " : "", word);
}

static void append_method(char *allow, size_t size, enum xpl_method method)
{
    append_word(allow, size, method_names[method]);
    if (method == XPL_GET)
        append_word(allow, size, "HEAD");
}

static bool refuse(struct xpl_call *call, const struct xpl_error *err)
{
    xpl_reply_error(call, err);
    return false;
}

/* Only those of the method are compared: a request meets a few dozen of them, not all. */
static const struct xpl_route *find_route(enum xpl_method method, const char *path, struct xpl_text *params)
{
    size_t n_routes;
    const struct xpl_route *routes = xpl_routes(&n_routes);

    for (size_t i = 0; i < n_routes; i++)
        if (routes[i].method == method && match(routes[i].path, path, params))
            return &routes[i];
    return NULL;
}

static void methods_of(const char *path, char *allow, size_t size)
{
    struct xpl_text ignored[XPL_MAX_PATH_PARAMS + 1];
    size_t n_routes;
    const struct xpl_route *routes = xpl_routes(&n_routes);

    for (size_t i = 0; i < n_routes; i++)
        if (match(routes[i].path, path, ignored))
            append_method(allow, size, routes[i].method);
}

bool xpl_call_route(struct xpl_call *call, const char *raw_path)
{
    const char *path = strip_prefix(call, raw_path);
    struct xpl_text params[XPL_MAX_PATH_PARAMS + 1];
    char allow[64] = "";
    struct xpl_error err = {0};

    if ((call->route = find_route(call->method, path, params))) {
        call->path = xpl_arena_string(call->arena, path);
        if (take_params(call, params))
            return true;
        xpl_fail(&err, XPL_BAD_REQUEST, "the path has a broken percent-encoding");
        return refuse(call, &err);
    }
    methods_of(path, allow, sizeof allow);
    if (!*allow) {
        xpl_fail(&err, XPL_NOT_FOUND, "there is no resource %.200s", raw_path);
        return refuse(call, &err);
    }
    if (xpl_cors_preflight(call, allow))
        return false;
    xpl_fail(&err, XPL_BAD_METHOD, "the method is not supported here; supported: %s", allow);
    refuse(call, &err);
    xpl_reply_header(call, "Allow", xpl_arena_string(call->arena, allow));
    return false;
}

size_t xpl_call_body_limit(const struct xpl_call *call)
{
    const struct xpl_settings *settings = &call->app->settings;

    switch (call->route->body_limit) {
    case XPL_BODY_SMALL:
        return (size_t)settings->limits_body_bytes;
    case XPL_BODY_TASKS:
        return (size_t)settings->limits_tasks_body_bytes;
    case XPL_BODY_RECORDS:
        return (size_t)settings->limits_records_body_bytes;
    }
    return 0;
}

enum xpl_status xpl_call_body_too_long(const struct xpl_call *call, const char *body, struct xpl_error *err)
{
    static const char *const settings[] = {[XPL_BODY_SMALL] = "limits.body_bytes",
                                           [XPL_BODY_TASKS] = "limits.tasks_body_bytes",
                                           [XPL_BODY_RECORDS] = "limits.records_body_bytes"};

    return xpl_fail(err, XPL_TOO_LARGE, "%s is longer than %zu bytes, the limit of this operation (%s)", body,
                    xpl_call_body_limit(call), settings[call->route->body_limit]);
}

/* What a large body of records makes slow is its size; a small one costs less than handing it to another thread. */
static bool is_slow(const struct xpl_call *call)
{
    bool small = call->route->body_limit == XPL_BODY_RECORDS && call->body.length <= QUICK_BODY_BYTES &&
                 !call->body_encoded && !xpl_call_scores(call);

    return call->route->blocking && !small;
}

bool xpl_call_blocks(const struct xpl_call *call)
{
    return is_slow(call) || call->password_unchecked;
}

bool xpl_call_scores(const struct xpl_call *call)
{
    return call->route->handle == xpl_subscriptions_predictions || call->route->handle == xpl_v1_deployments_online;
}

bool xpl_call_passes_parts(const struct xpl_call *call)
{
    return call->route && xpl_call_scores(call) && !call->password_unchecked && !call->body_collected;
}

bool xpl_call_asks_others(const struct xpl_call *call)
{
    /* asset discovery at the model's engine; a probe of the model */
    return xpl_starts_with(call->route->operation, "ml_") || xpl_ends_with(call->route->operation, "_probe");
}

void xpl_call_remember(struct xpl_call *call)
{
    call->remembers = true;
    call->seen = xpl_writer_versions(call->app->writer);
}

/* A handler sees one state of the database; one that blocks would hold on to an old one. */
enum xpl_answered xpl_call_handle(struct xpl_call *call)
{
    struct xpl_error err = {0};
    enum xpl_answered answered;
    bool again;

    if (call->password_unchecked && !xpl_call_admit(call, true))
        return XPL_ANSWERED;
    xpl_call_remember(call);
    if ((call->body_encoded && xpl_body_decode(call, &err)) || xpl_idempotency_begin(call, &again, &err))
        return xpl_reply_error(call, &err);
    if (again)
        return XPL_ANSWERED;
    if (is_slow(call))
        return call->route->handle(call);
    xpl_db_begin_read(call->db);
    answered = call->route->handle(call);
    xpl_db_end_read(call->db);
    return answered;
}

const char *xpl_call_header(const struct xpl_call *call, const char *name)
{
    for (size_t i = 0; i < call->n_headers; i++)
        if (strcasecmp(call->headers[i].name, name) == 0)
            return call->headers[i].value;
    return NULL;
}

const char *xpl_call_traceparent(const struct xpl_call *call)
{
    const char *given = xpl_call_header(call, "traceparent");

    return given && xpl_traceparent_valid(given) ? given : NULL;
}

const char *xpl_call_query(const struct xpl_call *call, const char *name)
{
    for (size_t i = 0; i < call->n_query; i++)
        if (strcmp(call->query[i].name, name) == 0)
            return call->query[i].value;
    return NULL;
}

enum xpl_status xpl_query_int(const struct xpl_call *call, const char *name, int64_t min, int64_t max,
                              int64_t default_value, int64_t *ret, struct xpl_error *err)
{
    const char *text = xpl_call_query(call, name);

    *ret = default_value;
    if (!text || !*text || xpl_parse_int(text, min, max, ret))
        return XPL_OK;
    return xpl_fail_field(err, XPL_BAD_FIELD, name, "\"%.40s\" is not a whole number from %" PRId64 " to %" PRId64,
                          text, min, max);
}

enum xpl_status xpl_query_bool(const struct xpl_call *call, const char *name, bool default_value, bool *ret,
                               struct xpl_error *err)
{
    const char *text = xpl_call_query(call, name);

    *ret = default_value;
    if (!text || !*text || xpl_parse_bool(text, ret))
        return XPL_OK;
    return xpl_fail_field(err, XPL_BAD_FIELD, name, "\"%.40s\" is neither true nor false", text);
}

enum xpl_status xpl_query_time(const struct xpl_call *call, const char *name, int64_t default_value, int64_t *ret,
                               struct xpl_error *err)
{
    const char *text = xpl_call_query(call, name);

    *ret = default_value;
    if (!text || !*text || xpl_time_parse(text, ret))
        return XPL_OK;
    return xpl_fail_field(err, XPL_BAD_FIELD, name,
                          "\"%.40s\" is not a time such as 2024-03-21T11:45:41Z or 2024-03-21 11:45:41", text);
}

/* A tree costs up to 80 times its text: these bounds keep a hostile body from doing harm. */
static const struct xpl_json_limits dom_limits = {.arrays = 10000, .objects = 10000, .numbers = 200000};

static bool ends_in(const char *type, size_t length, const char *end)
{
    size_t n = strlen(end);

    return length >= n && strncasecmp(type + length - n, end, n) == 0;
}

/* curl calls what it sends a form unless told otherwise. */
enum xpl_status xpl_call_check_json_type(const struct xpl_call *call, struct xpl_error *err)
{
    const char *type = xpl_call_header(call, "Content-Type");
    size_t length = type ? strcspn(type, "; ") : 0;

    if (length == 0 || ends_in(type, length, "/json") || ends_in(type, length, "+json") ||
        ends_in(type, length, "application/x-www-form-urlencoded"))
        return XPL_OK;
    return xpl_fail(err, XPL_BAD_MEDIA_TYPE, "the body must be application/json, not %.60s", type);
}

enum xpl_status xpl_call_json(struct xpl_call *call, json_t **ret, struct xpl_error *err)
{
    return xpl_call_json_part(call, (struct xpl_text){call->body.data, call->body.length}, ret, err);
}

static enum xpl_status refuse_tree(const json_error_t *error, struct xpl_error *err)
{
    enum json_error_code code = json_error_code(error);

    if (code == json_error_null_character || code == json_error_null_byte_in_key)
        return xpl_fail(err, XPL_BAD_JSON, "not acceptable JSON: \\u0000 is not taken in a text, at byte %d",
                        error->position);
    return xpl_fail(err, XPL_BAD_JSON, "not acceptable JSON: %s at byte %d", error->text, error->position);
}

enum xpl_status xpl_call_json_part(struct xpl_call *call, struct xpl_text text, json_t **ret, struct xpl_error *err)
{
    enum xpl_status st;
    json_error_t error;

    text = xpl_text_without_mark(text);
    if (text.length == 0)
        return xpl_fail(err, XPL_BAD_JSON, "a JSON body is needed");
    if ((st = xpl_call_check_json_type(call, err)))
        return st;
    if ((st = xpl_json_check(text.ptr, text.length, &dom_limits, err)))
        return st;
    *ret = json_loadb(text.ptr, text.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    return *ret ? XPL_OK : refuse_tree(&error, err);
}
