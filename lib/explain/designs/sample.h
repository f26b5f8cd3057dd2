/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scores of the masks so far, of the classes that are kept.
 */
#ifndef XPL_EXPLAIN_SAMPLE_H
#define XPL_EXPLAIN_SAMPLE_H

#include "lib/explain/designs/design.h"
#include "lib/explain/explain.h"

struct xpl_sample {
    const struct xpl_explain_input *in;
    const struct xpl_design *design;
    struct xpl_arena *arena;
    size_t n;       /* masks of the design scored so far; the first is "all on" */
    uint32_t *kept; /* class indexes, ascending */
    uint32_t n_kept;
    uint32_t *explained; /* positions in `kept`, most probable class first */
    uint32_t n_explained;
    uint32_t predicted; /* position in `kept` of the most probable class of "all on" */
    uint32_t runner_up; /* of the next one; the same when there is none */
    uint32_t *winners;  /* one per mask scored: its most probable class (of all, the lowest of equal ones), */
    double *winning;    /* and the probability of that */
    size_t repeats;     /* how often "all on" was scored again */
    double difference;  /* the largest one between the two answers, over all classes */
    double *noise;      /* n_kept standard deviations of a score; NULL when the model repeats itself */
    double *usual;      /* n_kept mean scores of "all on" then */
    double *all_on;     /* the first answer to it, of all the model's classes */
    double *scores;     /* n_kept x design->n: one class after the other */
    double *scratch;    /* one batch as the model gives it, and one row more */
    size_t batch;       /* masks in a batch at most */
};

/**
 * Scores "all on", unless the input brings its scores, and chooses the classes by them.
 * XPL_BAD_FIELD: a class that the model does not have was asked for. Otherwise the errors of the scoring callback.
 */
enum xpl_status xpl_sample_start(struct xpl_arena *arena, const struct xpl_explain_input *in,
                                 const struct xpl_design *design, struct xpl_sample **ret, struct xpl_error *err);

/**
 * Scores the design's masks up to `end`. On failure the sample is as before. With the first ones "all on" is scored
 * again; when the answers differ, some more times; all in all no more than `spare` times.
 */
enum xpl_status xpl_sample_extend(struct xpl_sample *sample, size_t end, size_t spare, struct xpl_error *err);

/** Scores n masks, no more than a batch, apart from the design: ret_scores is n_kept x n. */
enum xpl_status xpl_sample_score_apart(struct xpl_sample *sample, const xpl_mask *masks, size_t n, double *ret_scores,
                                       struct xpl_error *err);

/** The most probable of n_classes, the lowest of equal ones. */
uint32_t xpl_sample_winner(const double *scores, uint32_t n_classes);

/** The scores of one kept class, by position: one per mask scored. */
static inline const double *xpl_sample_scores(const struct xpl_sample *sample, uint32_t position)
{
    return sample->scores + (size_t)position * sample->design->n;
}

#endif
