/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/automatic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/explanations/explain_params.h"
#include "api/explanations/explanation_plan.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/explain/coarse_to_fine.h"

#define CREATED_BY    "automatic"
#define SCRATCH_BYTES ((size_t)64 << 20)

/* ---- does a rule pick a record ---- */

static bool is_label(const char *label, const char *prediction)
{
    if (*label == '"' || *prediction == '"')
        return strcmp(label, prediction) == 0;
    return strchr("-0123456789", *prediction) && strtod(label, NULL) == strtod(prediction, NULL);
}

static bool has_label(const struct xpl_automatic_rule *rule, const char *prediction)
{
    for (size_t i = 0; i < rule->n_labels; i++)
        if (is_label(rule->labels[i], prediction))
            return true;
    return false;
}

/* Where an id stands between 0 and 1: the same for ever, wherever it is looked at. */
static double place_of(const char *scoring_id)
{
    uint8_t hash[XPL_HASH_BYTES];
    uint64_t bits = 0;

    xpl_hash(scoring_id, strlen(scoring_id), hash);
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | hash[i];
    return ldexp((double)(bits >> 11), -53);
}

static bool picks(const struct xpl_automatic_rule *rule, const struct xpl_record *record)
{
    const struct xpl_prediction *predicted = &record->predicted;
    bool is_predicted = strcmp(predicted->probabilities, XPL_NO_PROBABILITIES) != 0;

    if (rule->probability_below >= 0 && !(is_predicted && predicted->probability < rule->probability_below))
        return false;
    if (rule->n_labels > 0 && !has_label(rule, predicted->prediction))
        return false;
    return rule->share < 0 || place_of(record->scoring_id) < rule->share;
}

/* ---- before the write ---- */

static enum xpl_status expect_calls(struct xpl_task *task, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(SCRATCH_BYTES);
    struct xpl_explain_params params;
    size_t calls;
    enum xpl_status st;

    if (!scratch)
        return xpl_no_memory(err);
    if ((st = xpl_explain_params_stored(scratch, task->parameters, &params, err)) ||
        (st = xpl_explain_expected_calls(scratch, &params, &calls, err)))
        return st;
    task->expected_calls = (int64_t)calls;
    return XPL_OK;
}

/* Whatever is wrong with the explanation, the record is logged. */
static void plan(struct xpl_call *call, const struct xpl_record *record, struct xpl_task *ret)
{
    const struct xpl_explanation_request plain = {0};
    struct xpl_error err = {0};

    if (xpl_explanation_plan(call, &plain, record, ret, &err) == XPL_OK && expect_calls(ret, &err) == XPL_OK) {
        ret->created_by = CREATED_BY;
        return;
    }
    ret->id = NULL;
    xpl_log(XPL_LOG_WARN, "no automatic explanation", "subscription", record->subscription_id, "scoring_id",
            record->scoring_id, "message", err.message, NULL);
}

enum xpl_status xpl_automatic_plan(struct xpl_call *call, const struct xpl_automatic *automatic,
                                   const struct xpl_record *record, struct xpl_task **ret, struct xpl_error *err)
{
    size_t i = 0;

    *ret = NULL;
    while (i < automatic->n_rules && !picks(&automatic->rules[i], record))
        i++;
    if (i == automatic->n_rules)
        return XPL_OK;
    if (!(*ret = XPL_NEW(call->arena, struct xpl_task)))
        return xpl_no_memory(err);
    plan(call, record, *ret);
    return XPL_OK;
}

/* ---- on the writer ---- */

struct state {
    struct xpl_db *db;
    struct xpl_call *call;
    const struct xpl_automatic *automatic;
    const struct xpl_task *task;
    int64_t hour;
    struct xpl_automatic_count *counts;
    size_t n_counts;
};

static struct xpl_automatic_count count_of(const struct state *s, const char *rule)
{
    for (size_t i = 0; i < s->n_counts; i++)
        if (strcmp(s->counts[i].rule, rule) == 0)
            return s->counts[i];
    return (struct xpl_automatic_count){.rule = rule};
}

static int64_t calls_today(const struct state *s)
{
    int64_t calls = 0;

    for (size_t i = 0; i < s->n_counts; i++)
        calls += s->counts[i].model_calls;
    return calls;
}

/* Made today, and expected of those that have not ended. */
static enum xpl_status is_affordable(const struct state *s, const struct xpl_automatic_rule *rule,
                                     const struct xpl_automatic_count *count, bool *ret, struct xpl_error *err)
{
    const char *subscription_id = s->task->subscription_id;
    int64_t of_all, of_rule;
    enum xpl_status st;

    if ((st = xpl_automatic_expected(s->db, subscription_id, NULL, &of_all, err)) ||
        (st = xpl_automatic_expected(s->db, subscription_id, rule->name, &of_rule, err)))
        return st;
    of_all += calls_today(s) + s->task->expected_calls;
    of_rule += count->model_calls + s->task->expected_calls;
    *ret = of_all <= s->automatic->model_calls_per_day &&
           (rule->model_calls_per_day < 0 || of_rule <= rule->model_calls_per_day);
    return XPL_OK;
}

/* The rest of the queue is for those who ask. */
static int64_t share_of(int64_t limit)
{
    return (limit + 1) / 2;
}

static enum xpl_status has_room(const struct state *s, bool *ret, struct xpl_error *err)
{
    const struct xpl_settings *settings = &s->call->app->settings;
    int64_t all, own;
    enum xpl_status st = xpl_tasks_queued(s->db, s->task->subscription_id, &all, &own, err);

    if (st)
        return st;
    *ret =
        share_of(settings->limits_tasks_queued) > all && share_of(settings->limits_tasks_queued_per_subscription) > own;
    return XPL_OK;
}

/* What comes of the record by this rule, as something to count. */
static enum xpl_status judge(const struct state *s, const struct xpl_automatic_rule *rule,
                             const struct xpl_automatic_count *count, struct xpl_automatic_count *ret,
                             struct xpl_error *err)
{
    bool affordable = false, room = false;
    enum xpl_status st;

    *ret = (struct xpl_automatic_count){.rule = rule->name};
    if (!s->task->id) {
        ret->not_possible = 1;
        return XPL_OK;
    }
    if ((st = is_affordable(s, rule, count, &affordable, err)) || (st = has_room(s, &room, err)))
        return st;
    ret->over_budget = !affordable;
    ret->queue_full = affordable && !room;
    ret->in_hour = ret->explanations = affordable && room;
    return XPL_OK;
}

/* The first rule that picks the record and may have it explained; else why the first one that picks it may not. */
static enum xpl_status choose(const struct state *s, const struct xpl_record *record,
                              const struct xpl_automatic_rule **ret_rule, struct xpl_automatic_count *ret_outcome,
                              struct xpl_error *err)
{
    *ret_rule = NULL;
    for (size_t i = 0; i < s->automatic->n_rules; i++) {
        const struct xpl_automatic_rule *rule = &s->automatic->rules[i];
        struct xpl_automatic_count count = count_of(s, rule->name), outcome;
        enum xpl_status st;

        if (!picks(rule, record) || (rule->first_per_hour >= 0 && count.in_hour >= rule->first_per_hour))
            continue;
        if ((st = judge(s, rule, &count, &outcome, err)))
            return st;
        if (*ret_rule && !outcome.explanations)
            continue;
        *ret_rule = rule;
        *ret_outcome = outcome;
        if (outcome.explanations)
            break;
    }
    return XPL_OK;
}

enum xpl_status xpl_automatic_queue(struct xpl_db *db, struct xpl_call *call, const struct xpl_automatic *automatic,
                                    const struct xpl_record *record, struct xpl_task *task, struct xpl_error *err)
{
    struct state s = {.db = db, .call = call, .automatic = automatic, .task = task, .hour = xpl_hour_of(xpl_now_us())};
    const char *subscription_id = record->subscription_id;
    const struct xpl_automatic_rule *rule;
    struct xpl_automatic_count outcome;
    enum xpl_status st;

    if ((st = xpl_automatic_counts(db, call->arena, subscription_id, s.hour, &s.counts, &s.n_counts, err)) ||
        (st = choose(&s, record, &rule, &outcome, err)) || !rule ||
        (st = xpl_automatic_add(db, subscription_id, s.hour, &outcome, err)) || !outcome.explanations)
        return st;
    task->rule = rule->name;
    task->priority = rule->priority;
    if ((st = xpl_task_insert(db, task, err)))
        return st;
    call->app->workers.wake(call->app->workers.context);
    return XPL_OK;
}
