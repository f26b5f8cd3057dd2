/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST explanation_tasks: a small tree, and images that never become one. */
#ifndef XPL_API_EXPLANATION_REQUEST_H
#define XPL_API_EXPLANATION_REQUEST_H

#include "api/records/records_read.h"

struct xpl_explanation_request {
    json_t *body;              /* owned: json_decref; all but input_rows */
    const json_t *scoring_ids; /* strings; of `body`; NULL = none */
    const json_t *parameters;  /* of `body`; NULL = none */
    const char *subscription_id;
    bool has_types, lime, contrastive; /* which explanations, when that is said */
    struct xpl_transaction *rows;      /* input_rows: logged and explained together; `subscription_id` is set */
    size_t n_rows;
};

/** On an error, too, `ret->body` may be set. */
enum xpl_status xpl_explanation_request_read(struct xpl_call *call, struct xpl_explanation_request *ret,
                                             struct xpl_error *err);

#endif
