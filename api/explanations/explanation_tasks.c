/* SPDX-License-Identifier: Apache-2.0 */
/* Getting explanations and cancelling them. */
#include <stdio.h>
#include <string.h>

#include "api/configuration/resource.h"
#include "api/explanations/explanation_tasks.h"
#include "api/explanations/explanation_views.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/remember.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#define MAX_ANSWER_BYTES ((size_t)96 << 20)

/* ---- getting ---- */

static bool is_wanted(const struct xpl_call *call, const char *subscription_id)
{
    const char *wanted = xpl_call_query(call, "subscription_id");

    return !wanted || !*wanted || strcmp(wanted, subscription_id) == 0;
}

enum xpl_status xpl_task_find(struct xpl_db *db, struct xpl_call *call, struct xpl_task *ret, struct xpl_error *err)
{
    const char *id = call->path_params[0];
    enum xpl_status st = xpl_task_get(db, call->arena, call->data_mart_id, id, ret, err);

    if (st == XPL_NOT_FOUND || (!st && !is_wanted(call, ret->subscription_id)))
        return xpl_resource_missing("explanation_task", id, err);
    return st;
}

json_t *xpl_task_view_now(struct xpl_call *call, const struct xpl_task *task)
{
    const struct xpl_worker_hooks *workers = &call->app->workers;
    struct xpl_task_progress progress;
    struct xpl_resource subscription;
    XPL_AUTO_JSON entity = NULL;
    struct xpl_error err = {0};
    bool running;

    if (xpl_resource_get(call->db, call->arena, &xpl_kind_subscription, call->data_mart_id, task->subscription_id,
                         &subscription, &err) == XPL_OK)
        xpl_resource_entity(&subscription, &entity, &err);
    running = task->state == XPL_TASK_LEASED && workers->progress(workers->context, task->id, &progress);
    return xpl_task_view(task, entity, running ? &progress : NULL);
}

static bool has_ended(const struct xpl_task *task)
{
    return task->state == XPL_TASK_FINISHED || task->state == XPL_TASK_ERROR;
}

/* A finished explanation never changes; it can only be deleted. */
static const char *etag_of(struct xpl_call *call, const char *task_id)
{
    return xpl_arena_printf(call->arena, "\"%s\"", task_id);
}

static enum xpl_answered get_unfinished(struct xpl_call *call, const struct xpl_task *task)
{
    const char **awaited;

    if (!has_ended(task) && xpl_call_waits(call) && (awaited = XPL_NEW_ARRAY(call->arena, const char *, 1))) {
        *awaited = task->id;
        return xpl_reply_after_tasks(call, awaited, 1);
    }
    xpl_reply_header(call, "Cache-Control", "no-store");
    return xpl_reply_json(call, 200, xpl_task_view_now(call, task));
}

static enum xpl_status read_finished(struct xpl_call *call, struct xpl_arena *arena, const char *task_id, void *ret,
                                     struct xpl_error *err)
{
    return xpl_explanation_finished(call->db, arena, call->data_mart_id, task_id, ret, err);
}

/* It never changes: once read, it is remembered until an explanation is deleted. */
static enum xpl_status find_finished(struct xpl_call *call, const struct xpl_finished_answer **ret,
                                     struct xpl_error *err)
{
    static const struct xpl_remembered answers = {"answer", read_finished, sizeof **ret, MAX_ANSWER_BYTES};
    const void *answer;
    enum xpl_status st = xpl_remember(call, &answers, call->path_params[0], call->seen.explanations, &answer, err);

    if (!st)
        *ret = answer;
    return st;
}

static enum xpl_answered reply_finished(struct xpl_call *call, const struct xpl_finished_answer *finished)
{
    const char *etag = etag_of(call, call->path_params[0]);

    if (etag && xpl_call_has_current(call, etag))
        return xpl_reply_not_modified(call, etag);
    xpl_reply_etag(call, etag);
    return xpl_reply_json_text(call, 200, finished->answer);
}

enum xpl_answered xpl_explanation_tasks_get(struct xpl_call *call)
{
    const struct xpl_finished_answer *finished = NULL;
    struct xpl_error err = {0};
    struct xpl_task task;
    enum xpl_status st;

    xpl_call_read_prefer(call);
    st = find_finished(call, &finished, &err);
    if (!st && is_wanted(call, finished->subscription_id))
        return reply_finished(call, finished);
    if (st && st != XPL_NOT_FOUND)
        return xpl_reply_error(call, &err);
    xpl_error_clear(&err);
    return xpl_task_find(call->db, call, &task, &err) ? xpl_reply_error(call, &err) : get_unfinished(call, &task);
}

static enum xpl_status run_delete(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const char **task_id = arg;
    struct xpl_task task;
    enum xpl_status st;

    if ((st = xpl_task_find(db, call, &task, err)) || (st = xpl_task_delete(db, task.id, err)))
        return st;
    *task_id = task.id;
    xpl_reply_json(call, 202, json_object());
    return xpl_call_deletes_tasks(call, task_id, 1, err);
}

enum xpl_answered xpl_explanation_tasks_delete(struct xpl_call *call)
{
    const char **task_id = XPL_NEW(call->arena, const char *);

    return task_id ? xpl_reply_after_commit(call, run_delete, task_id, 256) : xpl_reply_json(call, 503, NULL);
}

enum xpl_status xpl_task_find_finished(struct xpl_call *call, struct xpl_task *ret, struct xpl_error *err)
{
    enum xpl_status st = xpl_task_find(call->db, call, ret, err);

    if (st || ret->state == XPL_TASK_FINISHED)
        return st;
    if (ret->state == XPL_TASK_ERROR)
        return xpl_fail(err, XPL_CONFLICT, "the explanation ended in an error: %s",
                        ret->error_message ? ret->error_message : "");
    return xpl_fail(err, XPL_CONFLICT, "the explanation is still in progress");
}

enum xpl_answered xpl_explanation_task_attributions(struct xpl_call *call)
{
    struct xpl_error err = {0};
    struct xpl_task task;
    const char *text, *etag;

    if (xpl_task_find_finished(call, &task, &err))
        return xpl_reply_error(call, &err);
    etag = etag_of(call, task.id);
    if (etag && xpl_call_has_current(call, etag))
        return xpl_reply_not_modified(call, etag);
    if (xpl_explanation_attributions(call->db, call->arena, task.id, &text, &err))
        return xpl_reply_error(call, &err);
    xpl_reply_etag(call, etag);
    return xpl_reply_json_text(call, 200, xpl_text_of(text));
}
