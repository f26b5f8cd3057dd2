/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CloudEvents of inference logs (CloudEvents 1.0, HTTP binding), as KServe's logger sends them: one in the body with
 * its attributes in headers (binary), one as JSON (application/cloudevents+json), or a list
 * (application/cloudevents-batch+json).
 */
#ifndef XPL_API_INFERENCE_LOGS_READ_H
#define XPL_API_INFERENCE_LOGS_READ_H

#include "api/call.h"

#define XPL_MAX_EVENTS 1000u

struct xpl_inference_event {
    const char *id;
    bool response;        /* by the type: …response, else …request */
    struct xpl_text data; /* what the model was sent, or answered */
    int64_t time;         /* microseconds; now when it is not said */
};

/** In the call's arena or body. XPL_BAD_FIELD, with the path "[i].member" in a list; XPL_BAD_MEDIA_TYPE. */
enum xpl_status xpl_events_read(struct xpl_call *call, struct xpl_inference_event **ret, size_t *ret_n,
                                struct xpl_error *err);

#endif
