/* SPDX-License-Identifier: Apache-2.0 */
/* The page of metrics: everything but the counters of HTTP, which metrics.c has. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "server/metrics.h"

static void page_value(struct xpl_buf *out, const char *name, const char *type, const char *help, double value)
{
    xpl_metric_head(out, name, type, help);
    xpl_buf_printf(out, "%s %.17g\n", name, value);
}

static void page_process(const struct xpl_app *app, struct xpl_buf *out)
{
    xpl_metric_head(out, "explaind_build_info", "gauge", "The version; the value is 1.");
    xpl_buf_string(out, "explaind_build_info{version=\"" EXPLAIND_VERSION "\"} 1\n");
    page_value(out, "process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.",
               (double)app->started_us / 1e6);
}

static void page_load(const struct xpl_gauges *gauges, struct xpl_buf *out)
{
    page_value(out, "explaind_http_connections", "gauge", "Open client connections.", (double)gauges->connections);
    page_value(out, "explaind_http_requests_in_progress", "gauge", "Requests that are not answered yet.",
               (double)gauges->requests);
    page_value(out, "explaind_http_body_bytes", "gauge", "Request bodies in memory; bounded by limits.bodies_total.",
               (double)gauges->body_bytes);
}

static void page_tasks(const struct xpl_app *app, const struct xpl_gauges *gauges, struct xpl_buf *out)
{
    const struct xpl_task_queue *queue = &gauges->queue;
    double age_s = queue->oldest_queued_at ? (double)(gauges->now_us - queue->oldest_queued_at) / 1e6 : 0;

    xpl_metric_head(out, "explaind_tasks", "gauge", "Explanations that wait (queued) or are being made (leased).");
    xpl_buf_printf(out, "explaind_tasks{state=\"queued\"} %" PRId64 "\n", queue->queued);
    xpl_buf_printf(out, "explaind_tasks{state=\"leased\"} %" PRId64 "\n", queue->leased);
    xpl_metric_head(out, "explaind_tasks_ended_total", "counter",
                    "Explanations that ended since the process started, by their state.");
    xpl_buf_printf(out, "explaind_tasks_ended_total{state=\"finished\"} %" PRIu64 "\n",
                   xpl_counted(&app->meters.tasks_finished));
    xpl_buf_printf(out, "explaind_tasks_ended_total{state=\"error\"} %" PRIu64 "\n",
                   xpl_counted(&app->meters.tasks_failed));
    page_value(out, "explaind_task_oldest_queued_seconds", "gauge",
               "Age of the explanation that waits longest; 0 when none does.", age_s > 0 ? age_s : 0);
}

/* From the database: they begin anew with the day, not with the process. */
static void page_automatic(const struct xpl_gauges *gauges, struct xpl_buf *out)
{
    const struct xpl_automatic_count *today = &gauges->automatic;
    const struct {
        const char *outcome;
        int64_t n;
    } outcomes[] = {{"queued", today->explanations},
                    {"over_budget", today->over_budget},
                    {"queue_full", today->queue_full},
                    {"not_possible", today->not_possible}};

    xpl_metric_head(out, "explaind_automatic_records_today", "gauge",
                    "Records that rules picked for explanation since 0:00 UTC, by what came of it.");
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        xpl_buf_printf(out, "explaind_automatic_records_today{outcome=\"%s\"} %" PRId64 "\n", outcomes[i].outcome,
                       outcomes[i].n);
    page_value(out, "explaind_automatic_model_calls_today", "gauge",
               "Images scored for automatic explanations since 0:00 UTC.", (double)today->model_calls);
}

static void page_model_calls(const struct xpl_app *app, struct xpl_buf *out)
{
    static const char name[] = "explaind_model_call_duration_seconds";
    char label[64];

    xpl_metric_head(out, name, "histogram", "Calls of deployed models by outcome; each try counts.");
    for (int i = 0; i < XPL_CALL_RESULTS; i++) {
        snprintf(label, sizeof label, "outcome=\"%s\"", xpl_call_result_name((enum xpl_call_result)i));
        xpl_metric_histogram(out, name, label, &xpl_scale_seconds, &app->meters.model_calls.us[i]);
    }
}

static void page_decoder(const struct xpl_app *app, struct xpl_buf *out)
{
    page_value(out, "explaind_decoder_failures_total", "counter",
               "Processes for decoding pictures that ended unasked or had to be killed.",
               (double)xpl_counted(&app->meters.decoder_failures));
}

static double file_size(const char *path, const char *suffix)
{
    char name[4096];
    struct stat info;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &info) == 0 ? (double)info.st_size : 0;
}

static void page_storage(const struct xpl_app *app, const struct xpl_gauges *gauges, struct xpl_buf *out)
{
    const struct xpl_writer_meters *writer = xpl_writer_meters(app->writer);

    xpl_metric_head(out, "explaind_commit_duration_seconds", "histogram",
                    "What the disk takes to make writes durable.");
    xpl_metric_histogram(out, "explaind_commit_duration_seconds", "", &xpl_scale_seconds, &writer->commit_us);
    xpl_metric_head(out, "explaind_commit_operations", "histogram", "Writes that were made durable together.");
    xpl_metric_histogram(out, "explaind_commit_operations", "", &xpl_scale_counts, &writer->group);
    page_value(out, "explaind_commit_failures_total", "counter", "Transactions that could not be stored.",
               (double)xpl_counted(&writer->failed));
    page_value(out, "explaind_database_bytes", "gauge", "Size of the database file.", file_size(gauges->database, ""));
    page_value(out, "explaind_wal_bytes", "gauge", "Size of the write-ahead log.", file_size(gauges->database, "-wal"));
    page_value(out, "explaind_purged_records_total", "counter", "Records that purges deleted, or whose pixels.",
               (double)xpl_counted(&app->meters.purged_records));
    page_value(out, "explaind_retention_deleted_records_total", "counter", "Records that retention deleted.",
               (double)xpl_counted(&app->meters.retention_records));
}

static void page_gateway(const struct xpl_app *app, struct xpl_buf *out)
{
    xpl_metric_head(out, "explaind_gateway_transactions_total", "counter",
                    "Transactions that went through the gateway, by whether they could be logged.");
    xpl_buf_printf(out, "explaind_gateway_transactions_total{logged=\"yes\"} %" PRIu64 "\n",
                   xpl_counted(&app->meters.gateway_logged));
    xpl_buf_printf(out, "explaind_gateway_transactions_total{logged=\"no\"} %" PRIu64 "\n",
                   xpl_counted(&app->meters.gateway_unlogged));
}

static void page_webhooks(const struct xpl_app *app, struct xpl_buf *out)
{
    static const char line[] = "explaind_webhook_attempts_total{outcome=\"%s\"} %" PRIu64 "\n";

    xpl_metric_head(out, "explaind_webhook_attempts_total", "counter",
                    "Attempts to deliver to a webhook: made, failed and to be tried again, failed for good.");
    xpl_buf_printf(out, line, "delivered", xpl_counted(&app->meters.webhooks_delivered));
    xpl_buf_printf(out, line, "failed", xpl_counted(&app->meters.webhooks_failed));
    xpl_buf_printf(out, line, "dead", xpl_counted(&app->meters.webhooks_dead));
}

void xpl_metrics_page(const struct xpl_metrics *metrics, const struct xpl_app *app, const struct xpl_gauges *gauges,
                      struct xpl_buf *out)
{
    page_process(app, out);
    xpl_metrics_page_http(metrics, gauges, out);
    page_load(gauges, out);
    page_tasks(app, gauges, out);
    page_automatic(gauges, out);
    page_model_calls(app, out);
    page_decoder(app, out);
    page_storage(app, gauges, out);
    page_gateway(app, out);
    page_webhooks(app, out);
}
