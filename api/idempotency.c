/* SPDX-License-Identifier: Apache-2.0 */
#include "api/idempotency.h"

#include <string.h>
#include <strings.h>

#include "api/routes.h"
#include "db/idempotency.h"
#include "lib/base/time.h"

#define MAX_KEY_BYTES 255u

/* What makes two requests the same: operation, path, query and body. */
static enum xpl_status hash_request(struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_hash_part *parts =
        XPL_NEW_ARRAY(call->arena, struct xpl_hash_part, 2 + XPL_MAX_PATH_PARAMS + 2 * call->n_query);
    size_t n = 0;

    if (!parts)
        return xpl_no_memory(err);
    parts[n++] = (struct xpl_hash_part){call->route->operation, strlen(call->route->operation)};
    for (size_t i = 0; i < XPL_MAX_PATH_PARAMS; i++)
        parts[n++] =
            (struct xpl_hash_part){call->path_params[i], call->path_params[i] ? strlen(call->path_params[i]) : 0};
    for (size_t i = 0; i < call->n_query; i++) {
        parts[n++] = (struct xpl_hash_part){call->query[i].name, strlen(call->query[i].name)};
        parts[n++] = (struct xpl_hash_part){call->query[i].value, strlen(call->query[i].value)};
    }
    parts[n++] = (struct xpl_hash_part){call->body.data, call->body.length};
    xpl_hash_parts(parts, n, call->idempotency.request);
    return XPL_OK;
}

/* The answer that is kept for the key; XPL_NOT_FOUND when there is none. */
static enum xpl_status reply_again(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err)
{
    struct xpl_keyed_answer answer;
    struct xpl_error inner = {0};
    enum xpl_status st =
        xpl_keyed_answer_get(db, call->arena, call->data_mart_id, call->idempotency.key, xpl_now_us(), &answer, &inner);

    if (st)
        return st == XPL_NOT_FOUND ? st : xpl_fail(err, st, "%s", inner.message);
    if (answer.request.length != sizeof call->idempotency.request ||
        memcmp(answer.request.data, call->idempotency.request, answer.request.length) != 0)
        return xpl_fail_field(err, XPL_KEY_REUSED, "Idempotency-Key",
                              "\"%.60s\" was used for another request in the last 24 hours", call->idempotency.key);
    xpl_reply_bytes(call, (unsigned)answer.http_status, answer.content_type, xpl_text_of(answer.body));
    xpl_reply_header(call, "Location", answer.location);
    xpl_reply_header(call, "Idempotency-Replayed", "true");
    call->wait_s = 0; /* nothing is waited for */
    return XPL_OK;
}

static enum xpl_status check_key(const char *key, struct xpl_error *err)
{
    size_t length = strlen(key);

    if (length < 1 || length > MAX_KEY_BYTES)
        return xpl_fail_field(err, XPL_BAD_FIELD, "Idempotency-Key", "has %zu bytes; it must have 1 to %u", length,
                              MAX_KEY_BYTES);
    for (size_t i = 0; i < length; i++)
        if (key[i] < ' ' || key[i] > '~')
            return xpl_fail_field(err, XPL_BAD_FIELD, "Idempotency-Key", "must be printable ASCII");
    return XPL_OK;
}

enum xpl_status xpl_idempotency_begin(struct xpl_call *call, bool *ret_answered, struct xpl_error *err)
{
    const char *key = xpl_call_header(call, "Idempotency-Key");
    enum xpl_status st;

    *ret_answered = false;
    if (!key || call->method != XPL_POST || call->route->role != XPL_EDITOR || xpl_call_scores(call))
        return XPL_OK;
    if ((st = check_key(key, err)) || (st = hash_request(call, err)))
        return st;
    call->idempotency.key = key;
    st = reply_again(call->db, call, err);
    *ret_answered = st == XPL_OK;
    return st == XPL_NOT_FOUND ? XPL_OK : st;
}

static const char *location_of(const struct xpl_reply *reply)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (strcasecmp(reply->headers[i].name, "Location") == 0)
            return reply->headers[i].value;
    return NULL;
}

static enum xpl_status keep_answer(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err)
{
    const struct xpl_reply *reply = &call->reply;
    struct xpl_keyed_answer answer = {
        .data_mart_id = call->data_mart_id,
        .key = call->idempotency.key,
        .request = {call->idempotency.request, sizeof call->idempotency.request},
        .http_status = reply->http_status,
        .location = location_of(reply),
        .content_type = reply->content_type,
        .body = xpl_arena_string_n(call->arena, reply->body.length ? reply->body.ptr : "", reply->body.length),
        .created_at = xpl_now_us(),
    };

    return answer.body ? xpl_keyed_answer_put(db, &answer, err) : xpl_no_memory(err);
}

enum xpl_status xpl_idempotency_write(struct xpl_db *db, struct xpl_call *call, struct xpl_error *err)
{
    enum xpl_status st;

    if (!call->idempotency.key)
        return call->write_run(db, call, call->write_arg, err);
    if ((st = reply_again(db, call, err)) != XPL_NOT_FOUND)
        return st;
    if ((st = call->write_run(db, call, call->write_arg, err)) || call->reply.error)
        return st;
    return keep_answer(db, call, err);
}
