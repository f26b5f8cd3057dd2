/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One plain GET, for asset discovery at a model engine (GET {url}/v1/deployments).
 */
#ifndef XPL_SCORING_FETCH_H
#define XPL_SCORING_FETCH_H

#include "lib/base/buf.h"
#include "lib/scoring/transport/endpoint.h"

/** Once per process, before any thread. */
enum xpl_status xpl_scoring_start(struct xpl_error *err);
void xpl_scoring_stop(void);

/** Fills `body` (its maximum bounds the answer). Anything but 2xx is XPL_UPSTREAM_FAILED with the status in the
 * message. */
enum xpl_status xpl_fetch(const struct xpl_endpoint *endpoint, uint32_t timeout_ms, struct xpl_buf *body,
                          struct xpl_error *err);

#endif
