/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/record_filters.h"

#include <stdlib.h>
#include <string.h>

#include "api/configuration/resource.h"
#include "api/handlers.h"
#include "api/json_text.h"
#include "api/paging.h"
#include "lib/base/time.h"

#define DEFAULT_LIMIT 100

static const char *const operator_names[XPL_N_OPERATORS] = {
    [XPL_OPERATOR_EQ] = "eq", [XPL_OPERATOR_GT] = "gt",     [XPL_OPERATOR_GTE] = "gte",
    [XPL_OPERATOR_LT] = "lt", [XPL_OPERATOR_LTE] = "lte",   [XPL_OPERATOR_LIKE] = "like",
    [XPL_OPERATOR_IN] = "in", [XPL_OPERATOR_NULL] = "null", [XPL_OPERATOR_NONNULL] = "nonnull",
};

static enum xpl_status find_column(const char *parameter, const char *name, enum xpl_record_column *ret,
                                   struct xpl_error *err)
{
    for (int i = 0; i < XPL_RECORD_N_COLUMNS; i++) {
        if (strcmp(xpl_record_column_names[i], name) == 0) {
            *ret = (enum xpl_record_column)i;
            return XPL_OK;
        }
    }
    return xpl_fail_field(err, XPL_BAD_FIELD, parameter,
                          "\"%.60s\" is not a column: scoring_id, transaction_id, scoring_timestamp, response_time,"
                          " prediction, prediction_probability, asset_revision, user_id, deployment_id",
                          name);
}

static enum xpl_status find_operator(const char *name, enum xpl_record_operator *ret, struct xpl_error *err)
{
    if (strcmp(name, "exists") == 0) /* as distributions call it */
        name = operator_names[XPL_OPERATOR_NONNULL];
    for (int i = 0; i < XPL_N_OPERATORS; i++) {
        if (strcmp(operator_names[i], name) == 0) {
            *ret = (enum xpl_record_operator)i;
            return XPL_OK;
        }
    }
    return xpl_fail_field(err, XPL_BAD_FIELD, "filter",
                          "\"%.40s\" is not an operator: eq, gt, gte, lt, lte, like, in, null, nonnull", name);
}

/* ---- values by the column's type ---- */

static enum xpl_status read_number(const char *text, struct xpl_filter_value *ret, struct xpl_error *err)
{
    char *end;

    ret->type = XPL_FILTER_DOUBLE;
    ret->number = strtod(text, &end);
    if (!*text || *end)
        return xpl_fail_field(err, XPL_BAD_FIELD, "filter", "\"%.40s\" is not a number", text);
    return XPL_OK;
}

static enum xpl_status read_time(const char *text, struct xpl_filter_value *ret, struct xpl_error *err)
{
    ret->type = XPL_FILTER_INT;
    if (!xpl_time_parse(text, &ret->integer))
        return xpl_fail_field(err, XPL_BAD_FIELD, "filter", "\"%.40s\" is not a time such as 2024-03-21T11:45:41Z",
                              text);
    return XPL_OK;
}

/* How a text stands between the quotes of JSON; NULL without memory. */
static const char *as_json(struct xpl_arena *arena, const char *text)
{
    XPL_AUTO_JSON string = json_string(text);
    const char *quoted = string ? xpl_json_text(arena, string) : NULL;

    return quoted ? xpl_arena_string_n(arena, quoted + 1, strlen(quoted) - 2) : NULL;
}

/* A class index or a label. LIKE compares text in any case. */
static enum xpl_status read_prediction(struct xpl_arena *arena, const char *text, enum xpl_record_operator operator,
                                       struct xpl_filter_value * ret, struct xpl_error *err)
{
    char *end;

    *ret =
        (struct xpl_filter_value){.type = XPL_FILTER_TEXT, .text = as_json(arena, text), .number = strtod(text, &end)};
    if (*text && !*end && operator!= XPL_OPERATOR_LIKE)
        ret->type = XPL_FILTER_DOUBLE;
    return ret->text ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status read_value(struct xpl_arena *arena, const struct xpl_record_filter *filter, const char *text,
                                  struct xpl_filter_value *ret, struct xpl_error *err)
{
    switch (filter->column) {
    case XPL_RECORD_SCORING_TIMESTAMP:
        return read_time(text, ret, err);
    case XPL_RECORD_RESPONSE_TIME:
    case XPL_RECORD_PREDICTION_PROBABILITY:
        return read_number(text, ret, err);
    case XPL_RECORD_PREDICTION:
        return read_prediction(arena, text, filter->operator, ret, err);
    case XPL_RECORD_SCORING_ID:
    case XPL_RECORD_TRANSACTION_ID:
    case XPL_RECORD_ASSET_REVISION:
    case XPL_RECORD_USER_ID:
    case XPL_RECORD_DEPLOYMENT_ID:
    case XPL_RECORD_N_COLUMNS:
        break;
    }
    *ret = (struct xpl_filter_value){.type = XPL_FILTER_TEXT, .text = text};
    return XPL_OK;
}

static enum xpl_status read_values(struct xpl_arena *arena, struct xpl_record_filter *filter, char *text,
                                   struct xpl_error *err)
{
    bool list = filter->operator== XPL_OPERATOR_IN;

    while (text) {
        char *next = list ? strchr(text, ';') : NULL;
        enum xpl_status st;

        if (next)
            *next++ = '\0';
        if (filter->n_values == XPL_RECORD_MAX_FILTER_VALUES)
            return xpl_fail_field(err, XPL_BAD_FIELD, "filter", "\"in\" has more than %d values",
                                  XPL_RECORD_MAX_FILTER_VALUES);
        if ((st = read_value(arena, filter, text, &filter->values[filter->n_values++], err)))
            return st;
        text = next;
    }
    return XPL_OK;
}

/* The text inside of the parentheses, when its first one is closed by its last character; else the text. */
static char *without_parentheses(char *text)
{
    size_t length = strlen(text), depth = 0;

    if (*text != '(')
        return text;
    for (size_t i = 0; i < length; i++) {
        depth += text[i] == '(';
        depth -= text[i] == ')';
        if (depth == 0 && i + 1 < length)
            return text;
    }
    if (depth > 0)
        return text;
    text[length - 1] = '\0';
    return text + 1;
}

/* One condition: column:operator[:value]; a list is column:in:(a;b), column:in(a;b) or column:in:a;b. */
static enum xpl_status read_condition(struct xpl_arena *arena, char *text, struct xpl_record_filter *filter,
                                      struct xpl_error *err)
{
    char *operator_name = strchr(text, ':'), *value, *end;
    bool wants_value, bare;
    enum xpl_status st;

    if (!operator_name)
        return xpl_fail_field(err, XPL_BAD_FIELD, "filter", "\"%.60s\" is not column:operator[:value]", text);
    *operator_name++ = '\0';
    value = operator_name + strcspn(operator_name, ":(");
    bare = *value == '('; /* column:in(a;b) */
    if (bare && (end = strrchr(value, ')')))
        *end = '\0';
    if (*value)
        *value++ = '\0';
    else
        value = NULL;
    if ((st = find_column("filter", text, &filter->column, err)) ||
        (st = find_operator(operator_name, &filter->operator, err)))
        return st;
    wants_value = filter->operator!= XPL_OPERATOR_NULL && filter->operator!= XPL_OPERATOR_NONNULL;
    if (wants_value != (value != NULL))
        return xpl_fail_field(err, XPL_BAD_FIELD, "filter", "%s %s a value", operator_name,
                              wants_value ? "needs" : "does not take");
    if (filter->operator== XPL_OPERATOR_IN && !bare)
        value = without_parentheses(value);
    return read_values(arena, filter, value, err);
}

enum xpl_status xpl_record_filter_read(struct xpl_arena *arena, const char *filter, struct xpl_record_query *query,
                                       struct xpl_error *err)
{
    char *text = xpl_arena_string(arena, filter);

    while (text && *text) {
        char *next = strchr(text, ',');
        enum xpl_status st;

        if (next)
            *next++ = '\0';
        if (query->n_filters == XPL_RECORD_MAX_FILTERS)
            return xpl_fail_field(err, XPL_BAD_FIELD, "filter", "has more than %d conditions", XPL_RECORD_MAX_FILTERS);
        if ((st = read_condition(arena, text, &query->filters[query->n_filters++], err)))
            return st;
        text = next;
    }
    return XPL_OK;
}

static enum xpl_status read_order(struct xpl_call *call, struct xpl_record_query *query, struct xpl_error *err)
{
    char *text = xpl_arena_string(call->arena, xpl_call_query(call, "order")), *direction;

    if (!text || !*text)
        return XPL_OK;
    if (strcmp(text, "random") == 0) {
        query->order = XPL_ORDER_RANDOM;
        return XPL_OK;
    }
    direction = strchr(text, ':');
    if (direction)
        *direction++ = '\0';
    query->descending = direction && strcmp(direction, "desc") == 0;
    if (direction && !query->descending && strcmp(direction, "asc") != 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "order", "\"%.20s\" is neither asc nor desc", direction);
    query->order = XPL_ORDER_COLUMN;
    return find_column("order", text, &query->order_column, err);
}

/* ---- which columns ---- */

static enum xpl_status mark_columns(const char *parameter, const char *list, bool value, struct xpl_record_view *view,
                                    struct xpl_error *err)
{
    while (*list) {
        size_t length = strcspn(list, ",");
        enum xpl_record_view_column column = xpl_record_view_column_of(list, length);

        if (column == XPL_VIEW_N_COLUMNS)
            return xpl_fail_field(err, XPL_BAD_FIELD, parameter, "\"%.*s\" is not a column of a record",
                                  (int)(length < 60 ? length : 60), list);
        view->shown[column] = value;
        list += length + (list[length] == ',');
    }
    return XPL_OK;
}

enum xpl_status xpl_record_view_read_binary_format(struct xpl_call *call, struct xpl_record_view *view,
                                                   struct xpl_error *err)
{
    const char *format = xpl_call_query(call, "binary_format");

    if (format && strcmp(format, "reference") != 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "binary_format", "\"%.20s\" is not \"reference\"", format);
    view->image_by_reference = format != NULL;
    return XPL_OK;
}

static enum xpl_status read_view(struct xpl_call *call, struct xpl_record_view *view, struct xpl_error *err)
{
    const char *includes = xpl_call_query(call, "includes"), *exclude = xpl_call_query(call, "exclude");
    bool without_annotations;
    enum xpl_status st;

    *view = xpl_record_view_default();
    if (includes && *includes) {
        memset(view->shown, 0, sizeof view->shown);
        if ((st = mark_columns("includes", includes, true, view, err)))
            return st;
    }
    if (exclude && (st = mark_columns("exclude", exclude, false, view, err)))
        return st;
    if ((st = xpl_record_view_read_binary_format(call, view, err)))
        return st;
    st = xpl_query_bool(call, "exclude_annotations", false, &without_annotations, err);
    view->annotations = !without_annotations;
    return st;
}

/* IBM's SDK sends the seed as a float: 7 arrives as 7.0. */
static enum xpl_status read_seed(struct xpl_call *call, int64_t *ret, struct xpl_error *err)
{
    const char *text = xpl_call_query(call, "seed");
    double value;
    char *end;

    *ret = 0;
    if (!text || !*text)
        return XPL_OK;
    value = strtod(text, &end);
    if (*end || !(value >= 0 && value <= INT32_MAX))
        return xpl_fail_field(err, XPL_BAD_FIELD, "seed", "\"%.40s\" is not a number from 0 to %d", text, INT32_MAX);
    *ret = (int64_t)value;
    return XPL_OK;
}

enum xpl_status xpl_record_selection_read(struct xpl_call *call, struct xpl_record_query *ret_query,
                                          struct xpl_record_view *ret_view, struct xpl_error *err)
{
    enum xpl_status st;

    *ret_query = (struct xpl_record_query){.data_mart_id = call->data_mart_id};
    if ((st = xpl_query_time(call, "start", 0, &ret_query->start, err)) ||
        (st = xpl_query_time(call, "end", 0, &ret_query->end, err)) ||
        (st = xpl_record_filter_read(call->arena, xpl_call_query(call, "filter"), ret_query, err)))
        return st;
    return read_view(call, ret_view, err);
}

enum xpl_status xpl_record_query_read(struct xpl_call *call, struct xpl_record_query *ret_query,
                                      struct xpl_record_view *ret_view, struct xpl_error *err)
{
    enum xpl_status st;

    if ((st = xpl_record_selection_read(call, ret_query, ret_view, err)) ||
        (st = xpl_query_int(call, "limit", 0, INT32_MAX, DEFAULT_LIMIT, &ret_query->limit, err)) ||
        (st = xpl_query_int(call, "offset", 0, INT64_MAX, 0, &ret_query->offset, err)) ||
        (st = read_seed(call, &ret_query->seed, err)) || (st = read_order(call, ret_query, err)) ||
        (st = xpl_record_key_read(call, ret_query, err)))
        return st;
    if (ret_query->limit > XPL_RECORDS_PAGE_MAX)
        ret_query->limit = XPL_RECORDS_PAGE_MAX;
    if (ret_view->shown[XPL_VIEW_SCORING_INPUT] && !ret_view->image_by_reference &&
        ret_query->limit > XPL_IMAGES_PAGE_MAX)
        ret_query->limit = XPL_IMAGES_PAGE_MAX;
    return XPL_OK;
}
