/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the HTTP side counts, and the page that shows it with everything else that is counted or measured, in
 * Prometheus' text format. Label values come from tables of this program only: operations, status codes, reasons.
 */
#ifndef XPL_SERVER_METRICS_H
#define XPL_SERVER_METRICS_H

#include "api/call.h"
#include "db/automatic.h"
#include "db/upkeep.h"
#include "lib/base/meter.h"

#define XPL_METERED_CODES 32

/** Requests of one operation. */
struct xpl_operation_meter {
    xpl_counter by_code[XPL_METERED_CODES]; /* in the order of a table of metrics.c */
    struct xpl_histogram us;
};

struct xpl_metrics {
    size_t n_operations; /* one a route, and a last one for requests that have none */
    struct xpl_operation_meter *operations;
    xpl_counter rejected[XPL_STATUS_COUNT];
};

/** `metrics` is zeroed. */
enum xpl_status xpl_metrics_init(struct xpl_metrics *metrics, struct xpl_error *err);
void xpl_metrics_release(struct xpl_metrics *metrics);

/** Counts an answered call that took `us` microseconds. From any thread, without a lock. */
void xpl_metrics_count(struct xpl_metrics *metrics, const struct xpl_call *call, int64_t us);

/** What is measured at the moment of asking. */
struct xpl_gauges {
    uint64_t connections, connections_refused, requests, body_bytes;
    struct xpl_task_queue queue;
    struct xpl_automatic_count automatic; /* today, all subscriptions */
    int64_t now_us;                       /* wall clock */
    const char *database;                 /* path */
};

/** Appends the whole page to `out`; look at out->failed. */
void xpl_metrics_page(const struct xpl_metrics *metrics, const struct xpl_app *app, const struct xpl_gauges *gauges,
                      struct xpl_buf *out);

/* ---- private to metrics*.c ---- */

/** Requests by operation and code, their durations, and rejections. */
void xpl_metrics_page_http(const struct xpl_metrics *metrics, const struct xpl_gauges *gauges, struct xpl_buf *out);

/** "# HELP" and "# TYPE" of a metric. */
void xpl_metric_head(struct xpl_buf *out, const char *name, const char *type, const char *help);

/** The series of one histogram; `label` is such as `outcome="answered"`, or "". */
void xpl_metric_histogram(struct xpl_buf *out, const char *name, const char *label, const struct xpl_scale *scale,
                          const struct xpl_histogram *histogram);

#endif
