/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/answer_binary.h"

#include "lib/base/buf.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/scoring/number_text.h"
#include "lib/scoring/tensor_type.h"

#define MAX_TEXT_BYTES ((size_t)48 << 20)

struct unpacking {
    struct xpl_buf *out;
    const uint8_t *raw;
    size_t left;
    struct xpl_error *err;
};

static enum xpl_status bad(struct xpl_error *err, const char *message)
{
    return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "%s", message);
}

/* A whole number that is no larger than an answer can be. */
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
    struct xpl_text side;
    size_t n = 1, length;

    if (!xpl_json_text_is_array(shape))
        return false;
    for (size_t i = 0; xpl_json_element(shape, i, &side); i++)
        if (!read_size(side, &length) || __builtin_mul_overflow(n, length, &n))
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

static void put_member(struct unpacking *u, struct xpl_text tensor, const char *name, const char *before)
{
    struct xpl_text value;

    if (xpl_json_member(tensor, name, &value))
        xpl_buf_printf(u->out, "%s\"%s\":%.*s", before, name, (int)value.length, value.ptr);
}

static enum xpl_status put_raw_tensor(struct unpacking *u, struct xpl_text tensor, struct xpl_text size_text)
{
    struct xpl_text datatype, shape = {0};
    const struct xpl_tensor_type *type;
    size_t size, n, bytes;

    if (!read_size(size_text, &size) || size > u->left)
        return bad(u->err, "an output's binary_data_size is more than what came");
    if (!xpl_json_member(tensor, "datatype", &datatype) || !xpl_json_text_is_string(datatype))
        return bad(u->err, "an output with binary data has no datatype");
    type = xpl_tensor_type_of((struct xpl_text){datatype.ptr + 1, datatype.length - 2});
    xpl_json_member(tensor, "shape", &shape);
    if (type && (!count_numbers(shape, &n) || __builtin_mul_overflow(n, type->bytes, &bytes) || bytes != size))
        return bad(u->err, "an output's binary_data_size is not what its shape and datatype need");
    xpl_buf_string(u->out, "{");
    put_member(u, tensor, "datatype", "");
    put_member(u, tensor, "name", ",");
    put_member(u, tensor, "shape", ",");
    if (type)
        put_numbers(u, type, n);
    xpl_buf_string(u->out, "}");
    u->raw += size;
    u->left -= size;
    return XPL_OK;
}

static enum xpl_status put_tensor(struct unpacking *u, struct xpl_text tensor)
{
    struct xpl_text parameters, size;

    if (xpl_json_member(tensor, "parameters", &parameters) && xpl_json_member(parameters, "binary_data_size", &size))
        return put_raw_tensor(u, tensor, size);
    xpl_buf_append(u->out, tensor.ptr, tensor.length);
    return XPL_OK;
}

static enum xpl_status put_outputs(struct unpacking *u, struct xpl_text outputs)
{
    struct xpl_json_scan scan;
    struct xpl_text tensor;
    enum xpl_status st;
    bool more, first = true;

    xpl_buf_string(u->out, "{\"outputs\":[");
    xpl_json_rescan_start(&scan, outputs, NULL);
    xpl_json_enter_array(&scan);
    for (; xpl_json_next_element(&scan, &more) == XPL_OK && more; first = false) {
        xpl_buf_append(u->out, ",", !first);
        if (xpl_json_skip(&scan, &tensor) || (st = put_tensor(u, tensor)))
            return u->err->status;
    }
    xpl_buf_string(u->out, "]}");
    return u->left ? bad(u->err, "more binary data came than the outputs have") : XPL_OK;
}

enum xpl_status xpl_answer_unpack(struct xpl_arena *arena, struct xpl_text answer, size_t head_length,
                                  struct xpl_text *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_TEXT_BYTES);
    struct xpl_error inner = {0};
    struct unpacking u = {.out = out, .err = &inner};
    struct xpl_text head = {answer.ptr, head_length}, outputs;

    if (!out)
        return xpl_no_memory(err);
    if (head_length > answer.length)
        return bad(err, "the answer ends before its Inference-Header-Content-Length");
    if (xpl_json_check(head.ptr, head.length, NULL, NULL))
        return bad(err, "what stands before the binary data is not JSON");
    u.raw = (const uint8_t *)answer.ptr + head_length;
    u.left = answer.length - head_length;
    head = xpl_text_trim(head);
    if (!xpl_json_member(head, "outputs", &outputs) || !xpl_json_text_is_array(outputs))
        return bad(err, "the answer has no outputs before its binary data");
    if (put_outputs(&u, outputs))
        return bad(err, inner.message);
    *ret = (struct xpl_text){xpl_arena_string_n(arena, out->data, out->length), out->length};
    return ret->ptr && !out->failed ? XPL_OK : xpl_no_memory(err);
}
