/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/record_batch.h"

#include <stdio.h>
#include <string.h>

#include "api/configuration/output_schema.h"
#include "api/configuration/resource.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/scoring/requests/request.h"

#define OPENSCALE_MAX_SIDE 125u
#define MAX_ROW_SUFFIX     4u /* digits of the row in a scoring id */

/* ---- scoring ids ---- */

/* Where "-n" starts in an id that ends in -[1-9][0-9]{0,3}; NULL when it does not. */
static const char *row_suffix(const char *id, int64_t *ret_row)
{
    const char *dash = strrchr(id, '-');

    if (!dash || dash == id || dash[1] == '0' || strlen(dash + 1) > MAX_ROW_SUFFIX)
        return NULL;
    return xpl_parse_int(dash + 1, 1, 9999, ret_row) ? dash : NULL;
}

static enum xpl_status name_records(struct xpl_call *call, const char *scoring_id, struct xpl_prepared *p,
                                    struct xpl_error *err)
{
    struct xpl_arena *arena = call->arena;
    const char *transaction_id = scoring_id, *dash;
    char fresh[XPL_UUID_SIZE];
    int64_t row = 1;

    p->id_is_new = !scoring_id;
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
    XPL_AUTO_JSON list = json_array();

    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_real(p[i]));
    return xpl_json_text(arena, list);
}

static uint32_t most_probable(const double *p, uint32_t n)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < n; i++)
        if (p[i] > p[best])
            best = i;
    return best;
}

enum xpl_status xpl_prediction_of(struct xpl_arena *arena, const double *probabilities, uint32_t n_classes,
                                  const char *const *labels, struct xpl_prediction *ret, struct xpl_error *err)
{
    uint32_t top = most_probable(probabilities, n_classes);
    XPL_AUTO_JSON label = labels ? json_string(labels[top]) : json_integer(top);

    *ret = (struct xpl_prediction){.probabilities = probabilities_text(arena, probabilities, n_classes),
                                   .prediction = label ? xpl_json_text(arena, label) : NULL,
                                   .probability = probabilities[top]};
    return ret->probabilities && ret->prediction ? XPL_OK : xpl_no_memory(err);
}

static const struct xpl_prediction not_predicted = {.probabilities = XPL_NO_PROBABILITIES, .prediction = "null"};

/* A number stays as it was written; text becomes what filters compare with, without escapes that need not be. */
static const char *without_escapes(struct xpl_arena *arena, const char *scalar)
{
    XPL_AUTO_JSON value = *scalar == '"' ? json_loads(scalar, JSON_DECODE_ANY, NULL) : NULL;

    return value ? xpl_json_text(arena, value) : scalar;
}

/* What the logged response says of one image; the model may call its prediction as it likes. */
static enum xpl_status prediction_of_row(struct xpl_arena *arena, const struct xpl_answer *answer, uint32_t row,
                                         struct xpl_prediction *ret, struct xpl_error *err)
{
    enum xpl_status st = xpl_prediction_of(arena, answer->probabilities + (size_t)row * answer->n_classes,
                                           answer->n_classes, answer->labels, ret, err);

    if (!st && answer->predictions[row])
        ret->prediction = without_escapes(arena, answer->predictions[row]);
    if (!st && !ret->prediction)
        return xpl_no_memory(err);
    return st;
}

static enum xpl_status fill_record(struct xpl_call *call, const struct xpl_record_batch *batch,
                                   const struct xpl_transaction *t, const struct xpl_request_image *image, uint32_t row,
                                   const struct xpl_prediction *prediction, struct xpl_record *ret,
                                   struct xpl_error *err)
{
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
        .predicted = *prediction,
        .scoring_timestamp = t->scoring_timestamp,
        .has_response_time = t->has_response_time,
        .response_time = t->response_time,
        .asset_revision = t->asset_revision,
        .user_id = t->user_id,
        .created_at = xpl_now_us(),
        .created_by = call->user,
    };
    return ret->id ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status prepare_payload(struct xpl_call *call, const struct xpl_record_batch *batch,
                                       const struct xpl_transaction *t, struct xpl_payload *ret, struct xpl_error *err)
{
    enum xpl_status st;

    *ret = (struct xpl_payload){.data_mart_id = call->data_mart_id,
                                .data_set_id = batch->data_set_id,
                                .request_size = t->request.length,
                                .response_size = t->response.length};
    xpl_payload_hash(t->request, t->response, ret->hash);
    st = xpl_payload_compress(call->arena, t->request, &ret->request, err);
    if (st || (st = xpl_payload_compress(call->arena, t->response, &ret->response, err)))
        return st;
    xpl_payload_share(ret);
    return XPL_OK;
}

static enum xpl_status as_record_error(enum xpl_status st, const char *member, const struct xpl_error *inner,
                                       struct xpl_error *err)
{
    char field[XPL_ERROR_FIELD_MAX];

    if (st == XPL_NO_MEMORY || st == XPL_OVERLOADED)
        return xpl_fail(err, st, "%s", inner->message);
    snprintf(field, sizeof field, "%s%s%.100s", member, *inner->field ? "." : "", inner->field);
    return xpl_fail_field(err, st == XPL_TOO_LARGE ? st : XPL_BAD_RECORD, field, "%s", inner->message);
}

static enum xpl_status read_response(struct xpl_call *call, const struct xpl_record_batch *batch,
                                     const struct xpl_transaction *t, uint32_t n_images, struct xpl_answer **ret,
                                     struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st;

    *ret = NULL;
    if (t->response.length == 0)
        return XPL_OK;
    st = xpl_answer_read(call->arena, t->response, &batch->model.answer, n_images, 0, ret, &inner);
    return st ? as_record_error(st, t->from_row ? "probability" : "response", &inner, err) : XPL_OK;
}

static enum xpl_status make_records(struct xpl_call *call, const struct xpl_record_batch *batch,
                                    const struct xpl_transaction *t, const struct xpl_request *request,
                                    struct xpl_prepared *p, struct xpl_error *err)
{
    struct xpl_answer *answer;
    enum xpl_status st;

    if ((st = read_response(call, batch, t, request->n_images, &answer, err)))
        return st;
    p->n_records = request->n_images;
    if (!(p->records = XPL_NEW_ARRAY(call->arena, struct xpl_record, p->n_records)))
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < p->n_records; i++) {
        struct xpl_prediction prediction = not_predicted;

        if ((answer && (st = prediction_of_row(call->arena, answer, i, &prediction, err))) ||
            (st = fill_record(call, batch, t, &request->images[i], i, &prediction, &p->records[i], err)))
            return st;
    }
    return name_records(call, t->scoring_id, p, err);
}

static enum xpl_status plan_automatic(struct xpl_call *call, const struct xpl_record_batch *batch,
                                      struct xpl_prepared *p, struct xpl_error *err)
{
    enum xpl_status st = XPL_OK;

    if (!(p->automatic = XPL_NEW_ARRAY(call->arena, struct xpl_task *, p->n_records)))
        return xpl_no_memory(err);
    for (uint32_t i = 0; !st && i < p->n_records; i++)
        st = xpl_automatic_plan(call, &batch->automatic, &p->records[i], &p->automatic[i], err);
    return st;
}

static enum xpl_status prepare(struct xpl_call *call, const struct xpl_record_batch *batch,
                               const struct xpl_transaction *t, struct xpl_prepared *p, struct xpl_error *err)
{
    const struct xpl_picture_decoder sizes = xpl_decode_to_measure(call->app->decoder);
    struct xpl_request_hints hints = batch->model.request;
    struct xpl_error inner = {0};
    struct xpl_request *request;
    enum xpl_status st;

    hints.checked = t->request_checked;
    if ((st = xpl_request_read(call->arena, t->request, &hints, &sizes, &request, &inner)))
        return as_record_error(st, t->from_row ? "scoring_input" : "request", &inner, err);
    if (t->is_single && request->n_images != 1)
        return xpl_fail_field(err, XPL_BAD_RECORD, "multiple_records", "is false, and the request has %u images",
                              request->n_images);
    for (uint32_t i = 0; i < request->n_images; i++)
        if ((st = check_image(call, &request->images[i], err)))
            return st;
    if ((st = make_records(call, batch, t, request, p, err)) || (st = plan_automatic(call, batch, p, err)))
        return st;
    return prepare_payload(call, batch, t, &p->payload, err);
}

enum xpl_status xpl_record_batch_prepare(struct xpl_call *call, struct xpl_record_batch *batch,
                                         const struct xpl_transaction *transactions, size_t n, struct xpl_error *err)
{
    if (!(batch->prepared = XPL_NEW_ARRAY(call->arena, struct xpl_prepared, n)))
        return xpl_no_memory(err);
    batch->n = n;
    for (size_t i = 0; i < n; i++) {
        struct xpl_transaction t = transactions[i];
        struct xpl_error inner = {0};
        enum xpl_status st;
        char prefix[32];

        t.request = xpl_text_without_mark(t.request);
        t.response = xpl_text_without_mark(t.response);
        if ((st = prepare(call, batch, &t, &batch->prepared[i], &inner))) {
            snprintf(prefix, sizeof prefix, "[%zu]", i);
            xpl_error_prefix(&inner, prefix);
            return xpl_fail_field(err, st, inner.field, "%s", inner.message);
        }
        batch->n_records += batch->prepared[i].n_records;
    }
    return XPL_OK;
}

/* ---- the write ---- */

/* Whether the record is there already. The same content is accepted again, other content is a conflict. */
static enum xpl_status check_repeat(struct xpl_db *db, struct xpl_call *call, const struct xpl_prepared *p,
                                    struct xpl_record *record, size_t index, bool *ret_new, struct xpl_error *err)
{
    struct xpl_record_content there;
    struct xpl_error inner = {0};
    enum xpl_status st;
    char field[48];

    st = xpl_record_content_of(db, call->arena, record->data_mart_id, record->data_set_id, record->scoring_id, &there,
                               &inner);
    *ret_new = st == XPL_NOT_FOUND;
    if (*ret_new)
        return XPL_OK;
    if (st)
        return xpl_fail(err, st, "%s", inner.message);
    snprintf(field, sizeof field, "[%zu].scoring_id", index);
    if (there.hash.length != sizeof p->payload.hash || memcmp(there.hash.data, p->payload.hash, there.hash.length) != 0)
        return xpl_fail_field(err, XPL_CONFLICT, field, "%.100s was logged before with other content",
                              record->scoring_id);
    record->id = there.id;
    return XPL_OK;
}

static enum xpl_status store(struct xpl_db *db, struct xpl_call *call, const struct xpl_automatic *automatic,
                             struct xpl_prepared *p, size_t index, struct xpl_record_tally *tally,
                             struct xpl_error *err)
{
    int64_t payload_id = 0;

    for (uint32_t i = 0; i < p->n_records; i++) {
        enum xpl_status st;
        bool is_new;

        if (!p->id_is_new) {
            if ((st = check_repeat(db, call, p, &p->records[i], index, &is_new, err)))
                return st;
            if (!is_new)
                continue;
        }
        if (!payload_id && (st = xpl_payload_insert(db, &p->payload, tally, &payload_id, err)))
            return st;
        p->records[i].payload_id = payload_id;
        if ((st = xpl_record_insert(db, &p->records[i], tally, err)) ||
            (p->automatic[i] && (st = xpl_automatic_queue(db, call, automatic, &p->records[i], p->automatic[i], err))))
            return st;
    }
    return XPL_OK;
}

enum xpl_status xpl_record_batch_store(struct xpl_db *db, struct xpl_call *call, struct xpl_record_batch *batch,
                                       const char **ret_request_id, struct xpl_error *err)
{
    char id[XPL_UUID_SIZE];
    struct xpl_record_request request = {.id = xpl_arena_string(call->arena, xpl_uuid(id)),
                                         .data_mart_id = call->data_mart_id,
                                         .data_set_id = batch->data_set_id,
                                         .state = "active",
                                         .n_records = (int64_t)batch->n_records,
                                         .created_at = xpl_now_us()};
    struct xpl_record_tally tally = {.data_set_id = batch->data_set_id};
    enum xpl_status st;
    bool there;

    if (!request.id)
        return xpl_no_memory(err);
    if ((st = xpl_data_set_exists(db, call->data_mart_id, batch->data_set_id, &there, err)))
        return st;
    if (!there) /* it was removed since the request was read */
        return xpl_resource_missing("data_set", batch->data_set_id, err);
    for (size_t i = 0; i < batch->n; i++)
        if ((st = store(db, call, &batch->automatic, &batch->prepared[i], i, &tally, err)))
            return st;
    if ((st = xpl_record_tally_up(db, &tally, err)) || (st = xpl_record_request_insert(db, &request, err)) ||
        (batch->needs_schema && (st = xpl_output_schema_fill(db, call, batch->subscription_id, err))))
        return st;
    *ret_request_id = request.id;
    return XPL_OK;
}
