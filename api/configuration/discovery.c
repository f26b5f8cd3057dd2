/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which deployments a provider has: asked at its own engine, each time, and passed on.
 *
 * A custom engine answers GET {url}/v1/deployments in the very form clients want. A WML answers GET
 * {url}/ml/v4/deployments in its own, which is turned into that form.
 */
#include <string.h>

#include "api/configuration/service_providers.h"
#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/scoring/endpoint.h"
#include "lib/base/text.h"
#include "lib/scoring/transport/fetch.h"

#define MAX_ANSWER_BYTES ((size_t)4 << 20)
#define WML_VERSION      "2020-09-01"

/* What may go into a query as it is. */
static bool is_plain_id(const char *text)
{
    return *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")];
}

static const char *deployments_url(struct xpl_call *call, const char *base, bool wml)
{
    const char *space = xpl_call_query(call, "space_id");

    if (space && !is_plain_id(space))
        space = NULL;
    if (wml)
        return xpl_arena_printf(call->arena, "%s/ml/v4/deployments?version=" WML_VERSION "%s%s", base,
                                space ? "&space_id=" : "", space ? space : "");
    return xpl_arena_printf(call->arena, "%s%s", base, xpl_ends_with(base, "/v1/deployments") ? "" : "/v1/deployments");
}

static enum xpl_status parse(struct xpl_buf *body, json_t **ret, struct xpl_error *err)
{
    json_error_t error;

    *ret = json_loadb(body->data, body->length, 0, &error);
    if (!json_is_array(json_object_get(*ret, "resources")))
        return xpl_fail(err, XPL_UPSTREAM_FAILED, "the engine's answer has no list of \"resources\"");
    return XPL_OK;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* A WML list tells less than clients read: what it leaves out is put together from what it says. */
static json_t *asset_from_wml(const json_t *wml, const char *base, const char *name)
{
    const char *id = or_empty(xpl_json_string_at(wml, "entity.asset.id"));
    const char *own_name = xpl_json_string_at(wml, "entity.asset.name");

    return json_pack("{s:s, s:s, s:s, s:o}", "asset_id", id, "name", own_name ? own_name : name, "asset_type", "model",
                     "url", json_sprintf("%s/ml/v4/models/%s", base, id));
}

/* One deployment of WML v4 in the form of a custom engine's list. */
static json_t *from_wml(const json_t *wml, const char *base)
{
    const char *name = xpl_json_string_at(wml, "entity.name");
    const char *url = xpl_json_string_at(wml, "entity.status.online_url.url");
    const char *created = or_empty(xpl_json_string_at(wml, "metadata.created_at"));
    const char *modified = xpl_json_string_at(wml, "metadata.modified_at");
    json_t *resource;

    if (!name)
        name = or_empty(xpl_json_string_at(wml, "metadata.name"));
    resource = json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:o, s:{}}}", "metadata", "guid",
                         or_empty(xpl_json_string_at(wml, "metadata.id")), "created_at", created, "modified_at",
                         modified ? modified : created, "entity", "name", name, "type",
                         xpl_json_at(wml, "entity.batch") ? "batch" : "online", "asset",
                         asset_from_wml(wml, base, name), "asset_properties");
    if (url)
        json_object_set_new(json_object_get(resource, "entity"), "scoring_endpoint", json_pack("{s:s}", "url", url));
    return resource;
}

static json_t *list_from_wml(const json_t *answer, const char *base)
{
    json_t *resources = json_array(), *element;
    size_t i;

    json_array_foreach(json_object_get(answer, "resources"), i, element)
        json_array_append_new(resources, from_wml(element, base));
    return resources;
}

/* The engine's address, without slashes at its end. */
static enum xpl_status engine_address(struct xpl_call *call, const json_t *provider, const char **ret_base,
                                      bool *ret_wml, struct xpl_error *err)
{
    const char *type = xpl_json_string_at(provider, "service_type");
    const char *url = xpl_json_string_at(provider, "credentials.url");
    size_t length = url ? strlen(url) : 0;

    *ret_wml = type && strcmp(type, "watson_machine_learning") == 0;
    if (!*ret_wml && (!type || strcmp(type, "custom_machine_learning") != 0))
        return xpl_fail(err, XPL_NOT_AVAILABLE,
                        "deployments of a %s provider cannot be listed in this version; "
                        "a subscription can name its scoring_endpoint itself",
                        type ? type : "nameless");
    if (!url)
        return xpl_fail_field(err, XPL_BAD_FIELD, "credentials.url",
                              "the service provider has no URL to ask for deployments");
    while (length && url[length - 1] == '/')
        length--;
    *ret_base = xpl_arena_string_n(call->arena, url, length);
    return *ret_base ? XPL_OK : xpl_no_memory(err);
}

/* The provider's deployments as an array the caller owns. */
static enum xpl_status discover(struct xpl_call *call, const char *provider_id, json_t **ret, struct xpl_error *err)
{
    XPL_AUTO_JSON provider = NULL;
    XPL_AUTO_JSON answer = NULL;
    XPL_AUTO(xpl_buf) body = xpl_buf_new(MAX_ANSWER_BYTES);
    struct xpl_endpoint endpoint;
    const char *base, *url;
    enum xpl_status st;
    bool wml;

    if ((st = xpl_provider_load(call->app, call->db, call->arena, call->data_mart_id, provider_id, &provider, err)) ||
        (st = engine_address(call, provider, &base, &wml, err)))
        return st;
    url = deployments_url(call, base, wml);
    if (!body || !url)
        return xpl_no_memory(err);
    if ((st = xpl_endpoint_make(call->app, call->arena, provider, NULL, url, &endpoint, err)) ||
        (st = xpl_fetch(&endpoint, (uint32_t)call->app->settings.scoring_connect_timeout_ms, body, err)) ||
        (st = parse(body, &answer, err)))
        return st;
    *ret = wml ? list_from_wml(answer, base) : json_incref(json_object_get(answer, "resources"));
    return *ret ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_answered reply_list(struct xpl_call *call, const char *provider_id)
{
    XPL_AUTO_JSON resources = NULL;
    struct xpl_error err = {0};

    if (discover(call, provider_id, &resources, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_json(
        call, 200, json_pack("{s:I, s:O}", "count", (json_int_t)json_array_size(resources), "resources", resources));
}

static const char *provider_asked(struct xpl_call *call, struct xpl_error *err)
{
    const char *id = xpl_call_query(call, "service_provider_id");

    if (!id || !*id)
        xpl_fail_field(err, XPL_BAD_FIELD, "service_provider_id", "is missing");
    return id;
}

enum xpl_answered xpl_ml_deployments_list(struct xpl_call *call)
{
    struct xpl_error err = {0};
    const char *provider_id = provider_asked(call, &err);

    return err.status ? xpl_reply_error(call, &err) : reply_list(call, provider_id);
}

/* The one v1 path has no instance in it: clients name the data mart in the query. */
enum xpl_answered xpl_ml_instance_deployments_list(struct xpl_call *call)
{
    const char *data_mart_id = xpl_call_query(call, "datamart_id");

    if (call->app->no_auth && data_mart_id && xpl_is_guid(data_mart_id))
        call->data_mart_id = xpl_lower(xpl_arena_string(call->arena, data_mart_id));
    return reply_list(call, call->path_params[0]);
}

enum xpl_answered xpl_ml_deployments_get(struct xpl_call *call)
{
    struct xpl_error err = {0};
    const char *provider_id = provider_asked(call, &err), *wanted = call->path_params[0];
    XPL_AUTO_JSON resources = NULL;
    json_t *element;
    size_t i;

    if (err.status || discover(call, provider_id, &resources, &err))
        return xpl_reply_error(call, &err);
    json_array_foreach(resources, i, element)
    {
        const char *id = xpl_json_string_at(element, "metadata.guid");

        if (id && strcmp(id, wanted) == 0)
            return xpl_reply_json(call, 200, json_incref(element));
    }
    xpl_fail(&err, XPL_NOT_FOUND, "Resource of `deployment` with given id `%.100s` could not be found", wanted);
    return xpl_reply_error(call, &err);
}
