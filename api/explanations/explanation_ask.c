/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for explanations: of what was logged, and of images that are logged with their tasks. */
#include <stdio.h>
#include <string.h>

#include "api/configuration/resource.h"
#include "api/explanations/explanation_ask.h"
#include "api/explanations/explanation_plan.h"
#include "api/explanations/explanation_request.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/records/record_batch.h"
#include "db/tasks.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

/* A task to be queued. */
struct planned_task {
    struct xpl_task task;
    const struct xpl_record *row; /* of the batch: its id is known when it is stored; NULL = logged before */
};

struct plan {
    struct xpl_explanation_request request;
    struct planned_task *tasks;
    size_t n, n_scoring_ids;
    struct xpl_record_batch rows;
};

/* ---- planning ---- */

static enum xpl_status plan_scoring_ids(struct xpl_call *call, struct plan *plan, struct xpl_error *err)
{
    for (size_t i = 0; i < plan->n_scoring_ids; i++) {
        const char *scoring_id = json_string_value(json_array_get(plan->request.scoring_ids, i));
        struct xpl_record record = {0};
        enum xpl_status st;

        if ((st = xpl_explanation_find_record(call, scoring_id, plan->request.subscription_id, &record, err)) ||
            (st = xpl_explanation_plan(call, &plan->request, &record, &plan->tasks[i].task, err)))
            return st;
    }
    return XPL_OK;
}

static enum xpl_status plan_rows(struct xpl_call *call, struct plan *plan, struct xpl_error *err)
{
    struct planned_task *next = &plan->tasks[plan->n_scoring_ids];

    for (size_t i = 0; i < plan->rows.n; i++) {
        const struct xpl_prepared *prepared = &plan->rows.prepared[i];

        for (uint32_t k = 0; k < prepared->n_records; k++, next++) {
            enum xpl_status st = xpl_explanation_plan(call, &plan->request, &prepared->records[k], &next->task, err);

            if (st)
                return st;
            next->row = &prepared->records[k];
        }
    }
    return XPL_OK;
}

static enum xpl_status check_rows(struct xpl_call *call, struct plan *plan, struct xpl_error *err)
{
    const struct xpl_explanation_request *request = &plan->request;
    struct xpl_error inner = {0};
    enum xpl_status st;

    if (request->n_rows == 0)
        return XPL_OK;
    if ((st = xpl_record_batch_of_subscription(call, request->subscription_id, &plan->rows, err)))
        return st;
    plan->rows.automatic.n_rules = 0;
    st = xpl_record_batch_prepare(call, &plan->rows, request->rows, request->n_rows, &inner);
    xpl_error_prefix(&inner, "input_rows");
    return st ? xpl_fail_field(err, st, inner.field, "%s", inner.message) : XPL_OK;
}

static enum xpl_status make_plan(struct xpl_call *call, struct plan *plan, struct xpl_error *err)
{
    enum xpl_status st = xpl_explanation_request_read(call, &plan->request, err);

    if (st || (st = check_rows(call, plan, err)))
        return st;
    plan->n_scoring_ids = json_array_size(plan->request.scoring_ids);
    plan->n = plan->n_scoring_ids + plan->rows.n_records;
    if (plan->n > XPL_TASKS_PER_REQUEST)
        return xpl_fail_field(err, XPL_BAD_FIELD, "input_rows", "%zu explanations are asked for; the limit is %u",
                              plan->n, XPL_TASKS_PER_REQUEST);
    if (!(plan->tasks = XPL_NEW_ARRAY(call->arena, struct planned_task, plan->n)))
        return xpl_no_memory(err);
    if ((st = plan_scoring_ids(call, plan, err)))
        return st;
    return plan_rows(call, plan, err);
}

/* ---- the write ---- */

/* What a row was logged as is known now: a repeated one is the record that is there. */
static enum xpl_status store_rows(struct xpl_db *db, struct xpl_call *call, struct plan *plan, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    const char *request_id;
    enum xpl_status st;

    if (plan->rows.n == 0)
        return XPL_OK;
    if ((st = xpl_record_batch_store(db, call, &plan->rows, &request_id, &inner))) {
        if (*inner.field)
            xpl_error_prefix(&inner, "input_rows");
        return xpl_fail_field(err, st, inner.field, "%s", inner.message);
    }
    for (size_t i = plan->n_scoring_ids; i < plan->n; i++)
        plan->tasks[i].task.record_id = plan->tasks[i].row->id;
    return XPL_OK;
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct plan *plan = arg;
    const char **task_ids = XPL_NEW_ARRAY(call->arena, const char *, plan->n);
    XPL_AUTO_JSON ids = json_array();
    char when[XPL_TIME_TEXT_SIZE];
    enum xpl_status st = task_ids ? store_rows(db, call, plan, err) : xpl_no_memory(err);

    for (size_t i = 0; !st && i < plan->n; i++) {
        st = xpl_explanation_queue(db, call, &plan->tasks[i].task, &task_ids[i], err);
        json_array_append_new(ids, json_string(st ? "" : task_ids[i]));
    }
    if (st)
        return st;
    if (xpl_call_waits(call))
        xpl_reply_hold_for_tasks(call, task_ids, plan->n);
    call->app->workers.wake(call->app->workers.context);
    xpl_reply_json(call, 202,
                   json_pack("{s:{s:O, s:s, s:s}}", "metadata", "explanation_task_ids", ids, "created_by", call->user,
                             "created_at", xpl_time_format(plan->tasks[0].task.created_at, when)));
    return XPL_OK;
}

enum xpl_answered xpl_explanation_tasks_add(struct xpl_call *call)
{
    struct plan *plan = XPL_NEW(call->arena, struct plan);
    struct xpl_error err = {0};
    enum xpl_status st;

    if (!plan)
        return xpl_reply_json(call, 503, NULL);
    xpl_call_read_prefer(call);
    st = make_plan(call, plan, &err);
    json_decref(plan->request.body);
    return st ? xpl_reply_error(call, &err) : xpl_reply_after_commit(call, run_add, plan, call->body.length);
}

/* ---- one task, asked for in another form ---- */

struct single {
    struct xpl_task task;
    xpl_asked_fn reply;
};

static enum xpl_status run_ask(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct single *single = arg;
    const char *task_id;
    enum xpl_status st = xpl_explanation_queue(db, call, &single->task, &task_id, err);

    if (st)
        return st;
    call->app->workers.wake(call->app->workers.context);
    single->reply(call, task_id);
    return XPL_OK;
}

enum xpl_answered xpl_explanation_ask(struct xpl_call *call, const char *scoring_id, const char *subscription_id,
                                      const char *field, xpl_asked_fn reply)
{
    const struct xpl_explanation_request plain = {.subscription_id = subscription_id};
    struct single *single = XPL_NEW(call->arena, struct single);
    struct xpl_record record = {0};
    struct xpl_error inner = {0}, err = {0};

    if (!single)
        return xpl_reply_json(call, 503, NULL);
    single->reply = reply;
    if (xpl_explanation_find_record(call, scoring_id, subscription_id, &record, &inner)) {
        xpl_fail_field(&err, inner.status, strcmp(inner.field, "scoring_ids") == 0 ? field : inner.field, "%s",
                       inner.message);
        return xpl_reply_error(call, &err);
    }
    if (xpl_explanation_plan(call, &plain, &record, &single->task, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_ask, single, 1024);
}
