/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks as a resource. */
#include "api/notifications/webhooks.h"

#include <string.h>

#include "api/handlers.h"
#include "api/json_spec.h"
#include "lib/base/text.h"
#include "lib/scoring/transport/url.h"

#define MAX_URL_BYTES       2048
#define MAX_OF_SUBSCRIPTION 10
#define KEY_ARENA_BYTES     4096

static const char *const target_types[] = {"subscription", NULL};
static const char *const event_names[] = {"finished", "error", NULL};

struct webhook_request {
    const char *target_type, *target_id, *url, *secret, *description;
    json_t *events;
    bool enabled;
};

static enum xpl_status read_request(const json_t *entity, struct webhook_request *ret, struct xpl_error *err)
{
    static const struct xpl_json_field fields[] = {
        XPL_JSON_STRING(struct webhook_request, target_type, .path = "target.target_type", .required = true,
                        .choices = target_types),
        XPL_JSON_STRING(struct webhook_request, target_id, .path = "target.target_id", .required = true, .max = 256),
        XPL_JSON_STRING(struct webhook_request, url, .required = true, .max = MAX_URL_BYTES),
        XPL_JSON_STRING(struct webhook_request, secret, .required = true, .max = 256),
        XPL_JSON_STRING(struct webhook_request, description, .max = 1024),
        XPL_JSON_ARRAY_FIELD(struct webhook_request, events, .min = 1, .max = 2, .strings = true),
        XPL_JSON_BOOL(struct webhook_request, enabled),
    };

    return xpl_json_read(entity, fields, XPL_COUNT(fields), ret, err);
}

static enum xpl_status check_events(const json_t *events, struct xpl_error *err)
{
    const json_t *event;
    size_t i;

    json_array_foreach(events, i, event)
    {
        const char *name = json_string_value(event);

        if (strcmp(name, event_names[0]) != 0 && strcmp(name, event_names[1]) != 0)
            return xpl_fail_field(err, XPL_BAD_FIELD, "events", "\"%.40s\" is not one of finished, error", name);
    }
    return XPL_OK;
}

static enum xpl_status check_secret(const char *secret, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(KEY_ARENA_BYTES * 4);
    size_t length;

    if (!arena)
        return xpl_no_memory(err);
    return xpl_webhook_key(arena, secret, &length)
               ? XPL_OK
               : xpl_fail_field(err, XPL_BAD_FIELD, "secret",
                                "must be the base64 of 24 to 64 bytes, with or without whsec_ in front");
}

static enum xpl_status check(const json_t *entity, struct xpl_error *err)
{
    struct webhook_request request = {0};
    enum xpl_status st = read_request(entity, &request, err);

    if (st || (st = xpl_url_check(request.url, "url", err)) || (st = check_events(request.events, err)))
        return st;
    return check_secret(request.secret, err);
}

static void complete(json_t *entity)
{
    if (!json_is_array(json_object_get(entity, "events")))
        json_object_set_new(entity, "events", json_pack("[s, s]", event_names[0], event_names[1]));
    if (!json_is_boolean(json_object_get(entity, "enabled")))
        json_object_set_new(entity, "enabled", json_true());
    json_object_del(entity, "deliveries");
}

static enum xpl_status decorate(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *resource,
                                json_t *entity, struct xpl_error *err)
{
    struct xpl_delivery_counts counts;
    enum xpl_status st = xpl_delivery_counts_of(db, resource->id, &counts, err);

    (void)call;
    if (st)
        return st;
    json_object_set_new(entity, "deliveries",
                        json_pack("{s:I, s:I, s:I}", "pending", (json_int_t)counts.pending, "dead",
                                  (json_int_t)counts.dead, "dropped", (json_int_t)counts.dropped));
    return XPL_OK;
}

static const char *const read_only[] = {"target", "deliveries", NULL};
static const char *const secret_members[] = {"/secret", NULL};
static const struct xpl_secrets secrets = {secret_members, "/url"};

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err);

const struct xpl_resource_type xpl_webhook_type = {
    .kind = &xpl_kind_webhook,
    .singular = "webhook",
    .plural = "webhooks",
    .filters = {"target.target_type", "target.target_id"},
    .read_only = read_only,
    .secrets = &secrets,
    .check = check,
    .complete = complete,
    .decorate = decorate,
    .adding = run_add,
};

static enum xpl_status check_target(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *webhook,
                                    struct xpl_error *err)
{
    const struct xpl_resource_filter of_target = {.values = {webhook->columns[0], webhook->columns[1]}};
    struct xpl_resource subscription, *others;
    size_t n;
    enum xpl_status st = xpl_resource_get(db, call->arena, &xpl_kind_subscription, call->data_mart_id,
                                          webhook->columns[1], &subscription, err);

    if (st == XPL_NOT_FOUND) {
        xpl_error_clear(err);
        return xpl_fail_field(err, XPL_BAD_FIELD, "target.target_id", "there is no subscription %.100s",
                              webhook->columns[1]);
    }
    if (st ||
        (st = xpl_resource_list(db, call->arena, &xpl_kind_webhook, call->data_mart_id, &of_target, &others, &n, err)))
        return st;
    return n < MAX_OF_SUBSCRIPTION
               ? XPL_OK
               : xpl_fail(err, XPL_CONFLICT, "the subscription has %d webhooks, the limit", MAX_OF_SUBSCRIPTION);
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    const struct xpl_resource *webhook = arg;
    enum xpl_status st = check_target(db, call, webhook, err);

    return st ? st : xpl_resource_insert_and_reply(db, call, &xpl_webhook_type, webhook, err);
}

enum xpl_answered xpl_webhooks_add(struct xpl_call *call)
{
    return xpl_resource_add_reply(call, &xpl_webhook_type);
}

enum xpl_answered xpl_webhooks_list(struct xpl_call *call)
{
    return xpl_resource_list_reply(call, &xpl_webhook_type);
}

enum xpl_answered xpl_webhooks_get(struct xpl_call *call)
{
    return xpl_resource_get_reply(call, &xpl_webhook_type);
}

enum xpl_answered xpl_webhooks_patch(struct xpl_call *call)
{
    return xpl_resource_patch_reply(call, &xpl_webhook_type);
}

enum xpl_answered xpl_webhooks_delete(struct xpl_call *call)
{
    return xpl_resource_delete_reply(call, &xpl_webhook_type);
}
