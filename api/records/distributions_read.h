/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked about the distribution of records. */
#ifndef XPL_API_DISTRIBUTIONS_READ_H
#define XPL_API_DISTRIBUTIONS_READ_H

#include "api/call.h"
#include "db/distributions.h"

#define XPL_DISTRIBUTION_MAX_AGGREGATES 11 /* count, and five of each column with numbers */

enum xpl_aggregate {
    XPL_AGGREGATE_COUNT,
    XPL_AGGREGATE_SUM,
    XPL_AGGREGATE_MIN,
    XPL_AGGREGATE_MAX,
    XPL_AGGREGATE_AVG,
    XPL_AGGREGATE_STDDEV /* of a sample: with n - 1 */
};

struct xpl_distribution_request {
    json_t *body; /* as the client sent it; owned */
    struct xpl_distribution_query query;
    uint32_t max_bins;
    struct {
        const char *name; /* "count", "response_time:avg" */
        enum xpl_aggregate what;
        enum xpl_distribution_number of; /* not of the count */
    } aggregates[XPL_DISTRIBUTION_MAX_AGGREGATES];
    size_t n_aggregates;
};

/** Reads the body about a data set of type `type`; bins of the response time are still to be made, when it is known how
 * long it is. XPL_BAD_FIELD names what is wrong, also of columns that cannot be distributed. `ret->body` is to be
 * released in any case. */
enum xpl_status xpl_distribution_request_read(struct xpl_call *call, const char *type,
                                              struct xpl_distribution_request *ret, struct xpl_error *err);

#endif
