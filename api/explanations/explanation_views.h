/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How explanations look in answers: tasks under way, finished, failed, and the attributions.
 */
#ifndef XPL_API_EXPLANATION_VIEWS_H
#define XPL_API_EXPLANATION_VIEWS_H

#include <jansson.h>

#include "api/app.h"
#include "db/records.h"
#include "db/tasks.h"
#include "lib/explain/explain.h"
#include "lib/explain/params.h"
#include "lib/image/pixels.h"
#include "lib/scoring/predictor.h"

/** Panes in the answer of a task: the classes asked for by name are all shown, of "all" the most probable. */
#define XPL_MAX_PANES 64u

/** {"metadata","entity"} of a task that has not finished. `progress` may be NULL. NULL without memory. */
json_t *xpl_task_view(const struct xpl_task *task, const json_t *subscription,
                      const struct xpl_task_progress *progress);

/** How far a task that is worked on has come, as every view of it shows it. */
json_t *xpl_progress_view(const struct xpl_task_progress *progress);

/** Durations of an explanation's parts in milliseconds. */
struct xpl_explanation_timing {
    double queued, decode, segment, score, fit, render, total;
};

/** All that the answers of a finished task are made of. */
struct xpl_finished {
    const struct xpl_task *task;
    const json_t *subscription;
    int64_t finished_at;
    const struct xpl_explain_params *params;
    const struct xpl_pixels *image;
    const struct xpl_segments *segments;
    const struct xpl_explanation *explanation;
    uint32_t n_model_classes;
    const char *const *labels;   /* one per model class; NULL = the model names none */
    const char *const *warnings; /* beyond those of the explanation */
    size_t n_warnings;
    struct xpl_explanation_timing timing;
    struct xpl_predictor_stats stats;
};

/** The body of GET /v2/explanation_tasks/{id}, with its panes. */
enum xpl_status xpl_finished_answer(struct xpl_arena *arena, const struct xpl_finished *finished, const char **ret_text,
                                    struct xpl_error *err);

/** The body of GET …/attributions. */
enum xpl_status xpl_finished_attributions(struct xpl_arena *arena, const struct xpl_finished *finished,
                                          const char **ret_text, struct xpl_error *err);

#endif
