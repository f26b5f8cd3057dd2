/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payload logging. Everything is checked and compressed before the write; the write stores all of a request or nothing.
 */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/json_spec.h"
#include "api/records_read.h"
#include "api/resource.h"
#include "api/scoring_hints.h"
#include "db/records.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/scoring/request.h"

#define OPENSCALE_MAX_SIDE 125u
#define MAX_ROW_SUFFIX     4u /* digits of the row in a scoring id */

/* A checked transaction, ready to be written. */
struct prepared {
    struct xpl_payload payload;
    struct xpl_record *records;
    uint32_t n_records;
};

struct batch {
    const char *data_set_id, *subscription_id, *deployment_id;
    struct xpl_answer_hints hints;
    struct prepared *prepared;
    size_t n, n_records;
    bool needs_schema; /* the subscription does not say yet what its output looks like */
};

/* ---- scoring ids ---- */

/* Where "-n" starts in an id that ends in -[1-9][0-9]{0,3}; NULL when it does not. */
static const char *row_suffix(const char *id, int64_t *ret_row)
{
    const char *dash = strrchr(id, '-');

    if (!dash || dash == id || dash[1] == '0' || strlen(dash + 1) > MAX_ROW_SUFFIX)
        return NULL;
    return xpl_parse_int(dash + 1, 1, 9999, ret_row) ? dash : NULL;
}

static enum xpl_status name_records(struct xpl_call *call, const char *scoring_id, struct prepared *p,
                                    struct xpl_error *err)
{
    struct xpl_arena *arena = call->arena;
    const char *transaction_id = scoring_id, *dash;
    char fresh[XPL_UUID_SIZE];
    int64_t row = 1;

    if (!scoring_id)
        transaction_id = xpl_arena_string(arena, xpl_uuid(fresh));
    dash = transaction_id && p->n_records == 1 ? row_suffix(transaction_id, &row) : NULL;
    if (dash)
        transaction_id = xpl_arena_string_n(arena, transaction_id, (size_t)(dash - transaction_id));
    if (!transaction_id)
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < p->n_records; i++) {
        struct xpl_record *record = &p->records[i];

        record->transaction_id = transaction_id;
        record->row_number = dash ? row : (int64_t)i + 1;
        record->scoring_id = xpl_arena_printf(arena, "%s-%lld", transaction_id, (long long)record->row_number);
        if (!record->scoring_id)
            return xpl_no_memory(err);
    }
    return XPL_OK;
}

/* ---- checks ---- */

static enum xpl_status check_image(const struct xpl_call *call, const struct xpl_request_image *image,
                                   struct xpl_error *err)
{
    const struct xpl_settings *settings = &call->app->settings;

    if (image->length > (uint64_t)settings->limits_payload_bytes)
        return xpl_fail_field(err, XPL_TOO_LARGE, "request",
                              "the scoring input of an image has %zu bytes; the limit is %lld bytes"
                              " (limits.payload_bytes)",
                              image->length, (long long)settings->limits_payload_bytes);
    if (settings->limits_profile == XPL_PROFILE_OPENSCALE &&
        (image->height > OPENSCALE_MAX_SIDE || image->width > OPENSCALE_MAX_SIDE))
        return xpl_fail_field(err, XPL_BAD_RECORD, "request",
                              "the image is %u x %u pixels; the limit is %u x %u (limits.profile=openscale)",
                              image->height, image->width, OPENSCALE_MAX_SIDE, OPENSCALE_MAX_SIDE);
    return XPL_OK;
}

static const char *probabilities_text(struct xpl_arena *arena, const double *p, uint32_t n)
{
    json_t *list = json_array();
    const char *text;

    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_real(p[i]));
    text = xpl_json_text(arena, list);
    json_decref(list);
    return text;
}

static uint32_t most_probable(const double *p, uint32_t n)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < n; i++)
        if (p[i] > p[best])
            best = i;
    return best;
}

static const char *label_text(struct xpl_arena *arena, const struct xpl_answer *answer, uint32_t class_index)
{
    XPL_AUTO_JSON label = answer->labels ? json_string(answer->labels[class_index]) : json_integer(class_index);

    return label ? xpl_json_text(arena, label) : NULL;
}

static enum xpl_status fill_record(struct xpl_call *call, const struct batch *batch, const struct xpl_transaction *t,
                                   const struct xpl_request *request, const struct xpl_answer *answer, uint32_t row,
                                   struct xpl_record *ret, struct xpl_error *err)
{
    const double *p = answer->probabilities + (size_t)row * answer->n_classes;
    const struct xpl_request_image *image = &request->images[row];
    uint32_t top = most_probable(p, answer->n_classes);
    char id[XPL_UUID_SIZE];

    *ret = (struct xpl_record){
        .id = xpl_arena_string(call->arena, xpl_uuid(id)),
        .data_mart_id = call->data_mart_id,
        .data_set_id = batch->data_set_id,
        .subscription_id = batch->subscription_id,
        .deployment_id = batch->deployment_id,
        .image_index = row,
        .image_offset = (int64_t)image->offset,
        .image_length = (int64_t)image->length,
        .height = image->height,
        .width = image->width,
        .channels = image->channels,
        .probabilities = probabilities_text(call->arena, p, answer->n_classes),
        .prediction = answer->predictions[row] ? answer->predictions[row] : label_text(call->arena, answer, top),
        .prediction_probability = p[top],
        .scoring_timestamp = t->scoring_timestamp,
        .has_response_time = t->has_response_time,
        .response_time = t->response_time,
        .asset_revision = t->asset_revision,
        .user_id = t->user_id,
        .created_at = xpl_now_us(),
        .created_by = call->user,
    };
    return ret->id && ret->probabilities && ret->prediction ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status prepare_payload(struct xpl_call *call, const struct batch *batch,
                                       const struct xpl_transaction *t, struct xpl_payload *ret, struct xpl_error *err)
{
    enum xpl_status st;

    *ret = (struct xpl_payload){.data_mart_id = call->data_mart_id,
                                .data_set_id = batch->data_set_id,
                                .request_size = t->request.length,
                                .response_size = t->response.length};
    xpl_payload_hash(t->request, t->response, ret->hash);
    st = xpl_payload_compress(call->arena, t->request, &ret->request, err);
    return st ? st : xpl_payload_compress(call->arena, t->response, &ret->response, err);
}

static enum xpl_status as_record_error(enum xpl_status st, const char *member, const struct xpl_error *inner,
                                       struct xpl_error *err)
{
    char field[XPL_ERROR_FIELD_MAX];

    if (st == XPL_NO_MEMORY)
        return xpl_no_memory(err);
    snprintf(field, sizeof field, "%s%s%.100s", member, *inner->field ? "." : "", inner->field);
    return xpl_fail_field(err, st == XPL_TOO_LARGE ? st : XPL_BAD_RECORD, field, "%s", inner->message);
}

static enum xpl_status prepare(struct xpl_call *call, const struct batch *batch, const struct xpl_transaction *t,
                               struct prepared *p, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    struct xpl_request *request;
    struct xpl_answer *answer;
    enum xpl_status st;

    if ((st = xpl_request_read(call->arena, t->request, &request, &inner)))
        return as_record_error(st, t->from_row ? "scoring_input" : "request", &inner, err);
    for (uint32_t i = 0; i < request->n_images; i++)
        if ((st = check_image(call, &request->images[i], err)))
            return st;
    if ((st = xpl_answer_read(call->arena, t->response, &batch->hints, request->n_images, 0, &answer, &inner)))
        return as_record_error(st, t->from_row ? "probability" : "response", &inner, err);
    p->n_records = request->n_images;
    if (!(p->records = XPL_NEW_ARRAY(call->arena, struct xpl_record, p->n_records)))
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < p->n_records; i++)
        if ((st = fill_record(call, batch, t, request, answer, i, &p->records[i], err)))
            return st;
    if ((st = name_records(call, t->scoring_id, p, err)))
        return st;
    return prepare_payload(call, batch, t, &p->payload, err);
}

static enum xpl_status prepare_all(struct xpl_call *call, struct batch *batch, struct xpl_error *err)
{
    struct xpl_transaction *transactions;
    enum xpl_status st;

    if ((st = xpl_records_read(call, &transactions, &batch->n, err)))
        return st;
    if (!(batch->prepared = XPL_NEW_ARRAY(call->arena, struct prepared, batch->n)))
        return xpl_no_memory(err);
    for (size_t i = 0; i < batch->n; i++) {
        struct xpl_error inner = {0};
        char prefix[32];

        if ((st = prepare(call, batch, &transactions[i], &batch->prepared[i], &inner))) {
            snprintf(prefix, sizeof prefix, "[%zu]", i);
            xpl_error_prefix(&inner, prefix);
            return xpl_fail_field(err, st, inner.field, "%s", inner.message);
        }
        batch->n_records += batch->prepared[i].n_records;
    }
    return XPL_OK;
}

static enum xpl_status load_target(struct xpl_call *call, struct batch *batch, struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    struct xpl_resource data_set, subscription;
    const char *id = call->path_params[0];
    enum xpl_status st;

    st = xpl_resource_get(call->db, call->arena, &xpl_kind_data_set, call->data_mart_id, id, &data_set, err);
    if (st)
        return st == XPL_NOT_FOUND ? xpl_resource_missing("data_set", id, err) : st;
    if (strcmp(data_set.columns[2], "payload_logging") != 0 || strcmp(data_set.columns[0], "subscription") != 0)
        return xpl_fail(err, XPL_NOT_AVAILABLE,
                        "records can be stored in data sets of type payload_logging; this one is %s of a %s",
                        data_set.columns[2], data_set.columns[0]);
    batch->data_set_id = data_set.id;
    batch->subscription_id = data_set.columns[1];
    st = xpl_resource_get(call->db, call->arena, &xpl_kind_subscription, call->data_mart_id, batch->subscription_id,
                          &subscription, err);
    if (st || (st = xpl_resource_entity(&subscription, &entity, err)))
        return st == XPL_NOT_FOUND ? xpl_resource_missing("subscription", batch->subscription_id, err) : st;
    batch->deployment_id = subscription.columns[3];
    batch->needs_schema = !xpl_json_at(entity, "asset_properties.output_data_schema");
    return xpl_scoring_hints(call->arena, entity, &batch->hints, err);
}

/* ---- the write ---- */

/* Whether the record is there already. The same content is accepted again, other content is a conflict. */
static enum xpl_status check_repeat(struct xpl_db *db, struct xpl_call *call, const struct prepared *p,
                                    const struct xpl_record *record, size_t index, bool *ret_new, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    struct xpl_blob hash;
    enum xpl_status st;
    char field[48];

    st = xpl_record_hash(db, call->arena, record->data_set_id, record->scoring_id, &hash, &inner);
    *ret_new = st == XPL_NOT_FOUND;
    if (*ret_new)
        return XPL_OK;
    if (st)
        return xpl_fail(err, st, "%s", inner.message);
    if (hash.length == sizeof p->payload.hash && memcmp(hash.data, p->payload.hash, hash.length) == 0)
        return XPL_OK;
    snprintf(field, sizeof field, "[%zu].scoring_id", index);
    return xpl_fail_field(err, XPL_CONFLICT, field, "%.100s was logged before with other content", record->scoring_id);
}

static enum xpl_status store(struct xpl_db *db, struct xpl_call *call, struct prepared *p, size_t index,
                             struct xpl_error *err)
{
    int64_t payload_id = 0;

    for (uint32_t i = 0; i < p->n_records; i++) {
        enum xpl_status st;
        bool is_new;

        if ((st = check_repeat(db, call, p, &p->records[i], index, &is_new, err)))
            return st;
        if (!is_new)
            continue;
        if (!payload_id && (st = xpl_payload_insert(db, &p->payload, &payload_id, err)))
            return st;
        p->records[i].payload_id = payload_id;
        if ((st = xpl_record_insert(db, &p->records[i], err)))
            return st;
    }
    return XPL_OK;
}

static json_t *schema_field(const char *name, const char *type, const char *role)
{
    return json_pack("{s:s, s:s, s:b, s:{s:s*}}", "name", name, "type", type, "nullable", 1, "metadata",
                     "modeling_role", role);
}

static json_t *output_schema(void)
{
    json_t *probability = schema_field("probability", "", "probability");

    json_object_set_new(probability, "type",
                        json_pack("{s:b, s:s, s:s}", "containsNull", 1, "elementType", "double", "type", "array"));
    return json_pack("{s:s, s:[o, o, o, o, o, o, o]}", "type", "struct", "fields",
                     schema_field("prediction_probability", "double", "prediction-probability"),
                     schema_field("scoring_id", "string", "record-id"),
                     schema_field("scoring_timestamp", "timestamp", "record-timestamp"),
                     schema_field("deployment_id", "string", NULL), schema_field("asset_revision", "string", NULL),
                     schema_field("prediction", "string", "prediction"), probability);
}

/* After the first payload the subscription says what its output looks like, as the original's does. */
static enum xpl_status fill_schema(struct xpl_db *db, struct xpl_call *call, const char *subscription_id,
                                   struct xpl_error *err)
{
    XPL_AUTO_JSON entity = NULL;
    struct xpl_resource subscription;
    json_t *properties;
    enum xpl_status st;

    if ((st = xpl_resource_get(db, call->arena, &xpl_kind_subscription, call->data_mart_id, subscription_id,
                               &subscription, err)) ||
        (st = xpl_resource_entity(&subscription, &entity, err)))
        return st;
    properties = json_object_get(entity, "asset_properties");
    if (!json_is_object(properties)) {
        properties = json_object();
        json_object_set_new(entity, "asset_properties", properties);
    }
    json_object_set_new(properties, "output_data_schema", output_schema());
    subscription.entity = xpl_json_text(call->arena, entity);
    return subscription.entity ? xpl_resource_update(db, &xpl_kind_subscription, &subscription, err)
                               : xpl_no_memory(err);
}

static void reply(struct xpl_call *call, const struct batch *batch, const char *request_id)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < batch->n; i++)
        for (uint32_t k = 0; k < batch->prepared[i].n_records; k++)
            json_array_append_new(ids, json_string(batch->prepared[i].records[k].scoring_id));
    xpl_reply_json(call, 202,
                   json_pack("{s:s, s:s, s:o}", "state", "active", "request_id", request_id, "scoring_ids", ids));
    xpl_reply_header(call, "Location",
                     xpl_arena_printf(call->arena, "/v2/data_sets/%s/requests/%s", batch->data_set_id, request_id));
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct batch *batch = arg;
    char id[XPL_UUID_SIZE];
    struct xpl_record_request request = {.id = xpl_uuid(id),
                                         .data_mart_id = call->data_mart_id,
                                         .data_set_id = batch->data_set_id,
                                         .state = "active",
                                         .n_records = (int64_t)batch->n_records,
                                         .created_at = xpl_now_us()};
    struct xpl_resource still_there;
    enum xpl_status st;

    if ((st = xpl_resource_get(db, call->arena, &xpl_kind_data_set, call->data_mart_id, batch->data_set_id,
                               &still_there, err)))
        return st == XPL_NOT_FOUND ? xpl_resource_missing("data_set", batch->data_set_id, err) : st;
    for (size_t i = 0; i < batch->n; i++)
        if ((st = store(db, call, &batch->prepared[i], i, err)))
            return st;
    if ((st = xpl_record_request_insert(db, &request, err)) ||
        (batch->needs_schema && (st = fill_schema(db, call, batch->subscription_id, err))))
        return st;
    reply(call, batch, id);
    return XPL_OK;
}

enum xpl_answered xpl_records_add(struct xpl_call *call)
{
    struct batch *batch = XPL_NEW(call->arena, struct batch);
    struct xpl_error err = {0};

    if (!batch)
        return xpl_reply_json(call, 503, NULL);
    if (load_target(call, batch, &err) || prepare_all(call, batch, &err))
        return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, batch, call->body.length);
}
