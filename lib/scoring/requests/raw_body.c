/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/raw_body.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/hash.h"
#include "lib/scoring/requests/form_data.h"
#include "lib/scoring/requests/raw_tensors.h"
#include "lib/scoring/requests/tensor_type.h"

#define MAX_TEXT_BYTES ((size_t)48 << 20)
#define MAX_SIDES      8u
#define NPY_DICT_MAX   65536u

static enum xpl_status bad(struct xpl_error *err, const char *message)
{
    return xpl_fail(err, XPL_BAD_RECORD, "%s", message);
}

static bool begins_with(struct xpl_text bytes, const char *magic, size_t length)
{
    return bytes.length >= length && memcmp(bytes.ptr, magic, length) == 0;
}

static enum xpl_status keep(struct xpl_arena *arena, const struct xpl_buf *out, struct xpl_text *ret,
                            struct xpl_error *err)
{
    *ret = (struct xpl_text){out->failed ? NULL : xpl_arena_string_n(arena, out->data, out->length), out->length};
    return ret->ptr ? XPL_OK : xpl_no_memory(err);
}

static bool is_png(struct xpl_text bytes)
{
    return begins_with(bytes, "\x89PNG", 4);
}

static bool is_picture(struct xpl_text bytes)
{
    return is_png(bytes) || begins_with(bytes, "\xff\xd8\xff", 3);
}

static bool is_npy(struct xpl_text bytes)
{
    return begins_with(bytes, "\x93NUMPY", 6) && bytes.length > 6;
}

static bool is_file(struct xpl_text bytes)
{
    return is_picture(bytes) || is_npy(bytes);
}

/* ---- pictures ---- */

void xpl_raw_body_note(struct xpl_buf *out, const char *content_type, const char *datatype, struct xpl_text form)
{
    xpl_buf_printf(out, ",\"" XPL_RAW_BODY_NOTE "\":{\"content_type\":\"%s\"", content_type);
    if (datatype)
        xpl_buf_printf(out, ",\"datatype\":\"%s\"", datatype);
    if (form.ptr) {
        xpl_buf_string(out, ",\"form\":");
        xpl_buf_append(out, form.ptr, form.length);
    }
    xpl_buf_string(out, "}}");
}

/* What a picture is called when it is sent again; `said` may be NULL. */
static const char *picture_type(struct xpl_text file, const char *said)
{
    static const char *const others[] = {"application/x-image", "application/octet-stream"};

    for (size_t i = 0; said && i < sizeof others / sizeof *others; i++)
        if (strncasecmp(said, others[i], strlen(others[i])) == 0 && strchr("; ", said[strlen(others[i])]))
            return others[i];
    return is_png(file) ? "image/png" : "image/jpeg";
}

static enum xpl_status from_picture(struct xpl_arena *arena, struct xpl_text file, const char *type,
                                    struct xpl_text form, struct xpl_text *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_TEXT_BYTES);
    size_t length = xpl_base64_length(file.length);

    if (!out)
        return xpl_no_memory(err);
    xpl_buf_string(out, "{\"values\":[\"");
    if (xpl_buf_reserve(out, length)) {
        xpl_base64_write(file.ptr, file.length, out->data + out->length);
        out->length += length;
    }
    xpl_buf_string(out, "\"]");
    xpl_raw_body_note(out, picture_type(file, type), NULL, form);
    return keep(arena, out, ret, err);
}

/* ---- NumPy ---- */

struct npy {
    const struct xpl_tensor_type *type;
    size_t sides[MAX_SIDES], n_sides, n; /* n numbers in all */
    const uint8_t *at;
};

/* Behind `name` and a colon in the dictionary of the file, whose other quotes do not matter; NULL when it is not there.
 */
static const char *entry(const char *dict, const char *name)
{
    const char *at = strstr(dict, name);

    at = at ? strchr(at, ':') : NULL;
    return at ? at + 1 + strspn(at + 1, " ") : NULL;
}

static bool read_sides(const char *at, struct npy *npy)
{
    char *end;

    if (!at || *at != '(')
        return false;
    npy->n = 1;
    for (at++; *at >= '0' && *at <= '9'; at = end + strspn(end, ", ")) {
        size_t side = strtoull(at, &end, 10);

        if (npy->n_sides == MAX_SIDES || __builtin_mul_overflow(npy->n, side, &npy->n))
            return false;
        npy->sides[npy->n_sides++] = side;
    }
    return *at == ')';
}

static enum xpl_status read_dict(const char *dict, struct npy *npy, struct xpl_error *err)
{
    const char *descr = entry(dict, "'descr'"), *order = entry(dict, "'fortran_order'");
    size_t length = descr && *descr == '\'' ? strcspn(descr + 1, "'") : 0;

    npy->type = xpl_tensor_type_of_npy((struct xpl_text){descr ? descr + 1 : "", length});
    if (!npy->type)
        return bad(err, "the NumPy file's descr is not a little-endian number");
    if (!order || strncmp(order, "False", 5) != 0)
        return bad(err, "the NumPy file is in Fortran order");
    if (!read_sides(entry(dict, "'shape'"), npy))
        return bad(err, "the NumPy file's shape cannot be read");
    return XPL_OK;
}

static enum xpl_status read_npy(struct xpl_arena *arena, struct xpl_text file, struct npy *npy, struct xpl_error *err)
{
    const uint8_t *bytes = (const uint8_t *)file.ptr;
    size_t head = bytes[6] == 1 ? 10 : 12, length, data;
    const char *dict;
    enum xpl_status st;

    if (file.length < head)
        return bad(err, "the NumPy file ends in its head");
    length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (head > 10)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > NPY_DICT_MAX || length > file.length - head)
        return bad(err, "the NumPy file ends in its head");
    if (!(dict = xpl_arena_string_n(arena, file.ptr + head, length)))
        return xpl_no_memory(err);
    if ((st = read_dict(dict, npy, err)))
        return st;
    npy->at = bytes + head + length;
    if (__builtin_mul_overflow(npy->n, npy->type->bytes, &data) || data != file.length - head - length)
        return bad(err, "the NumPy file is not as long as its shape says");
    return XPL_OK;
}

/* How many dimensions begin, or end, in front of, or behind, number i. */
static size_t edges(const struct npy *npy, size_t i)
{
    size_t n = 0, below = 1;

    while (n < npy->n_sides && i % (below *= npy->sides[npy->n_sides - 1 - n]) == 0)
        n++;
    return n;
}

static void put_edges(struct xpl_buf *out, char bracket, size_t n)
{
    while (n-- > 0)
        xpl_buf_append(out, &bracket, 1);
}

/* `is_answer`: it says nothing but the numbers. */
static enum xpl_status from_npy(struct xpl_arena *arena, struct xpl_text file, struct xpl_text form, bool is_answer,
                                struct xpl_text *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_TEXT_BYTES);
    char number[XPL_TENSOR_NUMBER_MAX];
    struct npy npy = {0};
    enum xpl_status st;

    if (!out)
        return xpl_no_memory(err);
    if ((st = read_npy(arena, file, &npy, err)))
        return st;
    if (npy.n == 0 || npy.n_sides == 0)
        return bad(err, "the NumPy file has no list of numbers");
    xpl_buf_string(out, is_answer ? "" : "{\"array\":");
    for (size_t i = 0; i < npy.n && !out->failed; i++) {
        xpl_buf_append(out, ",", i > 0);
        put_edges(out, '[', edges(&npy, i));
        xpl_buf_append(out, number, xpl_tensor_print(npy.type, npy.at + i * npy.type->bytes, number));
        put_edges(out, ']', edges(&npy, i + 1));
    }
    if (!is_answer)
        xpl_raw_body_note(out, "application/x-npy", strcmp(npy.type->name, "UINT8") ? npy.type->name : NULL, form);
    return keep(arena, out, ret, err);
}

/* ---- all ---- */

static enum xpl_status from_tensors(struct xpl_arena *arena, const struct xpl_raw_body *body, struct xpl_text *ret,
                                    struct xpl_error *err)
{
    struct xpl_error inner = {0};
    int64_t length;

    if (!xpl_parse_int(body->head_length, 0, (int64_t)body->bytes.length, &length))
        return bad(err, "the body ends before its Inference-Header-Content-Length");
    if (xpl_tensors_unpack(arena, body->bytes, (size_t)length, body->is_answer ? "outputs" : "inputs", ret, &inner))
        return bad(err, inner.message);
    return XPL_OK;
}

enum xpl_status xpl_raw_body_as_json(struct xpl_arena *arena, const struct xpl_raw_body *body, struct xpl_text *ret,
                                     struct xpl_error *err)
{
    struct xpl_text file = body->bytes, form = {0};
    struct xpl_form around;
    enum xpl_status st;

    if (body->head_length)
        return from_tensors(arena, body, ret, err);
    if (!body->is_answer && xpl_form_begins(file) &&
        ((st = xpl_form_split(body->bytes, is_file, &around, &file, err)) ||
         (st = xpl_form_json(arena, &around, &form, err))))
        return st;
    if (is_npy(file))
        return from_npy(arena, file, form, body->is_answer, ret, err);
    if (is_picture(file))
        return from_picture(arena, file, body->type, form, ret, err);
    *ret = body->bytes;
    return XPL_OK;
}
