/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Automatic explanations: rules of a subscription that ask for the explanation of a record when it is logged
 * (docs/automatic.md). They stand in the parameters of the explainability monitor, beside those of the explanations
 * they ask for.
 */
#ifndef XPL_API_AUTOMATIC_H
#define XPL_API_AUTOMATIC_H

#include "api/call.h"
#include "db/automatic.h"
#include "db/records.h"
#include "db/tasks.h"

/** Picks a record when everything that it says holds. What is not given is negative. */
struct xpl_automatic_rule {
    const char *name;
    double probability_below; /* of the most probable class */
    const char **labels;      /* the prediction is one of these: JSON values */
    size_t n_labels;
    double share; /* of all scoring ids, 0 to 1 */
    int64_t first_per_hour;
    int64_t model_calls_per_day; /* of explanations of this rule */
    int64_t priority;            /* 1 before 9 */
};

struct xpl_automatic {
    const struct xpl_automatic_rule *rules; /* the first that picks a record and may have it explained does */
    size_t n_rules;                         /* 0 = nothing is automatic */
    int64_t model_calls_per_day;            /* of all rules together */
};

/**
 * Reads the member `automatic` (NULL or null = none) into `arena`. XPL_BAD_FIELD names the member, below
 * "parameters.automatic".
 */
enum xpl_status xpl_automatic_read(struct xpl_arena *arena, const json_t *automatic, struct xpl_automatic *ret,
                                   struct xpl_error *err);
/** The same from JSON text that was checked when it was stored; NULL = none. */
enum xpl_status xpl_automatic_parse(struct xpl_arena *arena, const char *text, struct xpl_automatic *ret,
                                    struct xpl_error *err);

/**
 * The task for a record that is about to be logged, or NULL when no rule picks it: counts and budgets aside, which are
 * looked at when it is stored. A task without id: the record cannot be explained as the monitor asks.
 */
enum xpl_status xpl_automatic_plan(struct xpl_call *call, const struct xpl_automatic *automatic,
                                   const struct xpl_record *record, struct xpl_task **ret, struct xpl_error *err);

/**
 * On the writer, once the record is stored: queues the planned task if a rule may have it, else counts why not. Errors
 * are those of the storage.
 */
enum xpl_status xpl_automatic_queue(struct xpl_db *db, struct xpl_call *call, const struct xpl_automatic *automatic,
                                    const struct xpl_record *record, struct xpl_task *task, struct xpl_error *err);

/** What the rules of a subscription did today; NULL with `err` set. */
json_t *xpl_automatic_view(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                           struct xpl_error *err);

#endif
