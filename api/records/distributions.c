/* SPDX-License-Identifier: Apache-2.0 */
/* How records are distributed: counted by prediction, probability, time and other columns. What was counted is kept. */
#include "db/distributions.h"

#include <math.h>
#include <string.h>

#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "api/records/distributions_read.h"
#include "api/records/records.h"
#include "lib/base/time.h"

/* ---- rows ---- */

static json_t *edge(const struct xpl_distribution_axis *axis, int64_t bin)
{
    double value = axis->low + axis->width * (double)bin;
    char text[XPL_TIME_TEXT_SIZE];

    if (axis->column == XPL_RECORD_SCORING_TIMESTAMP)
        return json_string(xpl_time_format((int64_t)value, text));
    return json_real(value);
}

/* A bin is [from, to]; a prediction is the JSON it is stored as. */
static json_t *group_view(const struct xpl_distribution_axis *axis, const char *value, int64_t bin)
{
    if (axis->n_bins)
        return bin < 0 ? json_null() : json_pack("[o, o]", edge(axis, bin), edge(axis, bin + 1));
    if (!value)
        return json_null();
    return axis->column == XPL_RECORD_PREDICTION ? json_loads(value, JSON_DECODE_ANY, NULL) : json_string(value);
}

static double deviation(const struct xpl_distribution_numbers *x)
{
    double n = (double)x->n;

    return sqrt(fmax(0, (x->squares - x->sum * x->sum / n) / (n - 1)));
}

static json_t *aggregate_view(const struct xpl_distribution_row *row, enum xpl_aggregate what,
                              enum xpl_distribution_number of)
{
    const struct xpl_distribution_numbers *x = &row->numbers[of];

    if (what == XPL_AGGREGATE_COUNT)
        return json_integer(row->n);
    if (x->n == 0 || (what == XPL_AGGREGATE_STDDEV && x->n == 1))
        return json_null();
    switch (what) {
    case XPL_AGGREGATE_SUM:
        return json_real(x->sum);
    case XPL_AGGREGATE_MIN:
        return json_real(x->low);
    case XPL_AGGREGATE_MAX:
        return json_real(x->high);
    case XPL_AGGREGATE_AVG:
        return json_real(x->sum / (double)x->n);
    case XPL_AGGREGATE_STDDEV:
        return json_real(deviation(x));
    case XPL_AGGREGATE_COUNT:
        break;
    }
    return json_null();
}

static json_t *table(const struct xpl_distribution_request *r, const struct xpl_distribution_row *rows, size_t n)
{
    json_t *fields = json_array(), *values = json_array();

    for (size_t k = 0; k < r->query.n_axes; k++)
        json_array_append_new(fields, json_string(xpl_record_column_names[r->query.axes[k].column]));
    for (size_t k = 0; k < r->n_aggregates; k++)
        json_array_append_new(fields, json_string(r->aggregates[k].name));
    for (size_t i = 0; i < n; i++) {
        json_t *row = json_array();

        for (size_t k = 0; k < r->query.n_axes; k++)
            json_array_append_new(row, group_view(&r->query.axes[k], rows[i].groups[k].value, rows[i].groups[k].bin));
        for (size_t k = 0; k < r->n_aggregates; k++)
            json_array_append_new(row, aggregate_view(&rows[i], r->aggregates[k].what, r->aggregates[k].of));
        json_array_append_new(values, row);
    }
    return json_pack("{s:o, s:o}", "fields", fields, "values", values);
}

/* ---- counting ---- */

/* The bins of the response time reach from the shortest to the longest. */
static void set_bins(struct xpl_distribution_request *r, const struct xpl_distribution_row *total)
{
    const struct xpl_distribution_numbers *x = &total->numbers[XPL_DISTRIBUTION_RESPONSE_TIME];

    for (size_t i = 0; i < r->query.n_axes; i++) {
        struct xpl_distribution_axis *axis = &r->query.axes[i];

        if (axis->column != XPL_RECORD_RESPONSE_TIME)
            continue;
        axis->low = x->n ? x->low : 0;
        axis->width = x->n && x->high > x->low ? (x->high - x->low) / r->max_bins : 1;
    }
}

static enum xpl_status count(struct xpl_call *call, struct xpl_distribution_request *r, json_t **ret,
                             struct xpl_error *err)
{
    struct xpl_record_query one_more = r->query.records;
    struct xpl_distribution_row total, *rows = NULL;
    enum xpl_status st;
    bool limited;
    size_t n = 0;

    one_more.limit++;
    if ((st = xpl_distribution_total(call->db, call->arena, &one_more, &total, err)))
        return st;
    set_bins(r, &total);
    /* a filter that little matches has read all of the window by now */
    if (total.n > 0 && (st = xpl_distribution_count(call->db, call->arena, &r->query, &rows, &n, err)))
        return st;
    limited = total.n > r->query.records.limit;
    *ret = json_pack("{s:{s:s}, s:I, s:b, s:o}", "status", "state", "finished", "processed_records",
                     (json_int_t)(limited ? r->query.records.limit : total.n), "limited_data", limited, "distribution",
                     table(r, rows, n));
    if (!*ret || json_object_update_missing(*ret, r->body))
        return xpl_no_memory(err);
    return XPL_OK;
}

/* ---- handlers ---- */

static json_t *view(const struct xpl_distribution *d)
{
    char created[XPL_TIME_TEXT_SIZE];

    return json_pack("{s:{s:s, s:o, s:s, s:s}, s:o}", "metadata", "id", d->id, "url",
                     json_sprintf("/v2/data_sets/%s/distributions/%s", d->data_set_id, d->id), "created_at",
                     xpl_time_format(d->created_at, created), "created_by", d->created_by, "entity",
                     json_loads(d->entity, 0, NULL));
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct xpl_distribution *d = arg;
    enum xpl_status st;

    if ((st = xpl_check_data_set(db, call, err)) || (st = xpl_distribution_insert(db, d, err)))
        return st;
    xpl_reply_json(call, 202, view(d));
    return XPL_OK;
}

static enum xpl_status make(struct xpl_call *call, struct xpl_distribution *ret, struct xpl_error *err)
{
    struct xpl_distribution_request request = {0};
    struct xpl_resource data_set;
    XPL_AUTO_JSON entity = NULL;
    char id[XPL_UUID_SIZE];
    enum xpl_status st;

    if ((st = xpl_check_data_set(call->db, call, err)) ||
        (st = xpl_resource_get(call->db, call->arena, &xpl_kind_data_set, call->data_mart_id, call->path_params[0],
                               &data_set, err)))
        return st;
    st = xpl_distribution_request_read(call, data_set.columns[2] ? data_set.columns[2] : "", &request, err);
    if (!st)
        st = count(call, &request, &entity, err);
    *ret = (struct xpl_distribution){.id = xpl_arena_string(call->arena, xpl_uuid(id)),
                                     .data_mart_id = call->data_mart_id,
                                     .data_set_id = call->path_params[0],
                                     .entity = entity ? xpl_json_text(call->arena, entity) : NULL,
                                     .created_at = xpl_now_us(),
                                     .created_by = call->user};
    json_decref(request.body);
    if (!st && (!ret->id || !ret->entity))
        return xpl_no_memory(err);
    return st;
}

enum xpl_answered xpl_distributions_add(struct xpl_call *call)
{
    struct xpl_distribution *distribution = XPL_NEW(call->arena, struct xpl_distribution);
    struct xpl_error err = {0};

    if (!distribution)
        return xpl_reply_json(call, 503, NULL);
    if (make(call, distribution, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, distribution, strlen(distribution->entity));
}

enum xpl_answered xpl_distributions_get(struct xpl_call *call)
{
    const char *id = call->path_params[1];
    struct xpl_distribution distribution;
    struct xpl_error err = {0};
    enum xpl_status st = xpl_check_data_set(call->db, call, &err);

    if (!st && (st = xpl_distribution_get(call->db, call->arena, call->path_params[0], id, &distribution, &err)) ==
                   XPL_NOT_FOUND)
        xpl_resource_missing("distribution", id, &err);
    return st ? xpl_reply_error(call, &err) : xpl_reply_json(call, 200, view(&distribution));
}

static enum xpl_status run_delete(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    enum xpl_status st;

    (void)arg;
    if ((st = xpl_check_data_set(db, call, err)) || (st = xpl_distributions_delete(db, call->path_params[0], err)))
        return st;
    xpl_reply_json(call, 202, json_object());
    return XPL_OK;
}

enum xpl_answered xpl_distributions_delete_all(struct xpl_call *call)
{
    return xpl_reply_after_commit(call, run_delete, NULL, 0);
}
