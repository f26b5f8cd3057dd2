/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring/endpoint.h"

#include <string.h>
#include <strings.h>

#include "api/json_spec.h"
#include "api/scoring/credential_rules.h"

#define IBM_CLOUD   ".cloud.ibm.com"
#define MAX_LINES   (2 * XPL_MAX_REQUEST_HEADERS) /* of provider and subscription */
#define AMAZON      ".amazonaws.com"
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

static const char *text_at(struct xpl_arena *arena, const json_t *json, const char *name)
{
    const char *text = xpl_json_string_at(json, name);

    return text && *text ? xpl_arena_string(arena, text) : NULL;
}

/* An address below that of the provider, without its slashes at the end. */
static const char *below(struct xpl_arena *arena, const char *url, const char *path)
{
    size_t length = strlen(url);

    while (length && url[length - 1] == '/')
        length--;
    return xpl_arena_printf(arena, "%.*s%s", (int)length, url, path);
}

static bool is_of_ibm_cloud(const char *url)
{
    size_t suffix = sizeof IBM_CLOUD - 1;
    struct xpl_text host = origin(url);

    return host.length > suffix && strncasecmp(host.ptr + host.length - suffix, IBM_CLOUD, suffix) == 0;
}

bool xpl_auth_url_is_sound(const json_t *credentials)
{
    const char *given = xpl_json_string_at(credentials, "auth_url");

    return !given || xpl_same_origin(given, xpl_json_string_at(credentials, "url")) ||
           (strncasecmp(given, "https://iam.", 12) == 0 && is_of_ibm_cloud(given));
}

/* Models of IBM take tokens that credentials are exchanged for; without a url these are no such credentials. */
static struct xpl_token_source exchanged_for(struct xpl_arena *arena, const json_t *credentials)
{
    const char *url = xpl_json_string_at(credentials, "url");
    struct xpl_token_source source = {.kind = XPL_TOKEN_IAM,
                                      .url = text_at(arena, credentials, "auth_url"),
                                      .username = text_at(arena, credentials, "username"),
                                      .password = text_at(arena, credentials, "password"),
                                      .api_key = text_at(arena, credentials, "apikey"),
                                      .ca_pem = text_at(arena, credentials, "ca_certificate")};

    if (source.username && url && (source.password || source.api_key)) {
        source.kind = XPL_TOKEN_CP4D;
        source.url = source.url ? source.url : below(arena, url, "/icp4d-api/v1/authorize");
    } else if (!source.url && is_of_ibm_cloud(url))
        source.url = "https://iam" IBM_CLOUD "/identity/token";
    if (source.kind == XPL_TOKEN_IAM && !source.api_key)
        source.url = NULL;
    return source;
}

/* "runtime.sagemaker.REGION.amazonaws.com": what is not said may stand in the address. */
static const char *region_of(struct xpl_arena *arena, const char *url)
{
    struct xpl_text host = origin(url);
    const char *text = xpl_arena_string_n(arena, host.ptr, host.length), *end = text ? strstr(text, AMAZON) : NULL;
    const char *start = end;

    while (start && start > text && start[-1] != '.')
        start--;
    return start && start > text && start < end ? xpl_arena_string_n(arena, start, (size_t)(end - start)) : NULL;
}

/* A key pair of Amazon: requests are signed. */
static bool take_key_pair(struct xpl_arena *arena, const json_t *credentials, struct xpl_endpoint *ret)
{
    const char *service = text_at(arena, credentials, "aws_service");
    const char *id = text_at(arena, credentials, "access_key_id"),
               *secret = text_at(arena, credentials, "secret_access_key"),
               *region = text_at(arena, credentials, "region");

    if (!id || !secret)
        return false;
    ret->username = id;
    ret->password = secret;
    ret->aws_region = region ? region : region_of(arena, ret->url);
    ret->aws_service = service ? service : "sagemaker";
    return true;
}

/* `exchanged`: those of a provider whose models take tokens only. */
static void take_credentials(struct xpl_arena *arena, const json_t *credentials, bool exchanged,
                             struct xpl_model_address *ret)
{
    struct xpl_endpoint *endpoint = &ret->endpoint;

    endpoint->ca_pem = text_at(arena, credentials, "ca_certificate");
    endpoint->certificate_pem = text_at(arena, credentials, "client_certificate");
    endpoint->key_pem = text_at(arena, credentials, "client_key");
    ret->is_signed = take_key_pair(arena, credentials, endpoint);
    if (ret->is_signed || (endpoint->bearer = text_at(arena, credentials, "token")))
        return;
    if (exchanged || xpl_json_string_at(credentials, "auth_url"))
        ret->token = exchanged_for(arena, credentials);
    if (ret->token.url)
        return;
    endpoint->username = text_at(arena, credentials, "username");
    endpoint->password = text_at(arena, credentials, "password");
    if (!endpoint->username)
        endpoint->bearer = text_at(arena, credentials, "apikey");
    else if (!endpoint->password)
        endpoint->password = text_at(arena, credentials, "apikey");
}

/* The place of the header of that name; the next one when there is none. */
static size_t place_of(const char *const *lines, size_t n, const char *name)
{
    size_t i = 0, length = strlen(name);

    while (i < n && !(strncasecmp(lines[i], name, length) == 0 && lines[i][length] == ':'))
        i++;
    return i;
}

/* The later of two headers with the same name counts. A type is told by what is sent. */
static enum xpl_status add_headers(struct xpl_arena *arena, const json_t *headers, const char **lines, size_t *n,
                                   struct xpl_error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)headers, name, value)
    {
        const char *text = json_string_value(value);
        size_t place = place_of(lines, *n, name);

        if (strcasecmp(name, "Content-Type") == 0)
            continue;
        if (!text || place == MAX_LINES || !*name || strpbrk(name, ": ") || !xpl_is_header_text(name) ||
            !xpl_is_header_text(text))
            return xpl_fail_field(err, XPL_BAD_FIELD, "request_headers",
                                  "must be at most %d headers whose values are strings without control characters",
                                  XPL_MAX_REQUEST_HEADERS);
        if (!(lines[place] = xpl_arena_printf(arena, "%s: %s", name, text)))
            return xpl_no_memory(err);
        *n += place == *n;
    }
    return XPL_OK;
}

enum xpl_status xpl_model_address_read(struct xpl_app *app, struct xpl_arena *arena, const json_t *provider,
                                       const json_t *scoring_endpoint, const char *url, struct xpl_model_address *ret,
                                       struct xpl_error *err)
{
    const char **lines = XPL_NEW_ARRAY(arena, const char *, MAX_LINES);
    const json_t *own = xpl_json_at(scoring_endpoint, "credentials");
    const char *type = xpl_json_string_at(provider, "service_type");
    bool is_wml = type && strcmp(type, "watson_machine_learning") == 0;
    bool providers_server = xpl_same_origin(url, xpl_json_string_at(provider, "credentials.url"));
    enum xpl_status st = XPL_OK;
    size_t n = 0;

    if (!lines)
        return xpl_no_memory(err);
    *ret = (struct xpl_model_address){.endpoint = {.url = xpl_arena_string(arena, url), .policy = app->scoring_policy}};
    if (json_object_size(own) > 0)
        take_credentials(arena, own, false, ret);
    else if (providers_server)
        take_credentials(arena, xpl_json_at(provider, "credentials"), is_wml, ret);
    if (providers_server)
        st = add_headers(arena, xpl_json_at(provider, "request_headers"), lines, &n, err);
    if (st || (st = add_headers(arena, xpl_json_at(scoring_endpoint, "request_headers"), lines, &n, err)))
        return st;
    if (ret->is_signed && !ret->endpoint.aws_region)
        return xpl_fail_field(err, XPL_BAD_FIELD, "credentials.region", "is needed to sign requests to this address");
    ret->endpoint.headers = lines;
    ret->endpoint.n_headers = n;
    return ret->endpoint.url ? XPL_OK : xpl_no_memory(err);
}

enum xpl_status xpl_model_address_open(struct xpl_app *app, struct xpl_arena *arena,
                                       const struct xpl_model_address *address, struct xpl_endpoint *ret,
                                       struct xpl_error *err)
{
    *ret = address->endpoint;
    return address->token.url ? xpl_model_token(app, arena, &address->token, &ret->bearer, err) : XPL_OK;
}

enum xpl_status xpl_endpoint_make(struct xpl_app *app, struct xpl_arena *arena, const json_t *provider,
                                  const json_t *scoring_endpoint, const char *url, struct xpl_endpoint *ret,
                                  struct xpl_error *err)
{
    struct xpl_model_address address;
    enum xpl_status st = xpl_model_address_read(app, arena, provider, scoring_endpoint, url, &address, err);

    return st ? st : xpl_model_address_open(app, arena, &address, ret, err);
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
        .max_batch = model->fixed_batch ? model->fixed_batch : smaller(model->batch, settings->explain_batch),
        .fixed_batch = model->fixed_batch,
        .max_body_bytes = (size_t)settings->scoring_body_bytes,
        .call.connect_timeout_ms =
            model->connect_timeout_ms ? model->connect_timeout_ms : (uint32_t)settings->scoring_connect_timeout_ms,
        .call.call_timeout_ms =
            model->call_timeout_ms ? model->call_timeout_ms : (uint32_t)settings->scoring_call_timeout_ms,
        .retries = (uint32_t)settings->scoring_retries,
        .call.max_answer_bytes = (size_t)settings->scoring_answer_bytes,
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
