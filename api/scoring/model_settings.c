/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring/model_settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/json_spec.h"
#include "lib/base/hash.h"
#include "lib/scoring/answers/answer_labels.h"
#include "lib/scoring/answers/answer_table.h"
#include "lib/scoring/requests/form_data.h"

#define MAX_CLASSES 100000
#define MAX_TEXT    256

/* In the order of enum xpl_wire_format; wml_v3 and custom are the same. */
static const char *const protocols[] = {"as_logged",         "wml_v4", "custom", "kserve_v1",
                                        "open_inference_v2", "wml_v3", NULL};
static const char *const layouts[] = {"auto", "hwc", "chw", NULL};
static const char *const orders[] = {"rgb", "bgr", NULL};
static const char *const activations[] = {"none", "softmax", "sigmoid", "percent", NULL};
/* In the order of enum xpl_raw_use. */
static const char *const raw_uses[] = {"auto", "never", "always", NULL};
static const char *const content_types[] = {
    "application/json",    "application/x-npy",        "image/png", "image/jpeg",
    "application/x-image", "application/octet-stream", NULL};
static const char *const datatypes[] = {"FP32", "FP64", "FP16", "BF16", "UINT8", "INT32", "INT64", NULL};

struct settings_request {
    int protocol, layout, colour_order, activation, binary, content_type;
    const char *input_name, *form_field, *datatype, *probability_path;
    json_t *shape, *value_range, *mean, *std, *class_labels;
    int64_t batch, fixed_batch, in_flight, call_timeout_ms, connect_timeout_ms;
    bool chunked;
};

static const struct xpl_json_field fields[] = {
    XPL_JSON_CHOICE(struct settings_request, protocol, .choices = protocols),
    XPL_JSON_CHOICE(struct settings_request, layout, .choices = layouts),
    XPL_JSON_CHOICE(struct settings_request, colour_order, .choices = orders),
    XPL_JSON_CHOICE(struct settings_request, activation, .choices = activations),
    XPL_JSON_CHOICE(struct settings_request, binary, .choices = raw_uses),
    XPL_JSON_CHOICE(struct settings_request, content_type, .choices = content_types),
    XPL_JSON_STRING(struct settings_request, input_name, .max = MAX_TEXT),
    XPL_JSON_STRING(struct settings_request, form_field, .max = MAX_TEXT),
    XPL_JSON_STRING(struct settings_request, datatype, .choices = datatypes),
    XPL_JSON_STRING(struct settings_request, probability_path, .max = MAX_TEXT),
    XPL_JSON_ARRAY_FIELD(struct settings_request, shape, .min = 2, .max = 3),
    XPL_JSON_ARRAY_FIELD(struct settings_request, value_range, .min = 2, .max = 2),
    XPL_JSON_ARRAY_FIELD(struct settings_request, mean, .min = 1, .max = 3),
    XPL_JSON_ARRAY_FIELD(struct settings_request, std, .min = 1, .max = 3),
    XPL_JSON_ARRAY_FIELD(struct settings_request, class_labels, .min = 2, .max = MAX_CLASSES, .strings = true),
    XPL_JSON_INT(struct settings_request, batch, .min = 1, .max = XPL_MODEL_MAX_BATCH),
    XPL_JSON_INT(struct settings_request, fixed_batch, .min = 2, .max = XPL_MODEL_MAX_BATCH),
    XPL_JSON_INT(struct settings_request, in_flight, .min = 1, .max = XPL_MODEL_MAX_IN_FLIGHT),
    XPL_JSON_INT(struct settings_request, call_timeout_ms, .min = 1, .max = 3600000),
    XPL_JSON_INT(struct settings_request, connect_timeout_ms, .min = 1, .max = 3600000),
    XPL_JSON_BOOL(struct settings_request, chunked),
};
static const char *const known[] = {
    "protocol",     "layout",      "colour_order", "activation",       "binary",
    "content_type", "input_name",  "form_field",   "datatype",         "shape",
    "value_range",  "mean",        "std",          "probability_path", "class_labels",
    "batch",        "fixed_batch", "in_flight",    "call_timeout_ms",  "connect_timeout_ms",
    "chunked",      NULL};

static enum xpl_status bad(struct xpl_error *err, const char *member, const char *message)
{
    return xpl_fail_field(err, XPL_BAD_FIELD, member, "%s", message);
}

/* ---- the image ---- */

static enum xpl_status take_shape(const json_t *shape, struct xpl_request_hints *ret, struct xpl_error *err)
{
    uint32_t sides[3] = {0, 0, 1};
    json_t *side;
    size_t i;

    if (!shape)
        return XPL_OK;
    json_array_foreach(shape, i, side)
    {
        json_int_t value = json_integer_value(side);

        if (!json_is_integer(side) || value < 1 || value > (json_int_t)XPL_IMAGE_MAX_SIDE)
            return bad(err, "shape", "must be [height, width, channels], whole numbers from 1 to 4096");
        sides[i] = (uint32_t)value;
    }
    if (sides[2] != 1 && sides[2] != 3 && sides[2] != 4)
        return bad(err, "shape", "must end with 1, 3 or 4 channels: [height, width, channels], whatever the layout");
    ret->height = sides[0];
    ret->width = sides[1];
    ret->channels = sides[2];
    return XPL_OK;
}

/* One number for all colours, or one for each. */
static bool three_numbers(const json_t *array, double ret[3])
{
    size_t n = json_array_size(array);

    for (size_t c = 0; c < 3; c++) {
        const json_t *value = json_array_get(array, n == 1 ? 0 : c);

        if (n == 2 || !json_is_number(value))
            return false;
        ret[c] = json_number_value(value);
    }
    return true;
}

/* (x - mean) / std of pixels from 0 to 1, or from 0 to 255 when the numbers are of that size. */
static enum xpl_status take_normalisation(const struct settings_request *r, struct xpl_request_hints *ret,
                                          struct xpl_error *err)
{
    double mean[3] = {0}, std[3] = {1, 1, 1}, white = 1;

    if (r->mean && !three_numbers(r->mean, mean))
        return bad(err, "mean", "must be one number, or one for each of red, green and blue");
    if (r->std && !three_numbers(r->std, std))
        return bad(err, "std", "must be one number, or one for each of red, green and blue");
    for (size_t c = 0; c < 3; c++) {
        if (!(std[c] > 0))
            return bad(err, "std", "must be above 0");
        if (fabs(mean[c]) > 1 || std[c] > 1)
            white = 255;
    }
    for (size_t c = 0; c < 3; c++) {
        ret->low[c] = (0 - mean[c]) / std[c];
        ret->high[c] = (white - mean[c]) / std[c];
    }
    ret->has_range = true;
    return XPL_OK;
}

static enum xpl_status take_range(const struct settings_request *r, struct xpl_request_hints *ret,
                                  struct xpl_error *err)
{
    double low = json_number_value(json_array_get(r->value_range, 0));
    double high = json_number_value(json_array_get(r->value_range, 1));

    if (r->value_range && (r->mean || r->std))
        return bad(err, "value_range", "cannot be used together with mean and std");
    if (r->mean || r->std)
        return take_normalisation(r, ret, err);
    if (!r->value_range)
        return XPL_OK;
    if (!json_is_number(json_array_get(r->value_range, 0)) || !json_is_number(json_array_get(r->value_range, 1)) ||
        !(low < high))
        return bad(err, "value_range", "must be two numbers, black and white, the first below the second");
    for (size_t c = 0; c < 3; c++) {
        ret->low[c] = low;
        ret->high[c] = high;
    }
    ret->has_range = true;
    return XPL_OK;
}

/* ---- the answer ---- */

static enum xpl_status take_labels(struct xpl_arena *arena, const json_t *labels, struct xpl_answer_hints *ret,
                                   struct xpl_error *err)
{
    XPL_AUTO_JSON seen = json_object();
    uint32_t n = (uint32_t)json_array_size(labels), n_same;
    const char **names;

    if (!labels)
        return XPL_OK;
    if (!(names = XPL_NEW_ARRAY(arena, const char *, n)))
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < n; i++)
        if (!(names[i] = xpl_arena_string(arena, json_string_value(json_array_get(labels, i)))))
            return xpl_no_memory(err);
    if (!seen || !xpl_class_names_tell_apart(arena, names, n, &n_same))
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < n; i++) {
        if (json_object_get(seen, names[i]))
            return xpl_fail_field(err, XPL_BAD_FIELD, "class_labels", "names \"%.100s\" twice", names[i]);
        json_object_set_new(seen, names[i], json_true());
    }
    ret->class_labels = names;
    ret->n_class_labels = n;
    return XPL_OK;
}

/* It is written into bodies as it is. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
            return false;
    return true;
}

/* What is sent: the content_type is that of the file, also of one inside of a form. */
static enum xpl_status take_body(struct xpl_arena *arena, const struct settings_request *r,
                                 struct xpl_model_settings *ret, struct xpl_error *err)
{
    static const enum xpl_body_form forms[] = {XPL_BODY_JSON, XPL_BODY_NPY,     XPL_BODY_PNG,
                                               XPL_BODY_JPEG, XPL_BODY_X_IMAGE, XPL_BODY_FILE};
    struct xpl_wire *wire = &ret->wire;
    const char *form;

    ret->has_body = r->content_type >= 0 || r->form_field;
    wire->body = r->content_type >= 0 ? forms[r->content_type] : r->form_field ? XPL_BODY_PNG : XPL_BODY_JSON;
    if (!r->form_field)
        return XPL_OK;
    if (wire->body == XPL_BODY_JSON)
        return bad(err, "form_field",
                   "is for files: content_type must be that of one, such as image/png, and not application/json");
    if (!*r->form_field || !is_plain(r->form_field))
        return bad(err, "form_field", "must be a name without quotes, backslashes or control characters");
    if (!(form = xpl_form_of_field(arena, r->form_field, xpl_body_form_type(wire->body))))
        return xpl_no_memory(err);
    wire->form = xpl_text_of(form);
    return XPL_OK;
}

static enum xpl_status take(struct xpl_arena *arena, const struct settings_request *r, struct xpl_model_settings *ret,
                            struct xpl_error *err)
{
    enum xpl_status st;

    if (r->probability_path && !xpl_answer_path_is_sound(r->probability_path))
        return bad(err, "probability_path",
                   "must be names and numbers such as outputs.scores, data[0].probs or results[*].p");
    if (r->input_name && !is_plain(r->input_name))
        return bad(err, "input_name", "must not hold quotes, backslashes or control characters");
    if ((st = take_shape(r->shape, &ret->request, err)) || (st = take_range(r, &ret->request, err)) ||
        (st = take_labels(arena, r->class_labels, &ret->answer, err)) || (st = take_body(arena, r, ret, err)))
        return st;
    ret->request.layout = (enum xpl_layout)r->layout;
    ret->request.bgr = r->colour_order == 1;
    ret->answer.activation = (enum xpl_activation)r->activation;
    ret->answer.probability_path = xpl_arena_string(arena, r->probability_path);
    ret->has_wire = r->protocol >= 0;
    ret->wire.format = r->protocol < 0                      ? XPL_WIRE_AS_LOGGED
                       : r->protocol > (int)XPL_WIRE_TENSOR ? XPL_WIRE_VALUES
                                                            : (enum xpl_wire_format)r->protocol;
    ret->wire.raw = (enum xpl_raw_use)r->binary;
    ret->wire.input_name = xpl_arena_string(arena, r->input_name);
    ret->wire.datatype = xpl_arena_string(arena, r->datatype);
    ret->batch = (uint32_t)r->batch;
    ret->fixed_batch = (uint32_t)r->fixed_batch;
    ret->in_flight = (uint32_t)r->in_flight;
    ret->call_timeout_ms = (uint32_t)r->call_timeout_ms;
    ret->connect_timeout_ms = (uint32_t)r->connect_timeout_ms;
    ret->chunked = r->chunked;
    return XPL_OK;
}

enum xpl_status xpl_model_settings_object(struct xpl_arena *arena, const json_t *object, const char *path,
                                          struct xpl_model_settings *ret, struct xpl_error *err)
{
    struct settings_request request = {.protocol = -1, .content_type = -1};
    struct xpl_error inner = {0};
    char field[160];
    enum xpl_status st = xpl_json_known(object, "", known, &inner);

    if (st || (st = xpl_json_read(object, fields, XPL_COUNT(fields), &request, &inner)) ||
        (st = take(arena, &request, ret, &inner))) {
        snprintf(field, sizeof field, "%s.%.100s", path, inner.field);
        return xpl_fail_field(err, st, field, "%s", inner.message);
    }
    return XPL_OK;
}

/* ---- the subscription ---- */

static enum xpl_status take_fields(struct xpl_arena *arena, const json_t *subscription, struct xpl_answer_hints *ret,
                                   struct xpl_error *err)
{
    const json_t *list = xpl_json_at(subscription, "asset_properties.probability_fields");
    size_t n = json_array_size(list);
    const char **names = XPL_NEW_ARRAY(arena, const char *, n + 1);

    if (!names)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++)
        if (!(names[i] = xpl_arena_string(arena, json_string_value(json_array_get(list, i)))))
            return xpl_no_memory(err);
    ret->probability_fields = names;
    ret->n_probability_fields = n;
    ret->prediction_field =
        xpl_arena_string(arena, xpl_json_string_at(subscription, "asset_properties.prediction_field"));
    return XPL_OK;
}

enum xpl_status xpl_model_settings_read(struct xpl_arena *arena, const json_t *subscription,
                                        struct xpl_model_settings *ret, struct xpl_error *err)
{
    static const char *const places[] = {"asset_properties.explaind", "deployment.scoring_endpoint.explaind"};
    XPL_AUTO_JSON all = json_object();
    const char *path = places[0];

    *ret = (struct xpl_model_settings){0};
    for (size_t i = 0; i < XPL_COUNT(places); i++) {
        const json_t *part = xpl_json_at(subscription, places[i]);

        if (part && !json_is_object(part) && !json_is_null(part))
            return xpl_fail_field(err, XPL_BAD_FIELD, places[i], "must be an object");
        if (json_object_size(part) > 0) {
            json_object_update(all, (json_t *)(uintptr_t)part);
            path = places[i];
        }
    }
    if (json_object_size(all) > 0) {
        enum xpl_status st = xpl_model_settings_object(arena, all, path, ret, err);

        if (st)
            return st;
    }
    return take_fields(arena, subscription, &ret->answer, err);
}

/* ---- for the breaker ---- */

const char *xpl_model_circuit(struct xpl_arena *arena, const json_t *subscription, const json_t *provider,
                              const char *url)
{
    const json_t *members[] = {
        xpl_json_at(subscription, "deployment.scoring_endpoint"),
        xpl_json_at(subscription, "asset_properties.explaind"),
        xpl_json_at(provider, "credentials"),
        xpl_json_at(provider, "request_headers"),
    };
    struct xpl_hash_part parts[XPL_COUNT(members)];
    char *texts[XPL_COUNT(members)], hex[2 * XPL_HASH_BYTES + 1];
    uint8_t hash[XPL_HASH_BYTES];

    for (size_t i = 0; i < XPL_COUNT(members); i++) {
        texts[i] = json_dumps(members[i], JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        parts[i] = (struct xpl_hash_part){texts[i] ? texts[i] : "", texts[i] ? strlen(texts[i]) : 0};
    }
    xpl_hash_parts(parts, XPL_COUNT(parts), hash);
    for (size_t i = 0; i < XPL_COUNT(members); i++)
        free(texts[i]);
    return xpl_arena_printf(arena, "%s#%s", url, xpl_hex(hash, sizeof hash, hex));
}
