/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a subscription's model about one image, to see whether it is understood before anything is explained. */
#include <string.h>

#include "api/configuration/resource.h"
#include "api/configuration/service_providers.h"
#include "api/configuration/subscriptions.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/records/record_batch.h"
#include "api/records/record_image.h"
#include "api/scoring/endpoint.h"
#include "api/scoring/model_settings.h"
#include "api/scoring/probe_view.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/base/time.h"

#define DEADLINE_US (60 * INT64_C(1000000))

/* What the body says; all of it is optional. */
struct probe_request {
    struct xpl_text request; /* a scoring request as the model takes it */
    const char *scoring_id;  /* or one that was logged */
};

struct probing {
    struct xpl_call *call;
    json_t *subscription, *provider;
    struct xpl_model_settings model;
    struct xpl_probe_subject subject;
    struct xpl_endpoint endpoint;
    struct xpl_pixels *pixels;
    struct xpl_request *request;
    uint32_t image;
};

static enum xpl_status read_body(struct xpl_call *call, struct probe_request *ret, struct xpl_error *err)
{
    struct xpl_text body = {call->body.data, call->body.length}, id;
    enum xpl_status st;

    *ret = (struct probe_request){0};
    if (body.length == 0)
        return XPL_OK;
    if ((st = xpl_call_check_json_type(call, err)) || (st = xpl_json_check(body.ptr, body.length, NULL, err)))
        return st;
    while (body.length && strchr(" \t\r\n", *body.ptr))
        body = (struct xpl_text){body.ptr + 1, body.length - 1};
    if (!xpl_json_text_is_object(body))
        return xpl_fail(err, XPL_BAD_FIELD, "the body must be an object with \"request\" or \"scoring_id\", or empty");
    xpl_json_member(body, "request", &ret->request);
    if (!xpl_json_member(body, "scoring_id", &id))
        return XPL_OK;
    if (!xpl_json_text_is_string(id))
        return xpl_fail_field(err, XPL_BAD_FIELD, "scoring_id", "must be a string");
    ret->scoring_id = xpl_arena_string_n(call->arena, id.ptr + 1, id.length - 2);
    return ret->scoring_id ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status load_entities(struct probing *p, struct xpl_error *err)
{
    struct xpl_call *call = p->call;
    const char *provider_id;
    enum xpl_status st;

    if ((st = xpl_subscription_load(call->app, call->db, call->arena, call->data_mart_id, call->path_params[0],
                                    &p->subscription, err)))
        return st;
    provider_id = xpl_json_string_at(p->subscription, "service_provider_id");
    if ((st = xpl_provider_load(call->app, call->db, call->arena, call->data_mart_id, provider_id ? provider_id : "",
                                &p->provider, err)))
        return st;
    return xpl_model_settings_read(call->arena, p->subscription, &p->model, err);
}

static enum xpl_status find_record(struct probing *p, const char *scoring_id, struct xpl_record *ret,
                                   struct xpl_error *err)
{
    struct xpl_call *call = p->call;
    struct xpl_record_batch target;
    struct xpl_error inner = {0};
    struct xpl_record *found;
    enum xpl_status st;
    size_t n;

    if (!scoring_id) {
        if ((st = xpl_record_batch_of_subscription(call, call->path_params[0], &target, err)))
            return st;
        st = xpl_record_latest(call->db, call->arena, target.data_set_id, ret, &inner);
        if (st && st != XPL_NOT_FOUND)
            return xpl_fail(err, st, "%s", inner.message);
        return st == XPL_NOT_FOUND ? xpl_fail(err, XPL_BAD_FIELD,
                                              "nothing was logged for the subscription: log a record, or send a "
                                              "scoring request as \"request\"")
                                   : XPL_OK;
    }
    st = xpl_records_by_scoring_id(call->db, call->arena, call->data_mart_id, call->path_params[0], scoring_id, &found,
                                   &n, err);
    if (!st && n == 0)
        return xpl_fail_field(err, XPL_NOT_FOUND, "scoring_id", "nothing was logged with the scoring id %.100s",
                              scoring_id);
    if (!st)
        *ret = found[0];
    return st;
}

/* The image that is asked about. */
static enum xpl_status load_image(struct probing *p, const struct probe_request *said, struct xpl_error *err)
{
    struct xpl_call *call = p->call;
    struct xpl_error inner = {0};
    struct xpl_record record;
    enum xpl_status st;

    if (said->request.ptr) {
        p->subject.source = "request";
        if ((st = xpl_request_read(call->arena, said->request, &p->model.request, call->app->decoder, &p->request,
                                   &inner)))
            return xpl_fail_field(err, st, "request", "%s%s%s", inner.field, *inner.field ? ": " : "", inner.message);
        return xpl_request_pixels(call->arena, p->request, 0, &p->pixels, err);
    }
    if ((st = find_record(p, said->scoring_id, &record, err)))
        return st;
    p->subject.source = "record";
    p->subject.scoring_id = record.scoring_id;
    p->subject.logged = record.predicted.probabilities;
    p->image = (uint32_t)record.image_index;
    return xpl_record_image_load(call->app, call->db, call->arena, &record, &p->model.request, &p->request, &p->pixels,
                                 err);
}

static enum xpl_status make_endpoint(struct probing *p, struct xpl_error *err)
{
    const char *url = xpl_scoring_url(p->call->arena, p->subscription);

    if (!url)
        return xpl_fail(err, XPL_BAD_FIELD, "the subscription has no deployment.scoring_endpoint.url to ask");
    return xpl_endpoint_make(p->call->app, p->call->arena, p->provider,
                             xpl_json_at(p->subscription, "deployment.scoring_endpoint"), url, &p->endpoint, err);
}

static enum xpl_status probe(struct probing *p, json_t **ret, struct xpl_error *err)
{
    struct xpl_call *call = p->call;
    struct xpl_predictor_options options;
    struct xpl_probe_input input = {.endpoint = &p->endpoint, .options = &options, .model = &p->model};
    struct xpl_probe_report report;
    struct probe_request said;
    enum xpl_status st;

    if ((st = load_entities(p, err)) || (st = read_body(call, &said, err)) || (st = load_image(p, &said, err)) ||
        (st = make_endpoint(p, err)))
        return st;
    options = xpl_predictor_options_of(call->app, &p->model);
    options.retries = 0;
    options.deadline_us = xpl_monotonic_us() + DEADLINE_US;
    options.circuit =
        xpl_model_circuit(call->arena, p->subscription, p->provider, xpl_scoring_url(call->arena, p->subscription));
    options.call.task_id = "probe";
    options.call.request_id = call->request_id;
    input.request = p->request;
    input.image = p->image;
    input.pixels = p->pixels;
    input.explanation_ms = (uint32_t)call->app->settings.explain_deadline_ms;
    if ((st = xpl_probe(call->arena, &input, &report, err)))
        return st;
    *ret = xpl_probe_view(&p->subject, &input, &report);
    return *ret ? XPL_OK : xpl_no_memory(err);
}

enum xpl_answered xpl_subscriptions_probe(struct xpl_call *call)
{
    struct probing p = {.call = call};
    struct xpl_error err = {0};
    json_t *view = NULL;
    enum xpl_status st = probe(&p, &view, &err);

    json_decref(p.subscription);
    json_decref(p.provider);
    return st ? xpl_reply_error(call, &err) : xpl_reply_json(call, 200, view);
}
