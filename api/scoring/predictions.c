/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway: scoring through the daemon. The request goes to the subscription's model as it came, the answer comes
 * back byte for byte as it arrives, and the transaction is logged afterwards: logging never is in the way of scoring.
 */
#include <string.h>

#include "api/body_encoding.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/routes.h"
#include "api/scoring/passed_on.h"
#include "api/scoring/scoring_target.h"
#include "api/v1/v1.h"
#include "lib/base/time.h"
#include "lib/scoring/transport/forward.h"

#define HEAD_LENGTH "Inference-Header-Content-Length"

/* A prediction on its way through, until its answer has left. */
struct passing {
    const char *subscription_id;
    int64_t scored_at;
    struct xpl_endpoint endpoint;
    struct xpl_call_options options;
    struct xpl_forwarding *forwarding; /* NULL when the answer was read */
    bool is_logged;
    struct xpl_buf answer; /* to be logged, as far as it has come */
    size_t reserved;
    const char *why_not;
};

static const char *header_or(const struct xpl_call *call, const char *name, const char *otherwise)
{
    const char *value = xpl_call_header(call, name);

    return value ? value : otherwise;
}

static bool has_length(const struct xpl_call *call)
{
    return xpl_call_header(call, "Content-Length");
}

static bool is_given_up(void *context)
{
    const struct xpl_call *call = context;

    return call->abandoned && call->abandoned(call);
}

/* Whoever only ended its side of the connection still reads why. */
static void tell_why_given_up(struct xpl_call *call, struct xpl_error *err)
{
    bool ends = call->abandoned && call->abandoned(call) == XPL_PROCESS_ENDS;

    if (err->status != XPL_CANCELLED)
        return;
    *err = (struct xpl_error){0};
    if (ends)
        xpl_fail(err, XPL_OVERLOADED, "the daemon is shutting down");
    else
        xpl_fail(err, XPL_BAD_REQUEST, "the client ended its side of the connection before the model had answered");
}

/* A signature needs all of the body, and tells no encoding; many servers want to know a length. */
static enum xpl_status choose_passing(struct xpl_call *call, const struct passing *p,
                                      const struct xpl_model_settings *model, struct xpl_error *err)
{
    call->body_collected = p->endpoint.aws_region || !(model->chunked || has_length(call));
    return p->endpoint.aws_region ? xpl_body_encoding_note(call, err) : XPL_OK;
}

/* Finds the model. */
static enum xpl_status prepare(struct xpl_call *call, struct passing *p, struct xpl_error *err)
{
    const struct xpl_scoring_target *target;
    enum xpl_status st;

    if ((st = xpl_scoring_target_of(call, p->subscription_id, &target, err)) ||
        (st = xpl_model_address_open(call->app, call->arena, &target->address, &p->endpoint, err)) ||
        (st = xpl_pass_on(call, &p->endpoint, err)) || (st = choose_passing(call, p, &target->model, err)))
        return st;
    p->options = xpl_predictor_options_of(call->app, &target->model).call;
    p->options.request_id = call->request_id;
    p->options.traceparent = xpl_call_traceparent(call);
    p->scored_at = xpl_now_us();
    return XPL_OK;
}

static struct xpl_text body_of(const struct xpl_call *call)
{
    return (struct xpl_text){call->body.data, call->body.length};
}

/* Begins the request, of which the body may be on its way. */
static enum xpl_status open_request(struct xpl_call *call, struct passing *p, size_t length, struct xpl_error *err)
{
    return xpl_forward_open(
        call->app->gateway.forwarder,
        &(struct xpl_forward_call){.endpoint = &p->endpoint,
                                   .options = &p->options,
                                   .content_type = header_or(call, "Content-Type", "application/json"),
                                   .accept = header_or(call, "Accept", "*/*"),
                                   .head_length = xpl_call_header(call, HEAD_LENGTH),
                                   .body = body_of(call),
                                   .given_up = is_given_up,
                                   .context = call},
        length, &p->forwarding, err);
}

/* ---- logging ---- */

static void forget(struct xpl_call *call, struct passing *p)
{
    const struct xpl_gateway_hooks *gateway = &call->app->gateway;

    xpl_buf_release(&p->answer);
    if (p->reserved > 0)
        gateway->release(gateway->context, p->reserved);
    p->reserved = 0;
}

/* An answer of any length is passed on; one that is too long is not logged. */
static void keep(struct xpl_call *call, struct passing *p, const char *data, size_t length)
{
    const struct xpl_gateway_hooks *gateway = &call->app->gateway;

    if (!p->is_logged || p->why_not)
        return;
    if (length > p->answer.max - p->answer.length)
        p->why_not = "the model's answer is too long (scoring.answer_bytes)";
    else if (!gateway->reserve(gateway->context, length))
        p->why_not = "too many transactions wait to be logged (gateway.log_bytes)";
    else if (p->reserved += length, !xpl_buf_append(&p->answer, data, length))
        p->why_not = "out of memory";
    if (p->why_not)
        forget(call, p);
}

static void log_transaction(struct xpl_call *call, const struct passing *p)
{
    const struct xpl_gateway_hooks *gateway = &call->app->gateway;
    const struct xpl_scored scored = {.data_mart_id = call->data_mart_id,
                                      .subscription_id = p->subscription_id,
                                      .user = call->user,
                                      .transaction_id = call->request_id,
                                      .why_not = p->why_not,
                                      .request = {call->body.data, call->body.length},
                                      .request_type = xpl_call_header(call, "Content-Type"),
                                      .request_head = xpl_call_header(call, HEAD_LENGTH),
                                      .response = {p->answer.data, p->answer.length},
                                      .response_head = xpl_forwarding_header(p->forwarding, HEAD_LENGTH),
                                      .request_encoding =
                                          p->endpoint.aws_region ? NULL : xpl_call_header(call, "Content-Encoding"),
                                      .response_encoding = xpl_forwarding_header(p->forwarding, "Content-Encoding"),
                                      .scored_at = p->scored_at,
                                      .response_time_ms = xpl_forwarding_ms(p->forwarding)};

    if (p->is_logged)
        gateway->log(gateway->context, &scored);
}

/* ---- the answer ---- */

/* Lets go of the model. */
static void end(struct xpl_call *call)
{
    struct passing *p = call->stream.arg;

    forget(call, p);
    xpl_forwarding_end(p->forwarding);
    p->forwarding = NULL;
}

static enum xpl_streaming next_piece(struct xpl_call *call, struct xpl_arena *scratch, struct xpl_buf *out)
{
    struct passing *p = call->stream.arg;
    struct xpl_error err = {0};
    bool more;

    (void)scratch;
    if (xpl_forwarding_read(p->forwarding, out, &more, &err))
        return err.status == XPL_CANCELLED ? XPL_STREAM_BREAKS : xpl_stream_failed(call, &err);
    keep(call, p, out->data, out->length);
    if (more)
        return XPL_STREAM_GOES_ON;
    log_transaction(call, p);
    end(call);
    return XPL_STREAM_ENDS;
}

/* The headers without which the body cannot be read, or the status not be followed. */
static void pass_headers(struct xpl_call *call, const struct passing *p)
{
    static const char *const names[] = {"Content-Encoding", HEAD_LENGTH, "Retry-After"};

    for (size_t i = 0; i < XPL_COUNT(names); i++) {
        const char *value = xpl_forwarding_header(p->forwarding, names[i]);

        if (value)
            xpl_reply_header(call, names[i], xpl_arena_string(call->arena, value));
    }
}

/* What is there as a whole is answered as a whole. */
static enum xpl_answered answer(struct xpl_call *call, struct passing *p)
{
    const char *type = xpl_forwarding_header(p->forwarding, "Content-Type");
    unsigned status = (unsigned)xpl_forwarding_status(p->forwarding);
    int64_t length = xpl_forwarding_length(p->forwarding);
    bool is_whole = xpl_forwarding_is_whole(p->forwarding), failed;

    /* what failed is not logged, and neither are our own variations */
    p->is_logged = status < 300 && !xpl_call_header(call, "X-Explaind-Task");
    type = xpl_arena_string(call->arena, type ? type : "application/octet-stream");
    pass_headers(call, p);
    xpl_reply_stream(
        call, status, type,
        &(struct xpl_streamed){
            .next = next_piece, .arg = p, .has_length = length >= 0, .length = (uint64_t)length, .end = end});
    if (!is_whole)
        return XPL_ANSWERED;
    failed = next_piece(call, NULL, &call->out) == XPL_STREAM_BREAKS;
    end(call);
    call->stream = (struct xpl_streamed){0};
    return failed ? xpl_reply_json(call, 503, NULL)
                  : xpl_reply_bytes(call, status, type, (struct xpl_text){call->out.data, call->out.length});
}

/* Its end is the call's, whatever becomes of it. */
static enum xpl_status begin(struct xpl_call *call, const char *subscription_id, struct passing **ret,
                             struct xpl_error *err)
{
    struct passing *p = XPL_NEW(call->arena, struct passing);
    enum xpl_status st;

    if (!p)
        return xpl_no_memory(err);
    *p = (struct passing){.subscription_id = subscription_id};
    xpl_buf_init(&p->answer, (size_t)call->app->settings.scoring_answer_bytes);
    call->stream = (struct xpl_streamed){.arg = p, .end = end};
    if ((st = prepare(call, p, err)))
        return st;
    *ret = p;
    return XPL_OK;
}

static enum xpl_answered score(struct xpl_call *call, const char *subscription_id)
{
    struct passing *p = call->stream.arg;
    struct xpl_error err = {0};

    if ((!p && begin(call, subscription_id, &p, &err)) || (call->body_encoded && xpl_body_decode(call, &err)) ||
        (!p->forwarding && open_request(call, p, call->body.length, &err)) ||
        xpl_forwarding_finish(p->forwarding, body_of(call), &err)) {
        tell_why_given_up(call, &err);
        return xpl_reply_error(call, &err);
    }
    return answer(call, p);
}

static enum xpl_status subscription_of_v1(struct xpl_call *call, const char **ret_id, struct xpl_error *err)
{
    struct xpl_resource subscription;
    enum xpl_status st;

    if ((st = xpl_v1_enter(call, err)) || (st = xpl_v1_find_subscription(call->db, call, &subscription, err)))
        return st;
    if (!subscription.columns[3] || strcmp(subscription.columns[3], call->path_params[2]) != 0)
        return xpl_resource_missing("deployment", call->path_params[2], err);
    *ret_id = subscription.id;
    return XPL_OK;
}

static enum xpl_status subscription_of(struct xpl_call *call, const char **ret_id, struct xpl_error *err)
{
    if (call->route->handle == xpl_v1_deployments_online)
        return subscription_of_v1(call, ret_id, err);
    *ret_id = call->path_params[0];
    return XPL_OK;
}

enum xpl_status xpl_predictions_part(struct xpl_call *call, size_t length, struct xpl_error *err)
{
    struct passing *p = call->stream.arg;
    const char *id;
    enum xpl_status st;

    if (!p)
        xpl_call_remember(call);
    if (!p && ((st = subscription_of(call, &id, err)) || (st = begin(call, id, &p, err))))
        return st;
    if (call->body_collected)
        return XPL_OK;
    if (!p->forwarding && (st = open_request(call, p, has_length(call) ? length : XPL_FORWARD_UNKNOWN, err)))
        return st;
    if ((st = xpl_forwarding_send(p->forwarding, body_of(call), err)))
        tell_why_given_up(call, err);
    return st ? err->status : XPL_OK;
}

enum xpl_answered xpl_subscriptions_predictions(struct xpl_call *call)
{
    return score(call, call->path_params[0]);
}

enum xpl_answered xpl_v1_deployments_online(struct xpl_call *call)
{
    struct xpl_error err = {0};
    const char *id;

    return subscription_of_v1(call, &id, &err) ? xpl_reply_error(call, &err) : score(call, id);
}
