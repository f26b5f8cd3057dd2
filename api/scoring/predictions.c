/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway: scoring through the daemon. The request goes to the subscription's model as it came, the answer comes
 * back byte for byte, and the transaction is logged afterwards: logging never is in the way of scoring.
 */
#include <string.h>

#include "api/configuration/service_providers.h"
#include "api/configuration/subscriptions.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/scoring/endpoint.h"
#include "api/scoring/model_settings.h"
#include "api/v1/v1.h"
#include "lib/base/time.h"
#include "lib/scoring/forward.h"

static enum xpl_status make_endpoint(struct xpl_call *call, const json_t *subscription, struct xpl_endpoint *ret,
                                     struct xpl_error *err)
{
    const char *url = xpl_scoring_url(call->arena, subscription);
    const char *provider_id = xpl_json_string_at(subscription, "service_provider_id");
    XPL_AUTO_JSON provider = NULL;
    enum xpl_status st;

    if (!url)
        return xpl_fail(err, XPL_BAD_FIELD, "the subscription has no deployment.scoring_endpoint.url to score at");
    st = xpl_provider_load(call->app, call->db, call->arena, call->data_mart_id, provider_id ? provider_id : "",
                           &provider, err);
    return st ? st
              : xpl_endpoint_make(call->app, call->arena, provider,
                                  xpl_json_at(subscription, "deployment.scoring_endpoint"), url, ret, err);
}

static const char *header_or(const struct xpl_call *call, const char *name, const char *otherwise)
{
    const char *value = xpl_call_header(call, name);

    return value ? value : otherwise;
}

static enum xpl_status forward(struct xpl_call *call, const char *subscription_id, struct xpl_forward_answer *ret,
                               struct xpl_error *err)
{
    XPL_AUTO_JSON subscription = NULL;
    struct xpl_model_settings model;
    struct xpl_predictor_options options;
    struct xpl_endpoint endpoint;
    enum xpl_status st;

    if ((st = xpl_subscription_load(call->app, call->db, call->arena, call->data_mart_id, subscription_id,
                                    &subscription, err)) ||
        (st = xpl_model_settings_read(call->arena, subscription, &model, err)) ||
        (st = make_endpoint(call, subscription, &endpoint, err)))
        return st;
    options = xpl_predictor_options_of(call->app, &model);
    options.in_flight = 1;
    options.request_id = call->request_id;
    options.traceparent = xpl_call_traceparent(call);
    return xpl_forward(call->app->gateway.forwarder,
                       &(struct xpl_forward_call){.endpoint = &endpoint,
                                                  .options = &options,
                                                  .content_type = header_or(call, "Content-Type", "application/json"),
                                                  .accept = header_or(call, "Accept", "*/*"),
                                                  .body = {call->body.data, call->body.length}},
                       ret, err);
}

/* What was scored well is logged, unless it is one of our own variations. */
static void log_transaction(struct xpl_call *call, const char *subscription_id, int64_t scored_at,
                            const struct xpl_forward_answer *answer)
{
    const struct xpl_gateway_hooks *gateway = &call->app->gateway;
    const struct xpl_scored scored = {.data_mart_id = call->data_mart_id,
                                      .subscription_id = subscription_id,
                                      .user = call->user,
                                      .transaction_id = call->request_id,
                                      .request = {call->body.data, call->body.length},
                                      .response = {answer->body.data, answer->body.length},
                                      .scored_at = scored_at,
                                      .response_time_ms = answer->ms};

    if (answer->status >= 200 && answer->status < 300 && !xpl_call_header(call, "X-Explaind-Task"))
        gateway->log(gateway->context, &scored);
}

static enum xpl_answered score(struct xpl_call *call, const char *subscription_id)
{
    struct xpl_forward_answer answer = {0};
    int64_t scored_at = xpl_now_us();
    struct xpl_error err = {0};
    const char *type;
    char *body;

    if (forward(call, subscription_id, &answer, &err))
        return xpl_reply_error(call, &err);
    log_transaction(call, subscription_id, scored_at, &answer);
    body = xpl_arena_string_n(call->arena, answer.body.data ? answer.body.data : "", answer.body.length);
    type = xpl_arena_string(call->arena, *answer.content_type ? answer.content_type : "application/octet-stream");
    if (body && type)
        xpl_reply_bytes(call, (unsigned)answer.status, type, (struct xpl_text){body, answer.body.length});
    else
        xpl_reply_json(call, 503, NULL);
    xpl_buf_release(&answer.body);
    return XPL_ANSWERED;
}

enum xpl_answered xpl_subscriptions_predictions(struct xpl_call *call)
{
    return score(call, call->path_params[0]);
}

enum xpl_answered xpl_v1_deployments_online(struct xpl_call *call)
{
    struct xpl_resource subscription;
    struct xpl_error err = {0};

    if (xpl_v1_enter(call, &err) || xpl_v1_find_subscription(call->db, call, &subscription, &err))
        return xpl_reply_error(call, &err);
    if (!subscription.columns[3] || strcmp(subscription.columns[3], call->path_params[2]) != 0) {
        xpl_resource_missing("deployment", call->path_params[2], &err);
        return xpl_reply_error(call, &err);
    }
    return score(call, subscription.id);
}
