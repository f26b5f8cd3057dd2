/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One explanation from the claimed task to its result: the record out of the database, the image out of the logged
 * request, scoring through the model's endpoint, the engine, the answers.
 */
#ifndef XPL_SERVER_EXPLAIN_JOB_H
#define XPL_SERVER_EXPLAIN_JOB_H

#include "api/app.h"
#include "db/tasks.h"
#include "lib/scoring/predictor.h"

/** What other threads see of a job. */
struct xpl_job_progress {
    struct xpl_predictor_progress scoring;
    _Atomic(const char *) phase;         /* a constant */
    _Atomic(int64_t) scoring_started_us; /* monotonic; written before the phase "scoring" */
};

/**
 * `db` is the thread's reader; everything made lives in `arena`. On an error nothing is to be stored but the error
 * itself; XPL_CANCELLED when `progress->scoring.cancel` was set.
 */
enum xpl_status xpl_explain_job(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                const struct xpl_task *task, struct xpl_job_progress *progress,
                                struct xpl_task_result *ret, struct xpl_error *err);

#endif
