/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/ladder.h"

#include <math.h>

#define REFERENCE_SAMPLES 5000u
#define EXACT_AT_ONCE 8u /* up to here all masks are no more than the first stage */
#define EXACT_THIRD 11u  /* up to here the third stage is all masks */

static const size_t stage_masks[XPL_DESIGN_STAGES] = {256, 512, 1024, 2048};

/* Q2 that ends the ladder after stage 1, 2, 3. */
static const double enough[XPL_DESIGN_STAGES] = {0.95, 0.9, 0.8, -INFINITY};

static size_t all_masks(uint32_t d)
{
    return (size_t)1 << d;
}

/* How many masks the design has after a stage. */
static size_t size_after(uint32_t d, unsigned stage)
{
    if (d <= EXACT_AT_ONCE || (d <= EXACT_THIRD && stage >= 3))
        return all_masks(d);
    return stage_masks[stage - 1] < all_masks(d) ? stage_masks[stage - 1] : all_masks(d);
}

static size_t budget_of(const struct xpl_explain_params *params)
{
    size_t budget = params->budget ? params->budget : SIZE_MAX;

    if (params->design != XPL_DESIGN_REFERENCE && params->perturbations_count && params->perturbations_count < budget)
        budget = params->perturbations_count;
    return budget;
}

static size_t samples_of(const struct xpl_explain_params *params, size_t budget)
{
    size_t samples = params->perturbations_count ? params->perturbations_count : REFERENCE_SAMPLES;

    return samples < budget ? samples : budget;
}

static size_t smallest_design(uint32_t d)
{
    size_t needed = 2 * ((size_t)d + 2);

    return needed > 64 ? needed : 64;
}

static size_t max_masks(const struct xpl_ladder *ladder)
{
    switch (ladder->mode) {
    case XPL_DESIGN_AUTO:
        return ladder->d <= EXACT_THIRD ? all_masks(ladder->d) : stage_masks[XPL_DESIGN_STAGES - 1];
    case XPL_DESIGN_EXACT:
        return all_masks(ladder->d);
    case XPL_DESIGN_REFERENCE:
        return ladder->samples < all_masks(ladder->d) ? ladder->samples : all_masks(ladder->d);
    }
    return 0;
}

enum xpl_status xpl_ladder_start(const struct xpl_explain_params *params, uint32_t d, struct xpl_ladder *ret,
                                 size_t *ret_max, struct xpl_error *err)
{
    struct xpl_ladder ladder = {.mode = params->design, .d = d, .budget = budget_of(params)};

    ladder.samples = samples_of(params, ladder.budget);
    if (ladder.mode == XPL_DESIGN_EXACT && ladder.budget < all_masks(d))
        return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.budget",
                              "%zu calls are fewer than the %zu masks of %u superpixels", ladder.budget, all_masks(d), d);
    if (ladder.budget < smallest_design(d) && ladder.budget < all_masks(d))
        return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.budget", "%zu calls are too few: %zu are needed",
                              ladder.budget, smallest_design(d));
    *ret_max = max_masks(&ladder);
    *ret = ladder;
    return XPL_OK;
}

static enum xpl_status draw(struct xpl_ladder *ladder, struct xpl_arena *arena, struct xpl_design *design,
                            const uint8_t *seed, struct xpl_error *err)
{
    struct xpl_stream *stream = XPL_NEW(arena, struct xpl_stream);

    ladder->counts = XPL_NEW_ARRAY(arena, uint32_t, max_masks(ladder) + 1);
    if (!stream || !ladder->counts)
        return xpl_no_memory(err);
    xpl_stream_start(stream, seed);
    xpl_design_add_uniform(design, stream, ladder->samples, ladder->counts);
    return XPL_OK;
}

static void add_first(struct xpl_ladder *ladder, struct xpl_design *design)
{
    ladder->stage = 1;
    if (ladder->mode == XPL_DESIGN_EXACT || ladder->d <= EXACT_AT_ONCE) {
        if (ladder->budget >= all_masks(ladder->d)) {
            xpl_design_add_all(design);
            ladder->exact = true;
            return;
        }
    }
    if (ladder->budget >= stage_masks[0]) {
        xpl_design_add_stage(design, 1);
        return;
    }
    ladder->cosets = true;
    xpl_design_add_cosets(design, (unsigned)(ladder->budget / XPL_COSET_WORDS));
}

enum xpl_status xpl_ladder_first(struct xpl_ladder *ladder, struct xpl_arena *arena, struct xpl_design *design,
                                 const uint8_t seed[XPL_HASH_BYTES], struct xpl_error *err)
{
    if (ladder->mode == XPL_DESIGN_REFERENCE)
        return draw(ladder, arena, design, seed, err);
    add_first(ladder, design);
    ladder->exact = design->n == all_masks(ladder->d);
    return XPL_OK;
}

bool xpl_ladder_done(const struct xpl_ladder *ladder, double q2, enum xpl_stop_reason *ret)
{
    *ret = XPL_STOPPED_COMPLETE;
    if (ladder->mode == XPL_DESIGN_REFERENCE || ladder->exact || ladder->stage == XPL_DESIGN_STAGES || isnan(q2))
        return true;
    *ret = XPL_STOPPED_CONFIDENT;
    return q2 >= enough[ladder->stage - 1];
}

bool xpl_ladder_next(struct xpl_ladder *ladder, struct xpl_design *design)
{
    unsigned next = ladder->stage + 1;

    if (ladder->cosets || size_after(ladder->d, next) > ladder->budget)
        return false;
    ladder->stage = next;
    if (ladder->d <= EXACT_THIRD && next >= 3)
        xpl_design_add_all(design);
    else
        xpl_design_add_stage(design, next);
    ladder->exact = design->n == all_masks(ladder->d);
    return true;
}

const char *xpl_ladder_name(const struct xpl_ladder *ladder, struct xpl_arena *arena, size_t n_masks)
{
    const char *name;

    if (ladder->mode == XPL_DESIGN_REFERENCE)
        name = xpl_arena_printf(arena, "uniform_%zu", ladder->samples);
    else if (ladder->exact)
        name = "all_masks";
    else
        name = xpl_arena_printf(arena, "nordstrom_robinson_%s%zu", ladder->cosets ? "cosets_" : "", n_masks);
    return name ? name : "";
}
