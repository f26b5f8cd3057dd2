/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a finished task leaves: the bodies of its answers, and the scored masks.
 *
 * All of it is written once, by xpl_task_finish, and goes with its task. These functions take the id of a task that the
 * caller has looked up in its own data mart (xpl_task_get).
 */
#ifndef XPL_DB_EXPLANATIONS_H
#define XPL_DB_EXPLANATIONS_H

#include "db/records.h"

/** Masks (little-endian 64 bit), class indexes and scores (float32, masks x classes): as the engine made them. */
struct xpl_explanation_samples {
    uint32_t n_segments;
    struct xpl_blob masks, classes, scores;
};

/** Texts are the complete bodies of the answers. No samples are stored when `masks` is NULL. */
struct xpl_task_result {
    const struct xpl_prediction *prediction; /* for a record that has none; NULL = it has one */
    const char *answer, *attributions;
    uint32_t n_segments;
    struct xpl_blob masks, classes, scores;
};

/** Part of xpl_task_finish. XPL_CONFLICT when the task has an explanation already. */
enum xpl_status xpl_explanation_insert(struct xpl_db *db, const char *task_id, int64_t now,
                                       const struct xpl_task_result *result, struct xpl_error *err);

/* Reading; XPL_NOT_FOUND when the task is not finished. */

/** What polling clients ask for most, in one query. XPL_NOT_FOUND also for a task of another data mart. */
struct xpl_finished_answer {
    const char *subscription_id;
    struct xpl_text answer;
};
enum xpl_status xpl_explanation_finished(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                         const char *task_id, struct xpl_finished_answer *ret, struct xpl_error *err);

enum xpl_status xpl_explanation_answer(struct xpl_db *db, struct xpl_arena *arena, const char *task_id,
                                       const char **ret_text, struct xpl_error *err);
enum xpl_status xpl_explanation_attributions(struct xpl_db *db, struct xpl_arena *arena, const char *task_id,
                                             const char **ret_text, struct xpl_error *err);
enum xpl_status xpl_explanation_samples_get(struct xpl_db *db, struct xpl_arena *arena, const char *task_id,
                                            struct xpl_explanation_samples *ret, struct xpl_error *err);

#endif
