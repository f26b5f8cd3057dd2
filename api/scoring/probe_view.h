/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe found, as JSON: for POST …/probe and `explaind probe`. */
#ifndef XPL_API_PROBE_VIEW_H
#define XPL_API_PROBE_VIEW_H

#include <jansson.h>

#include "lib/scoring/probe.h"

/** What was asked about. */
struct xpl_probe_subject {
    const char *source;     /* "record", "request" or "file" */
    const char *scoring_id; /* NULL = was not logged */
    const char *logged;     /* JSON array of the logged probabilities; NULL = none */
};

/** NULL without memory. */
json_t *xpl_probe_view(const struct xpl_probe_subject *subject, const struct xpl_probe_input *input,
                       const struct xpl_probe_report *report);

#endif
