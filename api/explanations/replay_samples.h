/* SPDX-License-Identifier: Apache-2.0 */
/* The masks and scores that were stored with an explanation, for questions about it that need no call of the model. */
#ifndef XPL_API_REPLAY_SAMPLES_H
#define XPL_API_REPLAY_SAMPLES_H

#include "api/call.h"
#include "lib/explain/designs/mask.h"
#include "lib/explain/params.h"

struct xpl_replay_samples {
    bool exact; /* all masks */
    bool noisy; /* the model did not repeat itself */
    enum xpl_design_mode mode;
    double doubt, contradicted; /* as in struct xpl_explanation */
    uint32_t d, n_classes;
    size_t n;
    xpl_mask *masks; /* the first one shows everything */
    uint32_t *classes;
    double *scores; /* n_classes x n */
};

/** In the call's arena. XPL_NOT_AVAILABLE: they were not kept; XPL_STORAGE_FAILED: they are damaged. */
enum xpl_status xpl_replay_samples_load(struct xpl_call *call, const char *task_id, struct xpl_replay_samples *ret,
                                        struct xpl_error *err);

#endif
