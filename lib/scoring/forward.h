/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passing a client's scoring request on to a model, byte for byte, over connections that are kept.
 *
 * A forwarder may be used by any number of threads. Idle connections are kept by address and credentials, a bounded
 * number of them; what the address policy says holds as for every other call of a model.
 */
#ifndef XPL_SCORING_FORWARD_H
#define XPL_SCORING_FORWARD_H

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/scoring/predictor.h"

struct xpl_forwarder;

struct xpl_forward_call {
    const struct xpl_endpoint *endpoint;
    const struct xpl_predictor_options *options; /* time-outs, ids, the longest answer */
    const char *content_type, *accept;
    struct xpl_text body;
    const atomic_bool *cancel; /* when it is set the call ends with XPL_CANCELLED, within a second; NULL = never */
};

/** What the model answered, whatever the status. */
struct xpl_forward_answer {
    long status;
    char content_type[128]; /* "" = the model did not say */
    struct xpl_buf body;    /* to be released */
    int64_t retry_after_ms; /* of a 408, 429 or 5xx that says so; else 0 */
    double ms;
};

enum xpl_status xpl_forwarder_new(struct xpl_forwarder **ret, struct xpl_error *err);
void xpl_forwarder_free(struct xpl_forwarder *forwarder);

/** XPL_OK when any answer came. XPL_MODEL_UNREACHABLE, XPL_MODEL_TIMEOUT, XPL_ADDRESS_REFUSED, XPL_MODEL_BAD_ANSWER
 * (too long). Sent once, but for a kept connection that the model had closed before. */
enum xpl_status xpl_forward(struct xpl_forwarder *forwarder, const struct xpl_forward_call *call,
                            struct xpl_forward_answer *ret, struct xpl_error *err);

#endif
