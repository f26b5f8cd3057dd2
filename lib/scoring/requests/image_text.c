/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/image_text.h"

#include <string.h>
#include <strings.h>

#include "lib/base/json_scan.h"

#define MAX_PREFIX 64u

static bool begins(struct xpl_text text, const char *prefix)
{
    size_t length = strlen(prefix);

    return text.length >= length && memcmp(text.ptr, prefix, length) == 0;
}

static bool begins_in_any_case(struct xpl_text text, const char *prefix)
{
    size_t length = strlen(prefix);

    return text.length >= length && strncasecmp(text.ptr, prefix, length) == 0;
}

size_t xpl_image_text_prefix(struct xpl_text raw)
{
    const char *comma;
    size_t length;

    if (!begins_in_any_case(raw, "data:"))
        return 0;
    if (!(comma = memchr(raw.ptr, ',', raw.length < MAX_PREFIX ? raw.length : MAX_PREFIX)))
        return 0;
    length = (size_t)(comma - raw.ptr) + 1;
    if (begins_in_any_case(raw, "data:image"))
        return length;
    return length >= strlen("data:;base64,") &&
                   strncasecmp(comma - strlen(";base64"), ";base64", strlen(";base64")) == 0
               ? length
               : 0;
}

bool xpl_is_image_text(struct xpl_text raw)
{
    size_t prefix = xpl_image_text_prefix(raw);
    struct xpl_text data = {raw.ptr + prefix, raw.length - prefix};

    return begins(data, "iVBORw0KGgo") || begins(data, "/9j/") || begins(data, "\\/9j\\/") || begins(data, "_9j_");
}

bool xpl_is_image_string(struct xpl_text value, struct xpl_text *ret_raw)
{
    if (value.length < 2 || *value.ptr != '"')
        return false;
    *ret_raw = (struct xpl_text){value.ptr + 1, value.length - 2};
    return xpl_is_image_text(*ret_raw);
}

/* Some writers escape the slashes of base64, and its lines may be broken. */
static enum xpl_status unescaped(struct xpl_arena *arena, struct xpl_text text, char **ret, struct xpl_error *err)
{
    *ret = xpl_arena_string_n(arena, text.ptr, text.length);
    if (!*ret)
        return xpl_no_memory(err);
    if (memchr(text.ptr, '\\', text.length) && !xpl_json_unescape(text, *ret))
        return xpl_fail(err, XPL_BAD_RECORD, "has a broken escape");
    return XPL_OK;
}

enum xpl_status xpl_image_text_decode(struct xpl_arena *arena, struct xpl_text raw,
                                      const struct xpl_picture_decoder *decoder, struct xpl_picture_size *ret_size,
                                      enum xpl_base64_kind *ret_kind, uint8_t **ret, struct xpl_error *err)
{
    size_t prefix = xpl_image_text_prefix(raw), length = 0;
    struct xpl_text data = {raw.ptr + prefix, raw.length - prefix};
    enum xpl_status st;
    uint8_t *encoded;
    char *text;

    if (data.length / 4 * 3 > XPL_PICTURE_MAX_BYTES)
        return xpl_fail(err, XPL_BAD_RECORD, "is a picture of more than %zu bytes", XPL_PICTURE_MAX_BYTES);
    if ((st = unescaped(arena, data, &text, err)))
        return st;
    *ret_kind = xpl_base64_kind_of(text);
    if (!(encoded = xpl_base64_decode_as(arena, *ret_kind, text, &length)))
        return xpl_fail(err, XPL_BAD_RECORD, "is not base64");
    return decoder->decode(decoder->context, arena, encoded, length, ret_size, ret, err);
}
