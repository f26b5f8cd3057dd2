/* SPDX-License-Identifier: Apache-2.0 */
/* What a task is about, read from the database: the subscription, its model, the image. */
#ifndef XPL_SERVER_EXPLAIN_DATA_H
#define XPL_SERVER_EXPLAIN_DATA_H

#include <jansson.h>

#include "api/app.h"
#include "db/records.h"
#include "db/tasks.h"
#include "lib/explain/params.h"
#include "lib/scoring/model_settings.h"
#include "lib/scoring/requests/request.h"

struct xpl_task_data {
    json_t *subscription, *provider;
    struct xpl_model_settings model;
    struct xpl_record record;
    struct xpl_request *request; /* the logged one, whose image number record.image_index is explained */
    struct xpl_pixels *image;
    struct xpl_pixels *background; /* of the fill `image`, else NULL */
};

/** All but the JSON lives in `arena`. On an error, too, *ret is to be released. */
enum xpl_status xpl_task_data_load(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                   const struct xpl_task *task, const struct xpl_explain_params *params,
                                   struct xpl_task_data *ret, struct xpl_error *err);

void xpl_task_data_release(struct xpl_task_data *data);

#endif
