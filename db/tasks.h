/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explanation tasks and what comes out of them.
 *
 * A task is queued, leased by a worker, and ends finished or in error. The attempt number given with the lease is a
 * fencing token: a worker whose attempt is no longer the current one can store nothing.
 */
#ifndef XPL_DB_TASKS_H
#define XPL_DB_TASKS_H

#include "db/db.h"
#include "db/explanations.h"
#include "db/parts.h"
#include "lib/base/hash.h"

#define XPL_TASK_MAX_CRASHES 3

enum xpl_task_state {
    XPL_TASK_QUEUED,
    XPL_TASK_LEASED,
    XPL_TASK_FINISHED,
    XPL_TASK_ERROR
};

struct xpl_task {
    int64_t seq;
    const char *id, *data_mart_id, *subscription_id, *deployment_id;
    const char *record_id, *scoring_id, *transaction_id;
    const char *parameters; /* JSON, complete */
    uint8_t parameters_hash[XPL_HASH_BYTES];
    enum xpl_task_state state;
    int64_t attempt;                            /* only ever grows: the fencing token */
    int64_t crashes;                            /* of the process while it was leased */
    int64_t retries;                            /* xpl_task_requeue */
    int64_t priority;                           /* 0 = asked for, else that of the rule: 1 before 9 */
    const char *rule;                           /* that asked for it; NULL = somebody did */
    int64_t expected_calls;                     /* of a rule's: what it takes of the budget until it has ended */
    const char *error_code, *error_message;     /* of state error */
    const char *trace_id;                       /* id of the request that asked */
    const char *traceparent;                    /* of that request (W3C Trace Context); NULL = none */
    int64_t created_at, started_at, updated_at; /* microseconds; 0 = not yet; started: of the first try */
    const char *created_by;
};

enum xpl_status xpl_task_insert(struct xpl_db *db, const struct xpl_task *task, struct xpl_error *err);

/** The id of a task for the same record and parameters that has not ended; XPL_NOT_FOUND when there is none. */
enum xpl_status xpl_task_find_open(struct xpl_db *db, struct xpl_arena *arena, const char *record_id,
                                   const uint8_t parameters_hash[XPL_HASH_BYTES], const char **ret_id,
                                   struct xpl_error *err);

enum xpl_status xpl_task_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id, const char *id,
                             struct xpl_task *ret, struct xpl_error *err);

/** A task that a rule asked for is asked for by somebody now: it need not wait behind others any longer. */
enum xpl_status xpl_task_promote(struct xpl_db *db, const char *id, struct xpl_error *err);
enum xpl_status xpl_task_delete(struct xpl_db *db, const char *id, struct xpl_error *err);

/**
 * A list's filters; NULL or 0 = any. subscription_id, scoring_id and status may be several, with commas between them;
 * a status is "in_progress", "finished" or "error".
 */
struct xpl_task_query {
    const char *data_mart_id, *subscription_id, *scoring_id, *transaction_id, *status;
    struct xpl_part part; /* behind what a page before gave: a page costs the same wherever it is */
    int64_t offset, limit;
};
enum xpl_status xpl_tasks_list(struct xpl_db *db, struct xpl_arena *arena, const struct xpl_task_query *query,
                               struct xpl_task **ret, size_t *ret_count, struct xpl_error *err);
/** How many there are, whatever `part`, offset and limit say. */
enum xpl_status xpl_tasks_count(struct xpl_db *db, const struct xpl_task_query *query, int64_t *ret,
                                struct xpl_error *err);

struct xpl_task_counts {
    int64_t total, failed;
};
/** All tasks of a subscription. */
enum xpl_status xpl_task_counts_of(struct xpl_db *db, const char *data_mart_id, const char *subscription_id,
                                   struct xpl_task_counts *ret, struct xpl_error *err);

/** How many have not ended: in all, and of one subscription. For the bounds of the queue. */
enum xpl_status xpl_tasks_queued(struct xpl_db *db, const char *subscription_id, int64_t *ret_all,
                                 int64_t *ret_of_subscription, struct xpl_error *err);

/* ---- for workers ---- */

/**
 * Leases the first task that is due and first of its deployment, none of whose tasks is leased: explanations of a
 * deployment run one at a time, by priority and then in the order asked; one that waits for its retry holds up those
 * behind it. Counts the attempt. XPL_NOT_FOUND: nothing to do.
 */
enum xpl_status xpl_task_claim(struct xpl_db *db, struct xpl_arena *arena, const char *owner, int64_t now,
                               int64_t lease_until, struct xpl_task *ret, struct xpl_error *err);

/*
 * All that follow take the attempt of the claim and give XPL_CONFLICT, storing nothing, when it is no longer the
 * current one: the task was taken over, ended or deleted.
 */

/** The heartbeat. */
enum xpl_status xpl_task_renew(struct xpl_db *db, const char *id, int64_t attempt, int64_t lease_until,
                               struct xpl_error *err);
/** Stores what comes out of a task, and the prediction its record lacks. */
enum xpl_status xpl_task_finish(struct xpl_db *db, const char *id, int64_t attempt, int64_t now,
                                const struct xpl_task_result *result, struct xpl_error *err);
enum xpl_status xpl_task_fail(struct xpl_db *db, const char *id, int64_t attempt, int64_t now, const char *error_code,
                              const char *error_message, struct xpl_error *err);

/** Back to the queue, not to be claimed before `run_at`; counts a retry. `started_at` stays: the deadline goes on. */
enum xpl_status xpl_task_requeue(struct xpl_db *db, const char *id, int64_t attempt, int64_t run_at,
                                 struct xpl_error *err);

/** Back to the queue at once, without counting (shutdown); the deadline begins anew. */
enum xpl_status xpl_task_release(struct xpl_db *db, const char *id, int64_t attempt, struct xpl_error *err);

struct xpl_tasks_taken_back {
    int64_t requeued, ended;
};

/**
 * Leases that ran out at `expired_by` go back to the queue; INT64_MAX: all, at the start of the only process there is.
 * Counts a crash, and ends a task in error at the XPL_TASK_MAX_CRASHES-th, so that an input that kills the process
 * cannot do so for ever. The deadline of a task begins anew with its next attempt.
 */
enum xpl_status xpl_tasks_take_back(struct xpl_db *db, int64_t expired_by, int64_t now, const char *error_code,
                                    struct xpl_tasks_taken_back *ret, struct xpl_error *err);

/** When the first of the tasks that wait for their retry is due; 0 = none waits. */
enum xpl_status xpl_tasks_next_run(struct xpl_db *db, int64_t now, int64_t *ret, struct xpl_error *err);

/** For queries of other files that select tasks. */
#define XPL_TASK_COLUMNS                                                                                               \
    "seq, id, data_mart_id, subscription_id, deployment_id, record_id, scoring_id, transaction_id, parameters,"        \
    " parameters_hash, state, attempt, crashes, retries, priority, rule, expected_calls, error_code, error_message,"   \
    " trace_id, traceparent, created_at, started_at, updated_at, created_by"
void xpl_task_read(struct xpl_row *row, void *task);

#endif
