/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/records_csv_options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_ROW_BYTES 10485760 /* as the original's */

static enum xpl_status read_delimiter(const struct xpl_call *call, char *ret, struct xpl_error *err)
{
    const char *text = xpl_call_query(call, "delimiter");

    if (text && strcmp(text, "\\t") == 0)
        text = "\t";
    *ret = text && *text ? *text : ',';
    if (text && (strlen(text) > 1 || strchr("\"\r\n", *ret) || (*ret < ' ' && *ret != '\t') || *ret > '~'))
        return xpl_fail_field(err, XPL_BAD_FIELD, "delimiter", "\"%.20s\" is not one printable ASCII character", text);
    return XPL_OK;
}

/* IBM's SDK sends it as a float. */
static enum xpl_status read_row_bytes(const struct xpl_call *call, size_t *ret, struct xpl_error *err)
{
    const char *text = xpl_call_query(call, "csv_max_line_length");
    double value = MAX_ROW_BYTES;
    char *end = NULL;

    if (text && *text)
        value = strtod(text, &end);
    if ((end && *end) || !(value >= 1 && value <= MAX_ROW_BYTES))
        return xpl_fail_field(err, XPL_BAD_FIELD, "csv_max_line_length", "\"%.40s\" is not a number from 1 to %d", text,
                              MAX_ROW_BYTES);
    *ret = (size_t)value;
    return XPL_OK;
}

enum xpl_status xpl_csv_options_read(const struct xpl_call *call, struct xpl_csv_options *ret, struct xpl_error *err)
{
    const char *header = xpl_call_query(call, "header"), *on_error = xpl_call_query(call, "on_error");
    enum xpl_status st;

    *ret = (struct xpl_csv_options){.detects_header = !header || !*header};
    ret->go_on = on_error && strcmp(on_error, "continue") == 0;
    if (on_error && *on_error && !ret->go_on && strcmp(on_error, "stop") != 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "on_error", "\"%.40s\" is neither stop nor continue", on_error);
    if ((st = xpl_query_bool(call, "header", false, &ret->has_header, err)) ||
        (st = xpl_query_int(call, "skip", 0, INT64_MAX, 0, &ret->skip, err)) ||
        (st = xpl_query_int(call, "limit", 0, INT64_MAX, INT64_MAX, &ret->limit, err)) ||
        (st = read_delimiter(call, &ret->delimiter, err)))
        return st;
    return read_row_bytes(call, &ret->max_row_bytes, err);
}

enum xpl_status xpl_csv_text(struct xpl_call *call, struct xpl_text *ret, struct xpl_error *err)
{
    const char *charset = strcasestr(xpl_call_header(call, "Content-Type"), "charset=");
    const struct xpl_buf *body = &call->body;
    char *text;
    size_t n = 0;

    *ret = (struct xpl_text){body->length ? body->data : "", body->length};
    charset = charset ? charset + strlen("charset=") : "utf-8";
    charset += *charset == '"';
    if (strncasecmp(charset, "utf-8", 5) == 0 || strncasecmp(charset, "us-ascii", 8) == 0)
        return XPL_OK;
    if (strncasecmp(charset, "iso-8859-1", 10) != 0 || (charset[10] && strchr("0123456789", charset[10])))
        return xpl_fail(err, XPL_BAD_MEDIA_TYPE, "the charset %.40s is not taken: utf-8, us-ascii or iso-8859-1",
                        charset);
    if (!(text = xpl_arena_alloc(call->arena, 2 * body->length + 1)))
        return xpl_no_memory(err);
    for (size_t i = 0; i < body->length; i++) {
        unsigned char c = (unsigned char)body->data[i];

        if (c >= 0x80)
            text[n++] = (char)(0xc0 | c >> 6);
        text[n++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    }
    *ret = (struct xpl_text){text, n};
    return XPL_OK;
}
