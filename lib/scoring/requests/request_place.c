/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/request_place.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/requests/image_text.h"

/* What the top of a request says, as text; the last of members with the same name counts, but for input_data. */
struct top {
    struct xpl_text input_data, fields, values, instances, inputs;
};

static void take_member(struct top *top, struct xpl_text name, struct xpl_text value)
{
    if (xpl_text_equal(name, "values"))
        top->values = value;
    else if (xpl_text_equal(name, "fields"))
        top->fields = value;
    else if (xpl_text_equal(name, "instances"))
        top->instances = value;
    else if (xpl_text_equal(name, "inputs"))
        top->inputs = value;
    else if (!top->input_data.ptr && xpl_text_equal(name, "input_data"))
        top->input_data = value;
}

static enum xpl_status read_members(struct xpl_json_scan *scan, struct top *ret)
{
    struct xpl_text name, value;
    enum xpl_status st;
    bool more;

    if ((st = xpl_json_enter_object(scan)))
        return st;
    while ((st = xpl_json_next_member(scan, &name, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(scan, &value)))
            return st;
        take_member(ret, name, value);
    }
    return st;
}

static enum xpl_status set_place(struct xpl_request_place *place, enum xpl_request_shape shape, struct xpl_text rows,
                                 const char *path)
{
    place->shape = shape;
    place->kind = XPL_PLACE_ROWS;
    place->value = rows;
    snprintf(place->path, sizeof place->path, "%s", path);
    return XPL_OK;
}

static enum xpl_status nothing_found(const char *path, struct xpl_error *err)
{
    return xpl_fail_field(
        err, XPL_BAD_RECORD, path,
        "no image found: looked for images in input_data[0].values, values, instances, inputs, and for one "
        "nested array of numbers or one PNG or JPEG in base64 anywhere else");
}

/* ---- families ---- */

/* The one element of [{…}]. */
static enum xpl_status place_wml(struct xpl_text input_data, struct xpl_request_place *place, struct xpl_error *err)
{
    static const char field[] = "input_data";
    struct xpl_json_scan scan;
    struct top element = {0};
    enum xpl_status st;
    bool more;

    xpl_json_rescan_start(&scan, input_data, err);
    if ((st = xpl_json_enter_array(&scan)) || (st = xpl_json_next_element(&scan, &more)))
        return st;
    if (!more)
        return xpl_fail_field(err, XPL_BAD_RECORD, field, "is empty; one element {\"values\": …} is needed");
    if ((st = read_members(&scan, &element)) || (st = xpl_json_next_element(&scan, &more)))
        return st;
    if (more)
        return xpl_fail_field(err, XPL_BAD_RECORD, field,
                              "has several elements; one is supported: log a record for each");
    if (!xpl_json_text_is_array(element.values))
        return nothing_found("", err);
    place->has_fields = xpl_json_text_is_array(element.fields);
    return set_place(place, XPL_REQUEST_WML_V4, element.values, "input_data[0].values");
}

/* Anything else: the one image, or list of images, that is somewhere inside. */
static enum xpl_status place_other(struct xpl_text value, const char *path, struct xpl_request_place *place,
                                   struct xpl_error *err)
{
    struct xpl_found_image found = {0};

    xpl_image_search(value, &found);
    if (found.n == 0)
        return nothing_found(path, err);
    if (found.n > 1)
        return xpl_fail_field(err, XPL_BAD_RECORD, path,
                              "holds several images in different places; one, or one list of them, was looked for");
    set_place(place, XPL_REQUEST_OTHER, found.value, path);
    if (!found.rows) {
        place->kind = XPL_PLACE_ONE;
        place->one_row = true;
    }
    return XPL_OK;
}

/* Azure's tables have an index beside the data, which has a number for each row. */
static enum xpl_status place_table(struct xpl_text table, struct xpl_request_place *place, struct xpl_error *err)
{
    enum xpl_status st = place_other(table, "input_data", place, err);

    place->one_row |= xpl_json_member(table, "index", NULL);
    return st;
}

static bool is_tensor_list(struct xpl_text inputs)
{
    struct xpl_text first;

    return xpl_json_element(inputs, 0, &first) && xpl_json_member(first, "shape", NULL);
}

/* {"inputs":[…]}, {"inputs":{"name":[…]}} with other inputs or without, or a list of tensors. */
static enum xpl_status place_inputs(struct xpl_text inputs, const struct xpl_request_hints *hints,
                                    struct xpl_request_place *place, struct xpl_error *err)
{
    enum xpl_status st;

    if (is_tensor_list(inputs)) {
        place->shape = XPL_REQUEST_TENSOR;
        return xpl_request_place_tensor(inputs, hints, place, err);
    }
    if (xpl_json_text_is_array(inputs))
        return set_place(place, XPL_REQUEST_COLUMNS, inputs, "inputs");
    st = place_other(inputs, "inputs", place, err);
    place->shape = XPL_REQUEST_COLUMNS;
    place->one_row |= xpl_json_count_members(inputs) > 1;
    return st;
}

/* {"data":{"tensor":{"shape","values"}}} */
static bool find_seldon_tensor(struct xpl_text text, struct xpl_text *ret)
{
    struct xpl_text data;

    return xpl_json_member(text, "data", &data) && xpl_json_member(data, "tensor", ret) &&
           xpl_json_member(*ret, "values", NULL);
}

static enum xpl_status place_top(struct xpl_text text, const struct top *top, const struct xpl_request_hints *hints,
                                 struct xpl_request_place *place, struct xpl_error *err)
{
    struct xpl_text tensor;

    if (top->input_data.ptr && *top->input_data.ptr == '{')
        return place_table(top->input_data, place, err);
    if (top->input_data.ptr && xpl_json_text_is_array(top->input_data))
        return place_wml(top->input_data, place, err);
    if (top->input_data.ptr)
        return xpl_fail_field(err, XPL_BAD_RECORD, "input_data", "must be an array with one element {\"values\": …}");
    if (xpl_json_text_is_array(top->values)) {
        place->has_fields = xpl_json_text_is_array(top->fields);
        return set_place(place, XPL_REQUEST_PLAIN, top->values, "values");
    }
    if (xpl_json_text_is_array(top->instances))
        return set_place(place, XPL_REQUEST_INSTANCES, top->instances, "instances");
    if (top->inputs.ptr)
        return place_inputs(top->inputs, hints, place, err);
    if (find_seldon_tensor(text, &tensor))
        return xpl_request_place_values(tensor, "data.tensor", hints, place, err);
    return place_other(text, "", place, err);
}

enum xpl_status xpl_request_place_find(struct xpl_text text, const struct xpl_request_hints *hints,
                                       struct xpl_request_place *ret, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct xpl_text whole;
    enum xpl_json_kind kind;
    struct top top = {0};
    enum xpl_status st;

    *ret = (struct xpl_request_place){.shape = XPL_REQUEST_OTHER};
    if (hints && hints->checked)
        xpl_json_rescan_start(&scan, text, err);
    else
        xpl_json_scan_start(&scan, text.ptr, text.length, NULL, err);
    if ((st = xpl_json_peek(&scan, &kind)))
        return st;
    if (kind == XPL_JSON_ARRAY) {
        if ((st = xpl_json_skip(&scan, &whole)) || (st = xpl_json_end(&scan)))
            return st;
        return place_other(whole, "", ret, err);
    }
    if ((st = read_members(&scan, &top)) || (st = xpl_json_end(&scan)))
        return st;
    return place_top(text, &top, hints, ret, err);
}
