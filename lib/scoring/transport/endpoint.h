/* SPDX-License-Identifier: Apache-2.0 */
/* Where a service is, who asks it, and how long that may take. Texts are borrowed. */
#ifndef XPL_SCORING_ENDPOINT_H
#define XPL_SCORING_ENDPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/scoring/transport/address.h"

struct xpl_endpoint {
    const char *url;
    const char *username, *password; /* HTTP Basic; NULL for none */
    const char *bearer;              /* NULL for none */
    const char *aws_region;          /* requests are signed for it (SigV4); username and password are the key pair */
    const char *aws_service;         /* such as "sagemaker" */
    const char *ca_pem;              /* the only authority that is trusted; NULL = those of the system */
    const char *certificate_pem, *key_pem; /* of this client; NULL for none */
    const char *const *headers;            /* further "Name: value" lines, n_headers */
    size_t n_headers;
    const struct xpl_address_policy *policy;
};

/** What every call of one owner has in common. */
struct xpl_call_options {
    uint32_t connect_timeout_ms;
    uint32_t call_timeout_ms; /* from its beginning to the end of the answer */
    size_t max_answer_bytes;
    const char *task_id;     /* sent as X-Explaind-Task and in Ce-Id; may be NULL */
    const char *request_id;  /* sent as X-Global-Transaction-Id; may be NULL */
    const char *traceparent; /* sent as traceparent (W3C Trace Context); may be NULL */
};

#endif
