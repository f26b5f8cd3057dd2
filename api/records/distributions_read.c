/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/distributions_read.h"

#include <stdio.h>
#include <string.h>

#include "api/json_spec.h"
#include "api/records/record_filters.h"
#include "lib/base/time.h"

#define LIMIT_MAX    50000
#define DEFAULT_BINS 10
#define MAX_BINS     100

struct request {
    const char *start, *end, *dataset, *filter;
    json_t *group, *agg;
    double limit, max_bins;
};

/* ---- columns ---- */

static enum xpl_status bad(struct xpl_error *err, const char *list, size_t i, const char *name, const char *why)
{
    char field[32];

    snprintf(field, sizeof field, "%s[%zu]", list, i);
    return xpl_fail_field(err, XPL_BAD_FIELD, field, "\"%.60s\" %s", name, why);
}

static const char *why_not_grouped(const char *name)
{
    static const struct {
        const char *name, *why;
    } known[] = {
        {"scoring_id", "is another one in every record: there is nothing to count by it"},
        {"transaction_id", "is another one in nearly every record: there is nothing to count by it"},
        {"probability", "is a list; prediction_probability is that of the prediction"},
        {"scoring_input", "is an image, which cannot be counted by"},
    };

    for (size_t i = 0; i < XPL_COUNT(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].why;
    return "is not a column to count by: prediction, prediction_probability, scoring_timestamp, response_time,"
           " asset_revision, user_id, deployment_id";
}

static bool find_groupable(const char *name, enum xpl_record_column *ret)
{
    for (int i = 0; i < XPL_RECORD_N_COLUMNS; i++) {
        if (i == XPL_RECORD_SCORING_ID || i == XPL_RECORD_TRANSACTION_ID ||
            strcmp(xpl_record_column_names[i], name) != 0)
            continue;
        *ret = (enum xpl_record_column)i;
        return true;
    }
    return false;
}

static enum xpl_status read_group(const json_t *group, struct xpl_distribution_request *r, struct xpl_error *err)
{
    const struct xpl_record_query *records = &r->query.records;
    json_t *element;
    size_t i;

    json_array_foreach(group, i, element)
    {
        const char *name = json_string_value(element);
        struct xpl_distribution_axis *axis = &r->query.axes[i];

        if (!find_groupable(name, &axis->column))
            return bad(err, "group", i, name, why_not_grouped(name));
        for (size_t k = 0; k < i; k++)
            if (r->query.axes[k].column == axis->column)
                return bad(err, "group", i, name, "is there twice");
        r->query.n_axes++;
        if (axis->column == XPL_RECORD_SCORING_TIMESTAMP) {
            axis->low = (double)records->start;
            axis->width = (double)(records->end - records->start) / r->max_bins;
        } else if (axis->column == XPL_RECORD_PREDICTION_PROBABILITY) {
            axis->width = 1.0 / r->max_bins;
        } else if (axis->column != XPL_RECORD_RESPONSE_TIME) {
            continue;
        }
        axis->n_bins = r->max_bins;
    }
    return XPL_OK;
}

/* ---- aggregates ---- */

static enum xpl_status read_aggregate(const char *text, size_t i, struct xpl_distribution_request *r,
                                      struct xpl_error *err)
{
    static const char *const names[] = {[XPL_AGGREGATE_SUM] = ":sum",
                                        [XPL_AGGREGATE_MIN] = ":min",
                                        [XPL_AGGREGATE_MAX] = ":max",
                                        [XPL_AGGREGATE_AVG] = ":avg",
                                        [XPL_AGGREGATE_STDDEV] = ":stddev"};
    static const char *const columns[] = {
        [XPL_DISTRIBUTION_PROBABILITY] = "prediction_probability", [XPL_DISTRIBUTION_RESPONSE_TIME] = "response_time"};

    r->aggregates[i].name = text;
    if (strcmp(text, "count") == 0)
        return XPL_OK;
    for (size_t c = 0; c < XPL_COUNT(columns); c++) {
        size_t length = strlen(columns[c]);

        for (size_t k = XPL_AGGREGATE_SUM; k < XPL_COUNT(names); k++) {
            if (strncmp(text, columns[c], length) != 0 || strcmp(text + length, names[k]) != 0)
                continue;
            r->aggregates[i].what = (enum xpl_aggregate)k;
            r->aggregates[i].of = (enum xpl_distribution_number)c;
            return XPL_OK;
        }
    }
    return bad(err, "agg", i, text,
               "is neither count nor column:sum, :min, :max, :avg or :stddev of prediction_probability or"
               " response_time");
}

static enum xpl_status read_aggregates(const json_t *list, struct xpl_distribution_request *r, struct xpl_error *err)
{
    json_t *element;
    enum xpl_status st;
    size_t i;

    r->n_aggregates = list ? json_array_size(list) : 1;
    if (!list)
        return read_aggregate("count", 0, r, err);
    json_array_foreach(list, i, element)
    {
        if ((st = read_aggregate(json_string_value(element), i, r, err)))
            return st;
    }
    return XPL_OK;
}

/* ---- all of it ---- */

static enum xpl_status read_time(const char *field, const char *text, int64_t *ret, struct xpl_error *err)
{
    if (xpl_time_parse(text, ret))
        return XPL_OK;
    return xpl_fail_field(err, XPL_BAD_FIELD, field, "\"%.40s\" is not a time such as 2024-03-21T11:45:41Z", text);
}

static enum xpl_status read_window(const struct request *request, struct xpl_record_query *ret, struct xpl_error *err)
{
    enum xpl_status st;

    if ((st = read_time("start", request->start, &ret->start, err)) ||
        (st = read_time("end", request->end, &ret->end, err)))
        return st;
    if (ret->start <= 0 || ret->end <= ret->start)
        return xpl_fail_field(err, XPL_BAD_FIELD, "end", "must be later than start, which must be later than 1970");
    return XPL_OK;
}

static enum xpl_status take(struct xpl_call *call, const struct request *request, struct xpl_distribution_request *r,
                            struct xpl_error *err)
{
    enum xpl_status st;

    r->max_bins = (uint32_t)request->max_bins;
    r->query.records.limit = (int64_t)request->limit;
    if ((st = read_window(request, &r->query.records, err)) ||
        (st = xpl_record_filter_read(call->arena, request->filter, &r->query.records, err)) ||
        (st = read_group(request->group, r, err)))
        return st;
    return read_aggregates(request->agg, r, err);
}

enum xpl_status xpl_distribution_request_read(struct xpl_call *call, const char *type,
                                              struct xpl_distribution_request *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct request, start, .required = true),
        XPL_JSON_STRING(struct request, end, .required = true),
        XPL_JSON_STRING(struct request, dataset, .required = true),
        XPL_JSON_ARRAY_FIELD(struct request, group, .required = true, .min = 1, .max = XPL_DISTRIBUTION_MAX_AXES,
                             .strings = true),
        XPL_JSON_NUMBER_FIELD(struct request, limit, .min = 1, .max = LIMIT_MAX),
        XPL_JSON_STRING(struct request, filter),
        XPL_JSON_ARRAY_FIELD(struct request, agg, .min = 1, .max = XPL_DISTRIBUTION_MAX_AGGREGATES, .strings = true),
        XPL_JSON_NUMBER_FIELD(struct request, max_bins, .min = 1, .max = MAX_BINS),
    };
    static const char *const members[] = {"start",  "end", "dataset",  "group", "limit",
                                          "filter", "agg", "max_bins", NULL};
    struct request request = {.limit = LIMIT_MAX, .max_bins = DEFAULT_BINS};
    enum xpl_status st;

    *ret = (struct xpl_distribution_request){
        .query.records = {.data_mart_id = call->data_mart_id, .data_set_id = call->path_params[0]}};
    if ((st = xpl_call_json(call, &ret->body, err)) || (st = xpl_json_known(ret->body, "", members, err)) ||
        (st = xpl_json_read(ret->body, fields, XPL_COUNT(fields), &request, err)))
        return st;
    if (strcmp(request.dataset, type) != 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "dataset", "is not the type of this data set: \"%.40s\"", type);
    return take(call, &request, ret, err);
}
