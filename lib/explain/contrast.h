/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would have been enough, and what would have changed it: the smallest set of superpixels that, shown alone, keeps
 * the predicted class (the pertinent positive), and the smallest one whose hiding makes it another (the pertinent
 * negative). Dhurandhar et al. 2018, "Explanations based on the Missing", on superpixels.
 *
 * Masks that were scored are looked at first. Where not all were, the best guess of every size is scored too, and from
 * the smallest set that works superpixels are taken away as long as it still does: a few dozen calls.
 */
#ifndef XPL_EXPLAIN_CONTRAST_H
#define XPL_EXPLAIN_CONTRAST_H

#include "lib/explain/designs/sample.h"
#include "lib/explain/fitting/estimate.h"

#define XPL_CONTRAST_USUAL_CALLS 64u /* seldom more */

struct xpl_contrast_search {
    const struct xpl_sample *sample;
    struct xpl_estimate predicted, runner_up; /* of the most probable class and the one after it */
    size_t budget;                            /* calls at most */
};

/**
 * What the model's answers say, with *ret->calls further calls of it. Errors are those of the callback, but
 * XPL_DEADLINE: then the best of what was scored before is answered.
 */
enum xpl_status xpl_contrast_find(struct xpl_arena *arena, const struct xpl_contrast_search *search,
                                  struct xpl_contrast *ret, struct xpl_error *err);

#endif
