/* SPDX-License-Identifier: Apache-2.0 */
#include "server/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/routes.h"

/* The codes that operations answer with; anything else is counted as 0, which is shown as "other". */
static const unsigned codes[] = {0,   200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 406, 408,
                                 409, 412, 413, 415, 429, 431, 500, 501, 502, 503, 504, 505, 507};

#define N_CODES (sizeof codes / sizeof *codes)

_Static_assert(N_CODES <= XPL_METERED_CODES, "a code has no counter");

/* Requests that were refused to protect the daemon or its data, not for what they asked. */
static const char *const reasons[XPL_STATUS_COUNT] = {
    [XPL_UNAUTHORIZED] = "unauthorized",
    [XPL_FORBIDDEN] = "forbidden",
    [XPL_TOO_LARGE] = "too_large",
    [XPL_HEADER_TOO_LARGE] = "header_too_large",
    [XPL_TOO_MANY] = "too_many",
    [XPL_NO_MEMORY] = "no_memory",
    [XPL_OVERLOADED] = "overloaded",
    [XPL_STORAGE_FULL] = "storage_full",
    [XPL_STORAGE_FAILED] = "storage_failed",
};

static size_t index_of_code(unsigned code)
{
    for (size_t i = 1; i < N_CODES; i++)
        if (codes[i] == code)
            return i;
    return 0;
}

enum xpl_status xpl_metrics_init(struct xpl_metrics *metrics, struct xpl_error *err)
{
    size_t n_routes;

    xpl_routes(&n_routes);
    metrics->n_operations = n_routes + 1;
    metrics->operations = calloc(metrics->n_operations, sizeof *metrics->operations);
    return metrics->operations ? XPL_OK : xpl_no_memory(err);
}

void xpl_metrics_release(struct xpl_metrics *metrics)
{
    free(metrics->operations);
    metrics->operations = NULL;
}

void xpl_metrics_count(struct xpl_metrics *metrics, const struct xpl_call *call, int64_t us)
{
    size_t n_routes;
    const struct xpl_route *routes = xpl_routes(&n_routes);
    struct xpl_operation_meter *operation =
        &metrics->operations[call->route ? (size_t)(call->route - routes) : n_routes];

    xpl_count(&operation->by_code[index_of_code(call->reply.http_status)]);
    xpl_histogram_add(&operation->us, &xpl_scale_seconds, us);
    if (call->reply.error)
        xpl_count(&metrics->rejected[call->reply.error]);
}

/* ---- the text ---- */

void xpl_metric_head(struct xpl_buf *out, const char *name, const char *type, const char *help)
{
    xpl_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void xpl_metric_histogram(struct xpl_buf *out, const char *name, const char *label, const struct xpl_scale *scale,
                          const struct xpl_histogram *histogram)
{
    const char *comma = *label ? "," : "", *open = *label ? "{" : "", *close = *label ? "}" : "";
    uint64_t total = 0;

    for (size_t i = 0; i < scale->n; i++) {
        total += xpl_counted(&histogram->counts[i]);
        xpl_buf_printf(out, "%s_bucket{%s%sle=\"%.9g\"} %" PRIu64 "\n", name, label, comma,
                       (double)scale->bounds[i] * scale->unit, total);
    }
    total += xpl_counted(&histogram->counts[scale->n]);
    xpl_buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, label, comma, total);
    xpl_buf_printf(out, "%s_sum%s%s%s %.9g\n", name, open, label, close,
                   (double)xpl_counted(&histogram->sum) * scale->unit);
    xpl_buf_printf(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, label, close, total);
}

static const char *operation_name(size_t index)
{
    size_t n_routes;
    const struct xpl_route *routes = xpl_routes(&n_routes);

    return index < n_routes ? routes[index].operation : "none";
}

static void page_requests(const struct xpl_metrics *metrics, struct xpl_buf *out)
{
    static const char name[] = "explaind_http_requests_total";

    xpl_metric_head(out, name, "counter", "Answered requests by operation and status code.");
    for (size_t i = 0; i < metrics->n_operations; i++) {
        for (size_t code = 0; code < N_CODES; code++) {
            uint64_t n = xpl_counted(&metrics->operations[i].by_code[code]);
            char text[16] = "other";

            if (n == 0)
                continue;
            if (code > 0)
                snprintf(text, sizeof text, "%u", codes[code]);
            xpl_buf_printf(out, "%s{operation=\"%s\",code=\"%s\"} %" PRIu64 "\n", name, operation_name(i), text, n);
        }
    }
}

static bool was_used(const struct xpl_histogram *histogram)
{
    uint64_t total = 0;

    for (size_t i = 0; i <= XPL_SCALE_MAX; i++)
        total += xpl_counted(&histogram->counts[i]);
    return total > 0;
}

static void page_durations(const struct xpl_metrics *metrics, struct xpl_buf *out)
{
    static const char name[] = "explaind_http_request_duration_seconds";
    char label[96];

    xpl_metric_head(out, name, "histogram", "From the head of a request to its answer, by operation.");
    for (size_t i = 0; i < metrics->n_operations; i++) {
        if (!was_used(&metrics->operations[i].us))
            continue;
        snprintf(label, sizeof label, "operation=\"%s\"", operation_name(i));
        xpl_metric_histogram(out, name, label, &xpl_scale_seconds, &metrics->operations[i].us);
    }
}

static void page_rejected(const struct xpl_metrics *metrics, const struct xpl_gauges *gauges, struct xpl_buf *out)
{
    static const char name[] = "explaind_rejected_total";

    xpl_metric_head(out, name, "counter", "What was turned away to protect the daemon or its data, by reason.");
    for (size_t i = 0; i < XPL_STATUS_COUNT; i++)
        if (reasons[i])
            xpl_buf_printf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", name, reasons[i],
                           xpl_counted(&metrics->rejected[i]));
    xpl_buf_printf(out, "%s{reason=\"connections\"} %" PRIu64 "\n", name, gauges->connections_refused);
}

void xpl_metrics_page_http(const struct xpl_metrics *metrics, const struct xpl_gauges *gauges, struct xpl_buf *out)
{
    page_requests(metrics, out);
    page_durations(metrics, out);
    page_rejected(metrics, gauges, out);
}
