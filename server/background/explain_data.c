/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/explain_data.h"

#include "api/configuration/service_providers.h"
#include "api/configuration/subscriptions.h"
#include "api/json_spec.h"
#include "api/records/record_image.h"
#include "api/scoring/model_settings.h"

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
    return st ? st : xpl_model_settings_read(l->arena, ret->subscription, &ret->model, err);
}

static enum xpl_status load_background(const struct loading *l, const char *scoring_id,
                                       const struct xpl_request_hints *hints, struct xpl_pixels **ret,
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
    return st ? st : xpl_record_image_load(l->app, l->db, l->arena, found, hints, &request, ret, err);
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
        (st =
             xpl_record_image_load(app, db, arena, &ret->record, &ret->model.request, &ret->request, &ret->image, err)))
        return st;
    return params->fill == XPL_FILL_IMAGE
               ? load_background(&l, params->background, &ret->model.request, &ret->background, err)
               : XPL_OK;
}

void xpl_task_data_release(struct xpl_task_data *data)
{
    json_decref(data->subscription);
    json_decref(data->provider);
}
