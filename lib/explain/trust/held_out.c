/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/trust/held_out.h"

#define MAX_DRAWS 256u /* then it is a design of nearly all masks */

static bool is_among(const xpl_mask *masks, size_t n, xpl_mask mask)
{
    for (size_t i = 0; i < n; i++)
        if (masks[i] == mask)
            return true;
    return false;
}

/* Not of those that were scored; and, as long as there are others, not of those that may be scored yet. */
static void draw(const struct xpl_sample *sample, const uint8_t seed[XPL_HASH_BYTES], struct xpl_held_out *ret)
{
    const struct xpl_design *design = sample->design;
    uint32_t d = design->n_segments;
    struct xpl_stream stream;

    xpl_stream_start(&stream, seed);
    for (size_t n = 0, draws = 0; n < XPL_HELD_OUT_MASKS; draws++) {
        xpl_mask mask = xpl_stream_next(&stream) & xpl_design_all_on(d);
        size_t n_taken = draws < MAX_DRAWS ? design->pool : sample->n;

        if (is_among(design->masks, n_taken, mask) || is_among(ret->masks, n, mask))
            continue;
        ret->weight[n] = xpl_fit_kernel((uint32_t)__builtin_popcountll(mask), d, XPL_FIT_KERNEL_WIDTH);
        ret->masks[n++] = mask;
    }
}

enum xpl_status xpl_held_out_score(struct xpl_sample *sample, const uint8_t seed[XPL_HASH_BYTES],
                                   struct xpl_held_out **ret, struct xpl_error *err)
{
    struct xpl_held_out *held_out = XPL_NEW(sample->arena, struct xpl_held_out);
    double *scores = XPL_NEW_ARRAY(sample->arena, double, (size_t)sample->n_kept *XPL_HELD_OUT_MASKS);
    enum xpl_status st;

    if (!held_out || !scores)
        return xpl_no_memory(err);
    draw(sample, seed, held_out);
    if ((st = xpl_sample_score_apart(sample, held_out->masks, XPL_HELD_OUT_MASKS, scores, err)))
        return st;
    held_out->scores = scores;
    *ret = held_out;
    return XPL_OK;
}

double xpl_held_out_mistakes(const struct xpl_held_out *held_out, uint32_t position,
                             const struct xpl_surrogate *surrogate)
{
    return xpl_surrogate_mistakes(surrogate, held_out->masks, held_out->scores + (size_t)position * XPL_HELD_OUT_MASKS,
                                  held_out->weight, XPL_HELD_OUT_MASKS);
}

/* Of the distances between scores and what is said of their masks: a linear model, or `centre` without one. */
static double mean_square(const struct xpl_held_out *held_out, uint32_t position, uint32_t n_segments,
                          const struct xpl_fit_result *fit, double centre)
{
    const double *scores = held_out->scores + (size_t)position * XPL_HELD_OUT_MASKS;
    double squares = 0, weights = 0;

    for (size_t i = 0; i < XPL_HELD_OUT_MASKS; i++) {
        double distance = scores[i] - (fit ? xpl_fit_predict(fit, n_segments, held_out->masks[i]) : centre);

        squares += held_out->weight[i] * distance * distance;
        weights += held_out->weight[i];
    }
    return squares / weights;
}

double xpl_held_out_mistakes_of_fit(const struct xpl_held_out *held_out, uint32_t position, uint32_t n_segments,
                                    const struct xpl_fit_result *fit)
{
    return mean_square(held_out, position, n_segments, fit, 0);
}

double xpl_held_out_variance(const struct xpl_held_out *held_out, uint32_t position, double centre)
{
    return mean_square(held_out, position, 0, NULL, centre);
}
