/* SPDX-License-Identifier: Apache-2.0 */
#include "api/endpoint.h"

#include <string.h>
#include <strings.h>

#include "api/json_spec.h"

#define MAX_HEADERS 32
#define WML_VERSION "version=2020-09-01"

/* Scheme, host and port: what stands in front of the path. */
static struct xpl_text origin(const char *url)
{
    const char *host = url ? strstr(url, "//") : NULL;

    if (!host)
        return (struct xpl_text){"", 0};
    host += 2;
    return (struct xpl_text){url, (size_t)(host - url) + strcspn(host, "/?#")};
}

bool xpl_same_origin(const char *a, const char *b)
{
    struct xpl_text origin_a = origin(a), origin_b = origin(b);

    return origin_a.length > 0 && origin_a.length == origin_b.length &&
           strncasecmp(origin_a.ptr, origin_b.ptr, origin_a.length) == 0;
}

static void take_credentials(struct xpl_arena *arena, const json_t *credentials, struct xpl_endpoint *ret)
{
    const char *token = xpl_json_string_at(credentials, "token");

    ret->username = xpl_arena_string(arena, xpl_json_string_at(credentials, "username"));
    ret->password = xpl_arena_string(arena, xpl_json_string_at(credentials, "password"));
    if (!ret->username)
        ret->bearer = xpl_arena_string(arena, token ? token : xpl_json_string_at(credentials, "apikey"));
}

static bool is_sane(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text == 0x7f)
            return false;
    return true;
}

static enum xpl_status add_headers(struct xpl_arena *arena, const json_t *headers, const char **lines, size_t *n,
                                   struct xpl_error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)headers, name, value)
    {
        const char *text = json_string_value(value);

        if (!text || *n == MAX_HEADERS || !*name || strpbrk(name, ": ") || !is_sane(name) || !is_sane(text))
            return xpl_fail_field(err, XPL_BAD_FIELD, "request_headers",
                                  "must be at most %d headers whose values are strings without control characters",
                                  MAX_HEADERS);
        if (!(lines[(*n)++] = xpl_arena_printf(arena, "%s: %s", name, text)))
            return xpl_no_memory(err);
    }
    return XPL_OK;
}

enum xpl_status xpl_endpoint_make(const struct xpl_app *app, struct xpl_arena *arena, const json_t *provider,
                                  const json_t *scoring_endpoint, const char *url, struct xpl_endpoint *ret,
                                  struct xpl_error *err)
{
    const char **lines = XPL_NEW_ARRAY(arena, const char *, MAX_HEADERS);
    const json_t *own = xpl_json_at(scoring_endpoint, "credentials");
    bool providers_server = xpl_same_origin(url, xpl_json_string_at(provider, "credentials.url"));
    enum xpl_status st = XPL_OK;
    size_t n = 0;

    if (!lines)
        return xpl_no_memory(err);
    *ret = (struct xpl_endpoint){.url = xpl_arena_string(arena, url), .policy = app->scoring_policy};
    if (json_object_size(own) > 0)
        take_credentials(arena, own, ret);
    else if (providers_server)
        take_credentials(arena, xpl_json_at(provider, "credentials"), ret);
    if (providers_server)
        st = add_headers(arena, xpl_json_at(provider, "request_headers"), lines, &n, err);
    if (st || (st = add_headers(arena, xpl_json_at(scoring_endpoint, "request_headers"), lines, &n, err)))
        return st;
    ret->headers = lines;
    ret->n_headers = n;
    return ret->url ? XPL_OK : xpl_no_memory(err);
}

/* What a subscription says, at most what the daemon allows; 0 of either = nothing is said. */
static uint32_t smaller(uint32_t said, int64_t allowed)
{
    return said && (allowed == 0 || said < allowed) ? said : (uint32_t)allowed;
}

struct xpl_predictor_options xpl_predictor_options_of(struct xpl_app *app, const struct xpl_model_settings *model)
{
    const struct xpl_settings *settings = &app->settings;

    return (struct xpl_predictor_options){
        .in_flight = smaller(model->in_flight, settings->explain_in_flight),
        .max_batch = smaller(model->batch, settings->explain_batch),
        .max_body_bytes = (size_t)settings->scoring_body_bytes,
        .connect_timeout_ms =
            model->connect_timeout_ms ? model->connect_timeout_ms : (uint32_t)settings->scoring_connect_timeout_ms,
        .call_timeout_ms =
            model->call_timeout_ms ? model->call_timeout_ms : (uint32_t)settings->scoring_call_timeout_ms,
        .retries = (uint32_t)settings->scoring_retries,
        .max_answer_bytes = (size_t)settings->scoring_answer_bytes,
        .breaker = app->breaker,
        .meters = &app->meters.model_calls,
    };
}

bool xpl_is_wml_v4(const char *url)
{
    return strstr(url, "/ml/v4/") != NULL;
}

const char *xpl_scoring_url(struct xpl_arena *arena, const json_t *subscription)
{
    const char *url = xpl_json_string_at(subscription, "deployment.scoring_endpoint.url");

    if (!url)
        url = xpl_json_string_at(subscription, "deployment.url");
    if (!url || !xpl_is_wml_v4(url) || strstr(url, "version="))
        return url;
    return xpl_arena_printf(arena, "%s%c" WML_VERSION, url, strchr(url, '?') ? '&' : '?');
}
