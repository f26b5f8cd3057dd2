/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/raw_tensors.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/hash.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/requests/number_text.h"
#include "lib/scoring/requests/tensor_type.h"

#define MAX_TEXT_BYTES ((size_t)48 << 20)

struct unpacking {
    struct xpl_buf *out;
    const uint8_t *raw;
    size_t left;
    bool pictures; /* elements of BYTES are kept, in base64 */
    struct xpl_error *err;
};

static enum xpl_status bad(struct xpl_error *err, const char *message)
{
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%s", message);
}

/* A whole number that is no larger than a message can be. */
static bool read_size(struct xpl_text text, size_t *ret)
{
    double value = xpl_json_text_is_number(text) ? xpl_parse_double(text.ptr, text.length) : -1;

    if (!(value >= 0 && value <= (double)UINT32_MAX) || value != (double)(uint32_t)value)
        return false;
    *ret = (size_t)value;
    return true;
}

/* How many numbers a shape has. */
static bool count_numbers(struct xpl_text shape, size_t *ret)
{
    struct xpl_json_scan scan;
    struct xpl_text side;
    size_t n = 1, length;
    bool more;

    if (!xpl_json_text_is_array(shape))
        return false;
    xpl_json_rescan_start(&scan, shape, NULL);
    xpl_json_enter_array(&scan);
    while (xpl_json_next_element(&scan, &more) == XPL_OK && more)
        if (xpl_json_skip(&scan, &side) || !read_size(side, &length) || __builtin_mul_overflow(n, length, &n))
            return false;
    *ret = n;
    return true;
}

static void put_numbers(struct unpacking *u, const struct xpl_tensor_type *type, size_t n)
{
    char number[XPL_TENSOR_NUMBER_MAX];

    xpl_buf_string(u->out, ",\"data\":[");
    for (size_t i = 0; i < n && !u->out->failed; i++) {
        xpl_buf_append(u->out, ",", i > 0);
        xpl_buf_append(u->out, number, xpl_tensor_print(type, u->raw + i * type->bytes, number));
    }
    xpl_buf_string(u->out, "]");
}

/* Elements with their lengths in front, as base64. False when they do not fill the data. */
static bool put_pictures(struct unpacking *u, size_t size)
{
    const uint8_t *at = u->raw, *end = u->raw + size;

    xpl_buf_string(u->out, ",\"data\":[");
    for (bool first = true; end - at >= 4 && !u->out->failed; first = false) {
        size_t length = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;

        at += 4;
        if (length > (size_t)(end - at))
            return false;
        xpl_buf_string(u->out, first ? "\"" : ",\"");
        if (xpl_buf_reserve(u->out, xpl_base64_length(length))) {
            xpl_base64_write(at, length, u->out->data + u->out->length);
            u->out->length += xpl_base64_length(length);
        }
        xpl_buf_string(u->out, "\"");
        at += length;
    }
    xpl_buf_string(u->out, "]");
    return at == end || u->out->failed;
}

/* Appends the members of an object that was scanned before, but one or two; whether there were others. */
static bool put_members(struct xpl_buf *out, struct xpl_text object, const char *but, const char *but_too)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value;
    bool more, any = false;

    xpl_json_rescan_start(&scan, object, NULL);
    xpl_json_enter_object(&scan);
    while (xpl_json_next_member(&scan, &name, &more) == XPL_OK && more && xpl_json_skip(&scan, &value) == XPL_OK) {
        if (xpl_text_equal(name, but) || xpl_text_equal(name, but_too))
            continue;
        xpl_buf_printf(out, "%s\"%.*s\":", any ? "," : "", (int)name.length, name.ptr);
        xpl_buf_append(out, value.ptr, value.length);
        any = true;
    }
    return any;
}

/* What else the parameters say stays. */
static void put_parameters(struct unpacking *u, struct xpl_text parameters)
{
    size_t before = u->out->length;

    xpl_buf_string(u->out, ",\"parameters\":{");
    if (put_members(u->out, parameters, "binary_data_size", ""))
        xpl_buf_string(u->out, "}");
    else if (!u->out->failed)
        u->out->length = before;
}

static enum xpl_status put_raw_tensor(struct unpacking *u, struct xpl_text tensor, struct xpl_text parameters,
                                      struct xpl_text size_text)
{
    struct xpl_text datatype, shape = {0};
    const struct xpl_tensor_type *type;
    size_t size, n, bytes;

    if (!read_size(size_text, &size) || size > u->left)
        return bad(u->err, "a tensor's binary_data_size is more than what came");
    if (!xpl_json_member(tensor, "datatype", &datatype) || !xpl_json_text_is_string(datatype))
        return bad(u->err, "a tensor with binary data has no datatype");
    type = xpl_tensor_type_of((struct xpl_text){datatype.ptr + 1, datatype.length - 2});
    xpl_json_member(tensor, "shape", &shape);
    if (type && (!count_numbers(shape, &n) || __builtin_mul_overflow(n, type->bytes, &bytes) || bytes != size))
        return bad(u->err, "a tensor's binary_data_size is not what its shape and datatype need");
    xpl_buf_string(u->out, "{");
    put_members(u->out, tensor, "parameters", "data");
    put_parameters(u, parameters);
    if (type)
        put_numbers(u, type, n);
    else if (u->pictures && !put_pictures(u, size))
        return bad(u->err, "a tensor's binary data is not its elements, each behind its length");
    xpl_buf_string(u->out, "}");
    u->raw += size;
    u->left -= size;
    return XPL_OK;
}

static enum xpl_status put_tensor(struct unpacking *u, struct xpl_text tensor)
{
    struct xpl_text parameters, size;

    if (xpl_json_member(tensor, "parameters", &parameters) && xpl_json_member(parameters, "binary_data_size", &size))
        return put_raw_tensor(u, tensor, parameters, size);
    xpl_buf_append(u->out, tensor.ptr, tensor.length);
    return XPL_OK;
}

static enum xpl_status put_tensors(struct unpacking *u, struct xpl_text list)
{
    struct xpl_json_scan scan;
    struct xpl_text tensor;
    enum xpl_status st;
    bool more, first = true;

    xpl_buf_string(u->out, "[");
    xpl_json_rescan_start(&scan, list, NULL);
    xpl_json_enter_array(&scan);
    for (; xpl_json_next_element(&scan, &more) == XPL_OK && more; first = false) {
        xpl_buf_append(u->out, ",", !first);
        if (xpl_json_skip(&scan, &tensor) || (st = put_tensor(u, tensor)))
            return u->err->status;
    }
    xpl_buf_string(u->out, "]");
    return u->left ? bad(u->err, "more binary data came than the tensors have") : XPL_OK;
}

enum xpl_status xpl_tensors_unpack(struct xpl_arena *arena, struct xpl_text message, size_t head_length,
                                   const char *list, struct xpl_text *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_TEXT_BYTES);
    struct xpl_error inner = {0};
    struct unpacking u = {.out = out, .pictures = strcmp(list, "inputs") == 0, .err = &inner};
    struct xpl_text head = {message.ptr, head_length}, tensors;

    if (!out)
        return xpl_no_memory(err);
    if (head_length > message.length)
        return bad(err, "the body ends before its Inference-Header-Content-Length");
    if (xpl_json_check(head.ptr, head.length, NULL, NULL))
        return bad(err, "what stands before the binary data is not JSON");
    u.raw = (const uint8_t *)message.ptr + head_length;
    u.left = message.length - head_length;
    head = xpl_text_trim(head);
    if (!xpl_json_member(head, list, &tensors) || !xpl_json_text_is_array(tensors))
        return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "there are no %s before the binary data", list);
    xpl_buf_append(out, head.ptr, (size_t)(tensors.ptr - head.ptr));
    if (put_tensors(&u, tensors))
        return bad(err, inner.message);
    xpl_buf_append(out, tensors.ptr + tensors.length, head.length - (size_t)(tensors.ptr - head.ptr) - tensors.length);
    *ret = (struct xpl_text){xpl_arena_string_n(arena, out->data, out->length), out->length};
    return ret->ptr && !out->failed ? XPL_OK : xpl_no_memory(err);
}
