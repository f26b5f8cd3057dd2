/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: the only makers of enum xpl_answered. */
#include <string.h>

#include "api/call.h"
#include "api/errors.h"
#include "api/idempotency.h"
#include "api/json_text.h"
#include "api/routes.h"
#include "lib/base/log.h"

static const char json_media_type[] = "application/json";
static const char last_resort[] =
    "{\"trace\":\"\",\"errors\":[{\"code\":\"AIQCS0020E\",\"message\":\"Out of memory\"}]}";

static enum xpl_answered out_of_memory(struct xpl_call *call)
{
    call->reply = (struct xpl_reply){
        .http_status = 503, .content_type = json_media_type, .body = {last_resort, sizeof last_resort - 1}};
    return XPL_ANSWERED;
}

enum xpl_answered xpl_reply_json(struct xpl_call *call, unsigned http_status, json_t *json)
{
    int failed;

    xpl_buf_clear(&call->out);
    failed = !json || !xpl_json_append(&call->out, json);
    json_decref(json);
    if (failed)
        return out_of_memory(call);
    return xpl_reply_bytes(call, http_status, json_media_type, (struct xpl_text){call->out.data, call->out.length});
}

enum xpl_answered xpl_reply_json_text(struct xpl_call *call, unsigned http_status, struct xpl_text json)
{
    return xpl_reply_bytes(call, http_status, json_media_type, json);
}

enum xpl_answered xpl_reply_bytes(struct xpl_call *call, unsigned http_status, const char *content_type,
                                  struct xpl_text data)
{
    call->reply.http_status = http_status;
    call->reply.content_type = content_type;
    call->reply.body = data;
    return XPL_ANSWERED;
}

enum xpl_answered xpl_reply_stream(struct xpl_call *call, unsigned http_status, const char *content_type,
                                   const struct xpl_streamed *stream)
{
    call->stream = *stream;
    xpl_buf_clear(&call->out);
    return xpl_reply_bytes(call, http_status, content_type, (struct xpl_text){"", 0});
}

static void log_our_fault(const struct xpl_call *call, const struct xpl_error *err, const char *code)
{
    xpl_log(XPL_LOG_ERROR, "request failed", "trace", call->request_id, "operation",
            call->route ? call->route->operation : NULL, "code", code, "message", err->message, "traceparent",
            xpl_call_traceparent(call), NULL);
}

enum xpl_streaming xpl_stream_failed(const struct xpl_call *call, const struct xpl_error *err)
{
    log_our_fault(call, err, xpl_error_meaning(err->status)->code);
    return XPL_STREAM_BREAKS;
}

enum xpl_answered xpl_reply_error(struct xpl_call *call, const struct xpl_error *err)
{
    const struct xpl_error_meaning *meaning = xpl_error_meaning(err->status);
    const char *message = *err->message ? err->message : meaning->text;
    char text[XPL_ERROR_FIELD_MAX + XPL_ERROR_MESSAGE_MAX + 4];
    json_t *error;

    if (!meaning->clients_fault)
        log_our_fault(call, err, meaning->code);
    /* IBM's SDK shows its user the first message and nothing else, so the field is part of it. */
    snprintf(text, sizeof text, "%s%s%s", err->field, *err->field ? ": " : "", message);
    error = json_pack("{s:s, s:s}", "code", meaning->code, "message", text);
    if (error && *err->field)
        json_object_set_new(error, "parameters", json_pack("[s]", err->field));
    if (call->stream.end)
        call->stream.end(call);
    call->stream = (struct xpl_streamed){0};
    call->reply.n_headers = 0;
    call->reply.error = err->status;
    if (meaning->http_status == 401)
        xpl_reply_header(call, "WWW-Authenticate", "Bearer realm=\"explaind\", Basic realm=\"explaind\"");
    if (meaning->http_status == 503 || meaning->http_status == 429)
        xpl_reply_header(call, "Retry-After", "1");
    return xpl_reply_json(call, meaning->http_status,
                          json_pack("{s:s, s:[o]}", "trace", call->request_id, "errors", error));
}

enum xpl_answered xpl_reply_after_commit(struct xpl_call *call, xpl_call_write_fn run, void *arg, size_t bytes)
{
    call->write_run = run;
    call->write_arg = arg;
    call->write_bytes = bytes;
    return XPL_ANSWERED_AFTER_COMMIT;
}

void xpl_reply_header(struct xpl_call *call, const char *name, const char *value)
{
    struct xpl_reply *reply = &call->reply;

    if (reply->n_headers < XPL_MAX_REPLY_HEADERS && value)
        reply->headers[reply->n_headers++] = (struct xpl_pair){name, value};
}

enum xpl_status xpl_call_run_write(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    struct xpl_call *call = arg;

    call->remembers = false;
    call->reply = (struct xpl_reply){0};
    call->deleted_tasks = NULL;
    call->n_awaited_tasks = 0;
    return xpl_idempotency_write(db, call, err);
}

void xpl_call_written(struct xpl_call *call)
{
    const struct xpl_worker_hooks *workers = &call->app->workers;

    for (const struct xpl_deleted_tasks *deleted = call->deleted_tasks; deleted; deleted = deleted->next)
        for (size_t i = 0; i < deleted->n; i++)
            workers->deleted(workers->context, deleted->ids[i]);
}

enum xpl_status xpl_call_deletes_tasks(struct xpl_call *call, const char *const *task_ids, size_t n,
                                       struct xpl_error *err)
{
    struct xpl_deleted_tasks *deleted = XPL_NEW(call->arena, struct xpl_deleted_tasks);

    if (!deleted)
        return xpl_no_memory(err);
    *deleted = (struct xpl_deleted_tasks){task_ids, n, call->deleted_tasks};
    call->deleted_tasks = deleted;
    return XPL_OK;
}

void xpl_call_write_failed(struct xpl_call *call, enum xpl_status status, const struct xpl_error *err)
{
    struct xpl_error copy = *err;

    copy.status = call->write_failure ? call->write_failure : status;
    call->n_awaited_tasks = 0;
    xpl_reply_error(call, &copy);
}
