/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves a model alone that keeps failing: after a number of failures in a row nothing is asked for a while, then one
 * explanation probes it, and its success or failure decides for the others.
 *
 * There is a circuit for each host, opened by connections that cannot be made, and one for each `url`, a scoring URL or
 * one together with its settings, opened by a deployment that answers 5xx or not in time: a broken deployment says
 * nothing about others behind the same gateway. One breaker serves all threads. At most 256 failing circuits are
 * remembered, those that failed last.
 */
#ifndef XPL_SCORING_BREAKER_H
#define XPL_SCORING_BREAKER_H

#include <stdint.h>

#include "lib/base/status.h"

struct xpl_breaker;

/** What the calls of a task said about the model. */
enum xpl_breaker_news {
    XPL_NEWS_NONE, /* nothing: cancelled, out of time, not permitted */
    XPL_NEWS_ANSWERED,
    XPL_NEWS_MODEL_FAILED, /* the host is there, this deployment failed */
    XPL_NEWS_HOST_FAILED   /* no connection */
};

/** `failures` in a row open a circuit for `pause_us`; 0 = never. */
enum xpl_status xpl_breaker_new(uint32_t failures, int64_t pause_us, struct xpl_breaker **ret, struct xpl_error *err);
void xpl_breaker_free(struct xpl_breaker *breaker);

/**
 * Before the first call of a task. XPL_MODEL_PAUSED while a circuit is open or being probed by another task. Whoever
 * was let in must report afterwards. `now_us` is monotonic.
 */
enum xpl_status xpl_breaker_enter(struct xpl_breaker *breaker, const char *host, const char *url, int64_t now_us,
                                  struct xpl_error *err);
void xpl_breaker_report(struct xpl_breaker *breaker, const char *host, const char *url, enum xpl_breaker_news news,
                        int64_t now_us);

#endif
