/* SPDX-License-Identifier: Apache-2.0 */
/* What helps with a model that a probe found to fail, or to be slow. */
#ifndef XPL_SCORING_PROBE_ADVICE_H
#define XPL_SCORING_PROBE_ADVICE_H

#include "lib/scoring/probe.h"

/** Images with parts hidden that are asked about, unless the model is slow. */
#define XPL_PROBE_TRIALS 96u

/** Sets `warning` and `advice` of a report that is complete otherwise; texts are in `arena`. */
enum xpl_status xpl_probe_advise(struct xpl_arena *arena, const struct xpl_probe_input *input,
                                 struct xpl_probe_report *report, struct xpl_error *err);

#endif
