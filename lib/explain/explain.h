/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline: choose masks, score them, fit, look whether that is enough, go on or finish. Pure: no I/O, no clock, no
 * globals; all it knows of the model is the scoring callback.
 */
#ifndef XPL_EXPLAIN_EXPLAIN_H
#define XPL_EXPLAIN_EXPLAIN_H

#include "lib/base/arena.h"
#include "lib/base/hash.h"
#include "lib/base/interrupt.h"
#include "lib/base/status.h"
#include "lib/explain/designs/mask.h"
#include "lib/explain/params.h"
#include "lib/explain/superpixels/fill.h"
#include "lib/explain/superpixels/segment.h"
#include "lib/image/pixels.h"

/** Called when a stage is about to be scored: `total` calls are planned so far, more may follow. */
typedef void (*xpl_plan_fn)(void *model, size_t total);

struct xpl_explain_input {
    const struct xpl_pixels *image;
    const struct xpl_segments *segments;
    struct xpl_explain_params params;
    uint32_t n_classes;
    uint8_t seed[XPL_HASH_BYTES];       /* hash of image, parameters, model id; replaced by params.seed when given */
    const struct xpl_fill_effect *fill; /* for warnings, of the superpixels that are told; NULL = nothing to say */
    const double *full_scores;          /* scores of the all-on mask when a trial call got them already, else NULL */
    xpl_score_fn score;
    xpl_plan_fn plan;                      /* may be NULL */
    size_t planned_before;                 /* added to what `plan` is told */
    const struct xpl_interrupt *interrupt; /* asked between the classes of a fit; NULL = none */
    void *model;
};

enum xpl_decision {
    XPL_POSITIVE,
    XPL_NEGATIVE,
    XPL_NEGLIGIBLE,
    XPL_OPEN
};

enum xpl_verdict_level {
    XPL_VERDICT_HIGH,
    XPL_VERDICT_MEDIUM,
    XPL_VERDICT_LOW
};

enum xpl_stop_reason {
    XPL_STOPPED_COMPLETE,  /* the design is finished and no larger one exists for it */
    XPL_STOPPED_CONFIDENT, /* a stage was enough, see stopping.h */
    XPL_STOPPED_BUDGET,
    XPL_STOPPED_DEADLINE
};

/** One explained class. Arrays have one entry per segment. */
struct xpl_class_explanation {
    uint32_t index;
    double probability; /* of the all-on mask, as re-scored */
    double intercept;
    double *weights;
    double *low, *high; /* interval at the asked confidence */
    enum xpl_decision *decisions;
    bool constant; /* the class's probability does not vary: weights 0, q2 not defined */
    bool exact;
    bool unrepeated;         /* the budget left no call to see whether the model repeats itself */
    bool untried;            /* it rests on a design that can hide much, and was not tried on other masks */
    double change;           /* highest less lowest score of the masks, over the highest; of two classes that mirror
                                each other the smaller one */
    bool change_of_other;    /* the smaller one is that of the other class */
    double r2;               /* NAN when constant */
    double q2;               /* leave-one-out R2; NAN when constant or exact */
    double surrogate_q2;     /* how well rows are predicted that the surrogate did not see; NAN without one */
    double local_prediction; /* of the linear model at all-on */
    double sum_gap;          /* (f(all on) - f(all off)) - sum of weights; NAN when "all off" was not drawn */
    double not_additive, infidelity, top_stability; /* see faithfulness.h; NAN when they cannot be said */
    double noise;       /* standard deviation of the whole image's score; 0 for a model that repeats itself */
    double noise_share; /* its square over the variance of the scores, as the fit weighs them */
    double deletion_auc, insertion_auc; /* NAN when the needed masks were neither scored nor predicted */
    bool auc_predicted;                 /* some of these masks were not scored; the surrogate stood in */
    double weight_error;                /* widest half interval over the largest |weight|; NAN without weights */
    enum xpl_verdict_level verdict;     /* how far weights of zones can tell what the model does */
    const char *reason;                 /* that in a plain sentence, and how well the weights themselves are known */
};

/** A set of superpixels, see contrast.h. */
struct xpl_pertinent {
    bool found;
    xpl_mask segments;
    uint32_t class_index; /* the most probable class when they alone are shown, or hidden */
    double probability;   /* its probability then */
    bool smallest;        /* all sets were looked at */
    bool irreducible;     /* with any one of them less it does not hold; implied by `smallest` */
    double sure;          /* of two sets of the same size the one with more of it is taken */
};

struct xpl_contrast {
    bool asked;
    uint32_t class_index; /* the most probable one of the whole image */
    struct xpl_pertinent positive, negative;
    size_t calls; /* further ones, in no other figure */
};

struct xpl_explanation {
    /* "all_masks", "nordstrom_robinson_N", "orthogonal_array_N", "complement_pairs_N" with N masks, "uniform" */
    const char *design;
    enum xpl_design_mode mode; /* what `auto` became */
    const char *why;           /* one plain sentence */
    uint32_t stages;           /* stages of the ladder that were scored */
    bool exact;
    enum xpl_stop_reason stopped;
    uint8_t seed[XPL_HASH_BYTES];
    size_t calls;           /* distinct masks scored */
    size_t repeats;         /* how often the whole image was scored again (in no other figure) */
    size_t held_out;        /* masks scored to try estimates on (likewise), see held_out.h */
    double doubt;           /* least share of the linear fit's squared mistakes that the surrogate is taken to make */
    double contradicted;    /* share of the most probable class's variance that held-out masks show it gets wrong; 0 =
                               they bear it out */
    double difference;      /* the largest one between the two answers, over all classes */
    xpl_mask *masks;        /* calls */
    uint32_t *kept_classes; /* n_kept: the 16 most probable and the explained ones, by index */
    uint32_t n_kept;
    float *kept_scores;                    /* calls x n_kept, row-major */
    struct xpl_class_explanation *classes; /* most probable first */
    uint32_t n_classes;
    uint32_t coarse_segments; /* of the explanation before the refined one; 0 = there was none */
    size_t coarse_calls;
    struct xpl_contrast contrast;
    const char **warnings;
    uint32_t n_warnings;
};

/** The seed of a task, or the one that was asked for in its place. */
void xpl_explain_choose_seed(const uint8_t seed[XPL_HASH_BYTES], const struct xpl_explain_params *params,
                             uint8_t ret_seed[XPL_HASH_BYTES]);

/**
 * Explains one image. The result lives in the arena.
 * XPL_BAD_FIELD: the budget fits no design, or a class was asked for that the model does not have.
 * XPL_MODEL_BAD_ANSWER: a score is not finite. XPL_DEADLINE: not even the first stage was done. Other errors are those
 * of the callback and of the interrupt.
 */
enum xpl_status xpl_explain(struct xpl_arena *arena, const struct xpl_explain_input *in, struct xpl_explanation **ret,
                            struct xpl_error *err);

const char *xpl_decision_name(enum xpl_decision decision);
const char *xpl_verdict_name(enum xpl_verdict_level level);
const char *xpl_stop_reason_name(enum xpl_stop_reason reason);

#endif
