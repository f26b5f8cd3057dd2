/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/transport/fetch.h"

#include "lib/scoring/transport/transport.h"

#define POLL_MS 100

enum xpl_status xpl_scoring_start(struct xpl_error *err)
{
    return curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK ? XPL_OK : xpl_no_memory(err);
}

void xpl_scoring_stop(void)
{
    curl_global_cleanup();
}

/* A failure in the words of a fetch; what forbids the address stays what it is. */
static enum xpl_status upstream(const struct xpl_error *inner, struct xpl_error *err)
{
    enum xpl_status status = inner->status == XPL_ADDRESS_REFUSED ? inner->status : XPL_UPSTREAM_FAILED;

    return xpl_fail(err, status, "asking the engine for its deployments failed: %s", inner->message);
}

enum xpl_status xpl_fetch(const struct xpl_endpoint *endpoint, uint32_t timeout_ms, struct xpl_buf *body,
                          struct xpl_error *err)
{
    struct xpl_call_options options = {
        .connect_timeout_ms = timeout_ms, .call_timeout_ms = timeout_ms, .max_answer_bytes = body->max};
    struct xpl_transport *transport;
    struct xpl_error inner = {0};
    struct xpl_slot *done = NULL;
    enum xpl_outcome outcome = XPL_OUTCOME_FAILED;
    enum xpl_status st;
    int64_t ignored;

    if ((st = xpl_transport_new(endpoint, &options, 1, false, &transport, &inner)))
        return upstream(&inner, err);
    st = xpl_transport_start(transport, xpl_transport_slot(transport, 0), 0, 0, &inner);
    while (!st && !done)
        st = xpl_transport_poll(transport, POLL_MS, &done, &outcome, &ignored, &inner);
    if (!st && outcome != XPL_OUTCOME_ANSWER)
        st = inner.status;
    if (!st && !xpl_buf_append(body, done->answer.data, done->answer.length))
        st = xpl_no_memory(&inner);
    xpl_transport_free(transport);
    return st ? upstream(&inner, err) : XPL_OK;
}
