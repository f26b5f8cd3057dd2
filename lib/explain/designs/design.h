/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which masks are scored.
 *
 * The designs are nested: a stage holds the masks of the one before, so nothing is scored twice. Stage 1 is the
 * Nordstrom-Robinson code (256 words of 16 bits, an orthogonal array of strength 5: any five superpixels appear in all
 * 32 combinations equally often); the later ones add translates of it, up to its linear span of 2048 words (strength
 * 7). Hammons, Kumar, Calderbank, Sloane, Solé: "The Z4-linearity of Kerdock, Preparata, Goethals, and related codes",
 * 1994. Which translate is next is free: any union of them is as balanced. Above 16 superpixels the stages are those of
 * array.h. Random designs are drawn from the seed.
 */
#ifndef XPL_EXPLAIN_DESIGN_H
#define XPL_EXPLAIN_DESIGN_H

#include "lib/base/arena.h"
#include "lib/base/hash.h"
#include "lib/base/status.h"
#include "lib/explain/designs/mask.h"
#include "lib/explain/params.h"

#define XPL_HELD_OUT_MASKS           16u /* beside the design, to try the surrogate on (held_out.h) */
#define XPL_DESIGN_MAX_STAGES        32u
#define XPL_DESIGN_MIN_MASKS         64u /* unless all masks are fewer */
#define XPL_DESIGN_REFERENCE_SAMPLES 5000u

struct xpl_design_stage {
    size_t end;       /* the stage's masks are the first `end` ones */
    double enough;    /* no further stage is needed from this Q2 of the linear fit on; INFINITY: it does not decide */
    double caution;   /* what standard errors are multiplied with when they decide; 0: they do not */
    double least_q2;  /* below, a structured design may fool the surrogate, and its standard errors decide nothing */
    bool exact;       /* holds all masks there are */
    const char *name; /* as in struct xpl_explanation */
};

struct xpl_design {
    uint32_t n_segments;
    xpl_mask *masks;   /* n distinct ones in scoring order; the first is "all on" */
    uint32_t *repeats; /* how often each was drawn; NULL = once */
    size_t n;
    size_t block; /* after the first stage, blocks of so many masks may change places; 0: the order is fixed */
    size_t pool;  /* masks there are to choose from: n or more */
    struct xpl_design_stage stages[XPL_DESIGN_MAX_STAGES];
    uint32_t n_stages;         /* at least 1 */
    bool over_budget;          /* a larger stage exists and was left out, because the budget does not reach */
    enum xpl_design_mode mode; /* what `auto` became: never XPL_DESIGN_AUTO */
    const char *why;           /* one plain sentence */
};

/** The mask that shows everything. */
static inline xpl_mask xpl_design_all_on(uint32_t n_segments)
{
    return ((xpl_mask)1 << n_segments) - 1;
}

/**
 * Plans all stages for 2 <= n_segments <= XPL_MAX_SEGMENTS. Only `reference` and `adaptive` use the seed.
 * XPL_BAD_FIELD: the budget is too small for any design, or there are too many superpixels for `exact`.
 */
enum xpl_status xpl_design_plan(struct xpl_arena *arena, uint32_t n_segments, const struct xpl_explain_params *params,
                                const uint8_t seed[XPL_HASH_BYTES], struct xpl_design **ret, struct xpl_error *err);

/** Exchanges the next block, whose first mask is the one at `at`, and the one `by` blocks behind it. */
void xpl_design_bring_forward(struct xpl_design *design, size_t at, size_t by);

#endif
