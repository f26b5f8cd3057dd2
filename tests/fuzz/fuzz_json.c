/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON scanner against jansson: both must agree on what JSON is, but for the limits that only one of them has:
 * depth here; numbers beyond a double or an int64, a NUL in a string, and halves of surrogate pairs there. jansson
 * takes a zero byte for the end of the text.
 */
#include <jansson.h>

#include "tests/fuzz/fuzz.h"

static bool is_limit_of_jansson(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);

    return code == json_error_numeric_overflow || code == json_error_null_character ||
           code == json_error_null_byte_in_key || strstr(error->text, "invalid Unicode");
}

static void unescape_all(struct xpl_text text)
{
    char *out = malloc(text.length + 1);

    FUZZ_REQUIRE(out);
    for (size_t i = 0; i < text.length; i++) {
        struct xpl_json_scan scan;
        struct xpl_text raw;

        xpl_json_scan_start(&scan, text.ptr + i, text.length - i, NULL, NULL);
        if (text.ptr[i] == '"' && xpl_json_string(&scan, &raw) == XPL_OK && xpl_json_unescape(raw, out))
            FUZZ_REQUIRE(strlen(out) <= raw.length && xpl_is_utf8(out, strlen(out)));
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct xpl_json_limits limits = {.arrays = 50, .objects = 50, .numbers = 200};
    struct xpl_text text = fuzz_exact(data, size);
    struct xpl_error err = {0}, limited = {0};
    enum xpl_status st = xpl_json_check(text.ptr, text.length, NULL, &err);
    json_error_t error;
    json_t *tree = json_loadb(text.ptr, text.length, JSON_DECODE_ANY, &error);

    if (tree)
        FUZZ_REQUIRE(st == XPL_OK || strstr(err.message, "deep") || memchr(text.ptr, 0, text.length));
    else
        FUZZ_REQUIRE(st != XPL_OK || is_limit_of_jansson(&error));
    if (xpl_json_check(text.ptr, text.length, &limits, &limited) == XPL_OK)
        FUZZ_REQUIRE(st == XPL_OK);
    if (size < 256)
        unescape_all(text);
    json_decref(tree);
    fuzz_free(text);
    return 0;
}
