/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/requests/image_text.h"
#include "lib/scoring/requests/request_place.h"
#include "lib/scoring/requests/request_shape.h"

/* The members of one tensor, as text. */
struct tensor {
    struct xpl_text text, shape, datatype, data;
    bool binary; /* its numbers are behind the JSON text */
};

static void read_tensor(struct xpl_json_scan *scan, struct tensor *ret)
{
    struct xpl_text name, value;
    size_t start = scan->at;
    bool more;

    *ret = (struct tensor){0};
    if (xpl_json_enter_object(scan))
        return;
    while (xpl_json_next_member(scan, &name, &more) == XPL_OK && more && xpl_json_skip(scan, &value) == XPL_OK) {
        if (xpl_text_equal(name, "shape"))
            ret->shape = value;
        else if (xpl_text_equal(name, "datatype"))
            ret->datatype = value;
        else if (xpl_text_equal(name, "data"))
            ret->data = value;
        else if (xpl_text_equal(name, "parameters"))
            ret->binary = xpl_json_member(value, "binary_data_size", NULL);
    }
    ret->text = xpl_text_trim((struct xpl_text){scan->text + start, scan->at - start});
}

/* The numbers of a "shape"; its first one's text is where a request says how many images it has. */
static bool read_dims(struct xpl_text shape, struct xpl_request_place *place)
{
    struct xpl_json_scan scan;
    struct xpl_text number;
    bool more = false;

    place->n_dims = 0;
    if (!xpl_json_text_is_array(shape))
        return false;
    xpl_json_rescan_start(&scan, shape, NULL);
    if (xpl_json_enter_array(&scan))
        return false;
    while (xpl_json_next_element(&scan, &more) == XPL_OK && more) {
        double value;

        if (xpl_json_number(&scan, &number) || place->n_dims == XPL_MAX_DIMS)
            return false;
        value = xpl_parse_double(number.ptr, number.length);
        if (!(value >= 1 && value <= 1e9))
            return false;
        if (place->n_dims == 0)
            place->count = number;
        place->dims[place->n_dims++] = (uint32_t)value;
    }
    return place->n_dims > 0;
}

static void insert_one(struct xpl_request_place *place)
{
    for (unsigned i = place->n_dims++; i > 0; i--)
        place->dims[i] = place->dims[i - 1];
    place->dims[0] = 1;
    place->count = (struct xpl_text){0};
    place->one_row = true;
}

/* Gives dims an axis of images in front, where the tensor has none, and the image's own shape, where it is flat. */
static bool complete_dims(const struct xpl_request_hints *hints, struct xpl_request_place *place)
{
    uint32_t *d = place->dims;

    if (hints && hints->height && place->n_dims <= 2 &&
        (size_t)hints->height * hints->width * hints->channels == d[place->n_dims - 1]) {
        bool chw = hints->layout == XPL_LAYOUT_CHW;

        if (place->n_dims == 1)
            insert_one(place);
        d[1] = chw ? hints->channels : hints->height;
        d[2] = chw ? hints->height : hints->width;
        d[3] = chw ? hints->width : hints->channels;
        place->n_dims = 4;
    } else if (place->n_dims == 2 || (place->n_dims == 3 && (xpl_shape_channels_usable(d[2]) ||
                                                             (d[0] > 1 && xpl_shape_channels_usable(d[0])))))
        insert_one(place);
    return place->n_dims >= 3;
}

static enum xpl_status place_numbers(const struct tensor *t, const struct xpl_request_hints *hints,
                                     struct xpl_request_place *place, struct xpl_error *err)
{
    unsigned depth = xpl_shape_depth(t->data);

    place->value = t->data;
    if (!read_dims(t->shape, place) || (depth == 1 && !complete_dims(hints, place)))
        return xpl_fail(err, XPL_BAD_RECORD,
                        "has a \"shape\" that is no image: [n, H, W, C], [n, C, H, W] or [n, H, W]");
    place->kind = XPL_PLACE_FLAT;
    if (depth == 1)
        return XPL_OK;
    place->kind =
        depth == 4 || (depth == 3 && !complete_dims(hints, place)) || !place->one_row ? XPL_PLACE_ROWS : XPL_PLACE_ONE;
    return XPL_OK;
}

static enum xpl_status place_one(const struct tensor *t, const struct xpl_request_hints *hints,
                                 struct xpl_request_place *place, struct xpl_error *err)
{
    struct xpl_found_image found = {0};

    if (t->binary)
        return xpl_fail(err, XPL_BAD_RECORD,
                        "is sent as binary data behind the JSON text; log its numbers as \"data\"");
    if (!xpl_json_text_is_array(t->data) || t->shape.length == 0)
        return xpl_fail(err, XPL_BAD_RECORD, "has no array \"data\" or no \"shape\"");
    xpl_image_search(t->data, &found);
    if (found.n == 1 && found.rows && found.value.ptr == t->data.ptr && xpl_shape_depth(t->data) == 1) {
        place->kind = XPL_PLACE_ROWS; /* strings */
        place->value = t->data;
        return read_dims(t->shape, place) ? XPL_OK : xpl_fail(err, XPL_BAD_RECORD, "has a \"shape\" without numbers");
    }
    return place_numbers(t, hints, place, err);
}

enum xpl_status xpl_request_place_tensor(struct xpl_text inputs, const struct xpl_request_hints *hints,
                                         struct xpl_request_place *place, struct xpl_error *err)
{
    struct xpl_error first_error = {0};
    struct xpl_request_place before = *place;
    struct xpl_json_scan scan;
    unsigned n = 0;
    int found = -1;
    bool more;

    xpl_json_rescan_start(&scan, inputs, NULL);
    if (xpl_json_enter_array(&scan))
        return XPL_NOT_FOUND;
    for (; xpl_json_next_element(&scan, &more) == XPL_OK && more; n++) {
        struct xpl_request_place here = before;
        struct tensor tensor;
        struct xpl_error inner = {0};

        read_tensor(&scan, &tensor);
        if (found >= 0)
            continue;
        if (place_one(&tensor, hints, &here, &inner)) {
            first_error = first_error.status ? first_error : inner;
            continue;
        }
        found = (int)n;
        *place = here;
        place->tensor = tensor.text;
    }
    if (found < 0)
        return xpl_fail_field(err, XPL_BAD_RECORD, "inputs[0]", "%s", first_error.message);
    place->one_row |= n > 1; /* the other tensors have rows, too */
    snprintf(place->path, sizeof place->path, "inputs[%d].data", found);
    return XPL_OK;
}

enum xpl_status xpl_request_place_values(struct xpl_text tensor, const char *path,
                                         const struct xpl_request_hints *hints, struct xpl_request_place *place,
                                         struct xpl_error *err)
{
    struct tensor t = {.text = tensor};
    struct xpl_error inner = {0};

    xpl_json_member(tensor, "shape", &t.shape);
    xpl_json_member(tensor, "values", &t.data);
    if (place_one(&t, hints, place, &inner))
        return xpl_fail_field(err, XPL_BAD_RECORD, path, "%s", inner.message);
    snprintf(place->path, sizeof place->path, "%s.values", path);
    return XPL_OK;
}
