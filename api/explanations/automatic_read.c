/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of the rules, and what they did in one day. */
#include <stdio.h>
#include <string.h>

#include "api/configuration/resource.h"
#include "api/explanations/automatic.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "lib/base/time.h"

#define MAX_RULES         16
#define MAX_LABELS        1000
#define MAX_NAME          64
#define MAX_CALLS         1000000000
#define CALLS_PER_DAY     50000
#define DEFAULT_PRIORITY  5
#define LOWEST_PRIORITY   9
#define MAX_FIRST_AN_HOUR 1000000

struct rule_request {
    const char *name;
    double probability_below, share;
    int64_t first_per_hour, model_calls_per_day, priority;
    json_t *labels;
};

static const struct xpl_json_field rule_fields[] = {
    XPL_JSON_STRING(struct rule_request, name, .required = true, .max = MAX_NAME),
    XPL_JSON_NUMBER_FIELD(struct rule_request, probability_below, .max = 1),
    XPL_JSON_NUMBER_FIELD(struct rule_request, share, .max = 1),
    XPL_JSON_INT(struct rule_request, first_per_hour, .min = 1, .max = MAX_FIRST_AN_HOUR),
    XPL_JSON_INT(struct rule_request, model_calls_per_day, .min = 1, .max = MAX_CALLS),
    XPL_JSON_INT(struct rule_request, priority, .min = 1, .max = LOWEST_PRIORITY),
    XPL_JSON_ARRAY_FIELD(struct rule_request, labels, .min = 1, .max = MAX_LABELS),
};
static const char *const rule_members[] = {
    "name", "probability_below", "share", "first_per_hour", "model_calls_per_day", "priority", "labels", NULL};

struct automatic_request {
    bool enabled;
    int64_t model_calls_per_day;
    json_t *rules;
};

static const struct xpl_json_field fields[] = {
    XPL_JSON_BOOL(struct automatic_request, enabled),
    XPL_JSON_INT(struct automatic_request, model_calls_per_day, .min = 1, .max = MAX_CALLS),
    XPL_JSON_ARRAY_FIELD(struct automatic_request, rules, .required = true, .min = 1, .max = MAX_RULES),
};
static const char *const members[] = {"enabled", "model_calls_per_day", "rules", NULL};

/* ---- one rule ---- */

/* As records hold predictions: the text of a JSON value. */
static enum xpl_status read_labels(struct xpl_arena *arena, const json_t *labels, struct xpl_automatic_rule *ret,
                                   struct xpl_error *err)
{
    json_t *label;
    size_t i;

    ret->n_labels = json_array_size(labels);
    if (!(ret->labels = XPL_NEW_ARRAY(arena, const char *, ret->n_labels + 1)))
        return xpl_no_memory(err);
    json_array_foreach(labels, i, label)
    {
        char field[32];

        snprintf(field, sizeof field, "labels[%zu]", i);
        if (!json_is_string(label) && !json_is_number(label))
            return xpl_fail_field(err, XPL_BAD_FIELD, field,
                                  "must be a string or a number, as the model's predictions");
        if (!(ret->labels[i] = xpl_json_text(arena, label)))
            return xpl_no_memory(err);
    }
    return XPL_OK;
}

static enum xpl_status check_rule(const struct rule_request *rule, struct xpl_error *err)
{
    if (rule->probability_below < 0 && rule->share < 0 && rule->first_per_hour < 0 && !rule->labels)
        return xpl_fail(err, XPL_BAD_FIELD,
                        "needs at least one of probability_below, labels, share and first_per_hour");
    return XPL_OK;
}

static enum xpl_status read_rule(struct xpl_arena *arena, const json_t *json, struct xpl_automatic_rule *ret,
                                 struct xpl_error *err)
{
    struct rule_request rule = {.probability_below = -1,
                                .share = -1,
                                .first_per_hour = -1,
                                .model_calls_per_day = -1,
                                .priority = DEFAULT_PRIORITY};
    enum xpl_status st;

    if (!json_is_object(json))
        return xpl_fail(err, XPL_BAD_FIELD, "must be an object");
    if ((st = xpl_json_known(json, "", rule_members, err)) ||
        (st = xpl_json_read(json, rule_fields, XPL_COUNT(rule_fields), &rule, err)) || (st = check_rule(&rule, err)))
        return st;
    *ret = (struct xpl_automatic_rule){.name = xpl_arena_string(arena, rule.name),
                                       .probability_below = rule.probability_below,
                                       .share = rule.share,
                                       .first_per_hour = rule.first_per_hour,
                                       .model_calls_per_day = rule.model_calls_per_day,
                                       .priority = rule.priority};
    return ret->name ? read_labels(arena, rule.labels, ret, err) : xpl_no_memory(err);
}

/* ---- all of them ---- */

static enum xpl_status check_name(const struct xpl_automatic_rule *rules, size_t i, struct xpl_error *err)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(rules[k].name, rules[i].name) == 0)
            return xpl_fail_field(err, XPL_BAD_FIELD, "name", "\"%s\" is the name of another rule", rules[i].name);
    return XPL_OK;
}

static enum xpl_status read_rules(struct xpl_arena *arena, const json_t *list, struct xpl_automatic *ret,
                                  struct xpl_error *err)
{
    size_t n = json_array_size(list);
    struct xpl_automatic_rule *rules = XPL_NEW_ARRAY(arena, struct xpl_automatic_rule, n);

    if (!rules)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        struct xpl_error inner = {0};
        enum xpl_status st = read_rule(arena, json_array_get(list, i), &rules[i], &inner);
        char prefix[32];

        if (!st)
            st = check_name(rules, i, &inner);
        if (!st)
            continue;
        snprintf(prefix, sizeof prefix, "rules[%zu]", i);
        xpl_error_prefix(&inner, prefix);
        return xpl_fail_field(err, st, inner.field, "%s", inner.message);
    }
    ret->rules = rules;
    ret->n_rules = n;
    return XPL_OK;
}

enum xpl_status xpl_automatic_read(struct xpl_arena *arena, const json_t *automatic, struct xpl_automatic *ret,
                                   struct xpl_error *err)
{
    struct automatic_request request = {.enabled = true, .model_calls_per_day = CALLS_PER_DAY};
    struct xpl_error inner = {0};
    enum xpl_status st;

    *ret = (struct xpl_automatic){0};
    if (!automatic || json_is_null(automatic))
        return XPL_OK;
    if (!json_is_object(automatic))
        return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.automatic", "must be an object, or null");
    if ((st = xpl_json_known(automatic, "", members, &inner)) ||
        (st = xpl_json_read(automatic, fields, XPL_COUNT(fields), &request, &inner)) ||
        (st = read_rules(arena, request.rules, ret, &inner))) {
        xpl_error_prefix(&inner, "parameters.automatic");
        return xpl_fail_field(err, st, inner.field, "%s", inner.message);
    }
    ret->model_calls_per_day = request.model_calls_per_day;
    if (!request.enabled)
        ret->n_rules = 0;
    return XPL_OK;
}

enum xpl_status xpl_automatic_parse(struct xpl_arena *arena, const char *text, struct xpl_automatic *ret,
                                    struct xpl_error *err)
{
    XPL_AUTO_JSON automatic = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

    return xpl_automatic_read(arena, automatic, ret, err);
}

/* ---- the counts ---- */

static json_t *count_view(const struct xpl_automatic_count *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "explanations", (json_int_t)c->explanations, "model_calls",
                     (json_int_t)c->model_calls, "over_budget", (json_int_t)c->over_budget, "queue_full",
                     (json_int_t)c->queue_full, "not_possible", (json_int_t)c->not_possible);
}

static json_t *rule_view(const struct xpl_automatic_count *count)
{
    json_t *view = count_view(count);

    json_object_set_new(view, "name", json_string(count->rule));
    json_object_set_new(view, "this_hour", json_integer(count->in_hour));
    return view;
}

static void add(struct xpl_automatic_count *sum, const struct xpl_automatic_count *count)
{
    sum->explanations += count->explanations;
    sum->model_calls += count->model_calls;
    sum->over_budget += count->over_budget;
    sum->queue_full += count->queue_full;
    sum->not_possible += count->not_possible;
}

json_t *xpl_automatic_view(struct xpl_db *db, struct xpl_call *call, const char *subscription_id, struct xpl_error *err)
{
    struct xpl_automatic_count *counts, sum = {0};
    XPL_AUTO_JSON rules = json_array();
    char day[XPL_TIME_TEXT_SIZE];
    int64_t now = xpl_now_us(), expected;
    json_t *view;
    size_t n;

    if (xpl_automatic_counts(db, call->arena, subscription_id, xpl_hour_of(now), &counts, &n, err) ||
        xpl_automatic_expected(db, subscription_id, NULL, &expected, err))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        add(&sum, &counts[i]);
        json_array_append_new(rules, rule_view(&counts[i]));
    }
    if (!(view = count_view(&sum)))
        return NULL;
    json_object_set_new(view, "day", json_sprintf("%.10s", xpl_time_format(now, day)));
    json_object_set_new(view, "model_calls_expected", json_integer(expected));
    json_object_set(view, "rules", rules);
    return view;
}
