/* SPDX-License-Identifier: Apache-2.0 */
#include "server/explain_data.h"

#include "api/json_spec.h"
#include "api/scoring_hints.h"
#include "api/service_providers.h"
#include "api/subscriptions.h"

struct loading {
    struct xpl_app *app;
    struct xpl_db *db;
    struct xpl_arena *arena;
    const struct xpl_task *task;
};

static enum xpl_status load_entities(const struct loading *l, struct xpl_task_data *ret, struct xpl_error *err)
{
    const struct xpl_task *task = l->task;
    const char *provider_id;
    enum xpl_status st;

    st = xpl_subscription_load(l->app, l->db, l->arena, task->data_mart_id, task->subscription_id, &ret->subscription,
                               err);
    if (st)
        return st;
    provider_id = xpl_json_string_at(ret->subscription, "service_provider_id");
    st = xpl_provider_load(l->app, l->db, l->arena, task->data_mart_id, provider_id ? provider_id : "", &ret->provider,
                           err);
    return st ? st : xpl_scoring_hints(l->arena, ret->subscription, &ret->hints, err);
}

static enum xpl_status load_pixels(const struct loading *l, const struct xpl_record *record,
                                   struct xpl_request **ret_request, struct xpl_pixels **ret, struct xpl_error *err)
{
    struct xpl_text text;
    enum xpl_status st;

    if ((st = xpl_payload_load(l->db, l->arena, record->payload_id, &text, NULL, err)) ||
        (st = xpl_request_read(l->arena, text, ret_request, err)))
        return st;
    if (record->image_index >= (*ret_request)->n_images)
        return xpl_fail(err, XPL_STORAGE_FAILED, "the stored payload is damaged");
    return xpl_request_pixels(l->arena, *ret_request, (uint32_t)record->image_index, ret, err);
}

static enum xpl_status load_background(const struct loading *l, const char *scoring_id, struct xpl_pixels **ret,
                                       struct xpl_error *err)
{
    struct xpl_request *request;
    struct xpl_record *found;
    enum xpl_status st;
    size_t n;

    st = xpl_records_by_scoring_id(l->db, l->arena, l->task->data_mart_id, l->task->subscription_id, scoring_id, &found,
                                   &n, err);
    if (!st && n != 1)
        return xpl_fail(err, XPL_NOT_FOUND, "the background image %.100s is not there any more", scoring_id);
    return st ? st : load_pixels(l, found, &request, ret, err);
}

enum xpl_status xpl_task_data_load(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                   const struct xpl_task *task, const struct xpl_explain_params *params,
                                   struct xpl_task_data *ret, struct xpl_error *err)
{
    struct loading l = {app, db, arena, task};
    enum xpl_status st;

    *ret = (struct xpl_task_data){0};
    if ((st = load_entities(&l, ret, err)) ||
        (st = xpl_record_get(db, arena, task->data_mart_id, NULL, task->record_id, &ret->record, err)) ||
        (st = load_pixels(&l, &ret->record, &ret->request, &ret->image, err)))
        return st;
    return params->fill == XPL_FILL_IMAGE ? load_background(&l, params->background, &ret->background, err) : XPL_OK;
}

void xpl_task_data_release(struct xpl_task_data *data)
{
    json_decref(data->subscription);
    json_decref(data->provider);
}
