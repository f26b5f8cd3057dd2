/* SPDX-License-Identifier: Apache-2.0 */
/* All that a subscription may say about how its model is called. */
#ifndef XPL_SCORING_MODEL_SETTINGS_H
#define XPL_SCORING_MODEL_SETTINGS_H

#include "lib/scoring/model_hints.h"
#include "lib/scoring/requests/splice.h"

#define XPL_MODEL_MAX_BATCH     64
#define XPL_MODEL_MAX_IN_FLIGHT 64

struct xpl_model_settings {
    struct xpl_request_hints request;
    struct xpl_answer_hints answer;
    bool has_wire; /* wire.format is said; else the address of the endpoint tells */
    bool has_body; /* wire.body is said; else the logged request tells */
    struct xpl_wire wire;
    uint32_t batch, in_flight;                    /* at most; 0 = as the daemon is set */
    uint32_t fixed_batch;                         /* images in every request; 0 = any number */
    uint32_t call_timeout_ms, connect_timeout_ms; /* likewise */
    bool chunked;                                 /* it takes bodies without a length */
};

/** What a scoring address tells: WML v4, KServe V1 (":predict"), the Open Inference Protocol ("/infer"). */
enum xpl_wire_format xpl_wire_of_url(const char *url);

/** How a model at that address is asked for variations of an image of that request. */
struct xpl_wire xpl_wire_of(const struct xpl_model_settings *model, const char *url, const struct xpl_request *request);

#endif
