/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The masks that were scored and what the model said: grows stage by stage, never scores a mask twice.
 */
#ifndef XPL_EXPLAIN_SAMPLE_H
#define XPL_EXPLAIN_SAMPLE_H

#include "lib/explain/design.h"
#include "lib/explain/explain.h"

struct xpl_sample {
    const struct xpl_explain_input *in;
    struct xpl_arena *arena;
    struct xpl_design *design;
    uint32_t *kept;       /* classes whose scores are kept, by index */
    uint32_t n_kept;
    double *scores;       /* n_scored x n_kept */
    size_t n_scored;      /* masks of the design that have scores */
    size_t capacity;      /* masks `scores` has room for */
    double *full;         /* n_classes: all segments shown */
    uint32_t *ranking;    /* n_classes: most probable first */
    double *batch;        /* answers of one call of the scoring function */
    size_t batch_masks;
};

/** Scores the image itself unless that was done, ranks the classes, decides which are kept. */
enum xpl_status xpl_sample_start(struct xpl_arena *arena, const struct xpl_explain_input *in, size_t max_masks,
                                 struct xpl_sample **ret, struct xpl_error *err);

/** Scores the masks the design has gained. On an error the sample is as before. */
enum xpl_status xpl_sample_score(struct xpl_sample *sample, struct xpl_error *err);

/** Takes back masks of the design that were not scored. */
void xpl_sample_drop_unscored(struct xpl_sample *sample);

/** Where a class's scores start (stride n_kept); the class must be kept. */
const double *xpl_sample_class(const struct xpl_sample *sample, uint32_t class_index);

/** The classes to be explained, most probable first; at most XPL_MAX_CLASSES_EXPLAINED. */
uint32_t xpl_sample_chosen(const struct xpl_sample *sample, uint32_t *ret_classes);

#define XPL_MAX_CLASSES_EXPLAINED 1000u

#endif
