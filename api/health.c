/* SPDX-License-Identifier: Apache-2.0 */
/* The routes about the daemon itself: health, metrics, contract, limits, landing page. */
#include <string.h>

#include "api/handlers.h"
#include "db/upkeep.h"
#include "lib/base/time.h"
#include "lib/image/pixels.h"

#define STORED_LATELY_US 1000000 /* what was stored within the last second need not be tried again */

extern const char xpl_openapi_text[]; /* openapi.yaml, put into the program at build time */
extern const size_t xpl_openapi_text_length;

enum xpl_answered xpl_health_live(struct xpl_call *call)
{
    double uptime_s = (double)(xpl_now_us() - call->app->started_us) / 1e6;

    return xpl_reply_json(
        call, 200,
        json_pack("{s:s, s:s, s:f}", "status", "live", "version", EXPLAIND_VERSION, "uptime_seconds", uptime_s));
}

/* It answers, so migrations are done and interrupted explanations are back in the queue. */
enum xpl_answered xpl_health_startup(struct xpl_call *call)
{
    return xpl_reply_json(call, 200, json_pack("{s:s, s:s}", "status", "started", "version", EXPLAIND_VERSION));
}

static enum xpl_answered reply_ready(struct xpl_call *call)
{
    return xpl_reply_json(call, 200, json_pack("{s:s, s:s}", "status", "ready", "version", EXPLAIND_VERSION));
}

static enum xpl_status run_probe(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    (void)arg;
    reply_ready(call);
    return xpl_write_probe(db, xpl_now_us(), err);
}

enum xpl_answered xpl_health_ready(struct xpl_call *call)
{
    const struct xpl_app *app = call->app;
    int64_t stored_us = atomic_load(&xpl_writer_meters(app->writer)->stored_us);
    struct xpl_task_queue queue;
    struct xpl_error err = {0};

    if (xpl_task_queue_read(call->db, &queue, &err))
        return xpl_reply_error(call, &err);
    if (queue.queued + queue.leased >= app->settings.limits_tasks_queued) {
        xpl_fail(&err, XPL_NOT_READY, "%lld explanations wait; the limit is %lld (limits.tasks_queued)",
                 (long long)(queue.queued + queue.leased), (long long)app->settings.limits_tasks_queued);
        return xpl_reply_error(call, &err);
    }
    if (stored_us && xpl_monotonic_us() - stored_us < STORED_LATELY_US)
        return reply_ready(call);
    call->write_failure = XPL_NOT_READY;
    return xpl_reply_after_commit(call, run_probe, NULL, 64);
}

enum xpl_answered xpl_metrics_get(struct xpl_call *call)
{
    struct xpl_error err = {0};

    if (call->app->process.metrics(call->app->process.context, call->db, &call->out, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_bytes(call, 200, "text/plain; version=0.0.4; charset=utf-8",
                           (struct xpl_text){call->out.data, call->out.length});
}

enum xpl_answered xpl_openapi_get(struct xpl_call *call)
{
    return xpl_reply_bytes(call, 200, "application/yaml", (struct xpl_text){xpl_openapi_text, xpl_openapi_text_length});
}

enum xpl_answered xpl_landing_page(struct xpl_call *call)
{
    static const char page[] =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>explaind</title>"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}</style></head>\n"
        "<body><h1>explaind " EXPLAIND_VERSION "</h1>\n"
        "<p>Explains the decisions of deployed image classifiers. The API mirrors IBM Watson OpenScale v2.</p>\n"
        "<ul><li><a href=\"/openapi.yaml\">The contract (OpenAPI 3.1)</a></li>"
        "<li><a href=\"/v2/subscriptions\">Subscriptions</a></li>"
        "<li><a href=\"/v2/service_providers\">Service providers</a></li>"
        "<li><a href=\"/v2/limits\">Limits</a></li>"
        "<li><a href=\"/health/ready\">Health</a></li>"
        "<li><a href=\"/metrics\">Metrics</a></li></ul></body></html>\n";

    return xpl_reply_bytes(call, 200, "text/html; charset=utf-8", (struct xpl_text){page, sizeof page - 1});
}

enum xpl_answered xpl_limits_get(struct xpl_call *call)
{
    const struct xpl_settings *s = &call->app->settings;
    bool openscale = s->limits_profile == XPL_PROFILE_OPENSCALE;

    return xpl_reply_json(
        call, 200,
        json_pack("{s:{s:s, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:I, s:I, s:i}}", "limits", "profile",
                  openscale ? "openscale" : "default", "payload_bytes", (json_int_t)s->limits_payload_bytes,
                  "records_body_bytes", (json_int_t)s->limits_records_body_bytes, "tasks_body_bytes",
                  (json_int_t)s->limits_tasks_body_bytes, "body_bytes", (json_int_t)s->limits_body_bytes,
                  "max_image_side", openscale ? 125 : (int)XPL_IMAGE_MAX_SIDE, "records_page", XPL_RECORDS_PAGE_MAX,
                  "tasks_per_request", XPL_TASKS_PER_REQUEST, "tasks_queued", (json_int_t)s->limits_tasks_queued,
                  "tasks_queued_per_subscription", (json_int_t)s->limits_tasks_queued_per_subscription,
                  "explanations_at_once_per_deployment", 1));
}
