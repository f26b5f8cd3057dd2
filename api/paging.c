/* SPDX-License-Identifier: Apache-2.0 */
#include "api/paging.h"

#include <ctype.h>
#include <string.h>

#include "api/configuration/resource.h"
#include "api/json_text.h"
#include "lib/base/text.h"

#define MAX_HREF_BYTES 65536

static void append_encoded(struct xpl_buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~", *c))
            xpl_buf_append(out, c, 1);
        else
            xpl_buf_printf(out, "%%%02X", (unsigned char)*c);
    }
}

static void append_parameter(struct xpl_buf *out, const char *name, const char *value)
{
    xpl_buf_string(out, strchr(out->data, '?') ? "&" : "?");
    append_encoded(out, name);
    xpl_buf_string(out, "=");
    append_encoded(out, value);
}

const char *xpl_next_page(struct xpl_call *call, const char *after, int64_t offset)
{
    XPL_AUTO(xpl_buf) href = xpl_buf_new(MAX_HREF_BYTES);
    XPL_AUTO_JSON next = NULL;
    char number[24];

    if (!href || !call->path || !xpl_buf_string(href, call->path))
        return NULL;
    for (size_t i = 0; i < call->n_query; i++)
        if (strcmp(call->query[i].name, "after") != 0 && strcmp(call->query[i].name, "offset") != 0)
            append_parameter(href, call->query[i].name, call->query[i].value ? call->query[i].value : "");
    snprintf(number, sizeof number, "%lld", (long long)offset);
    append_parameter(href, after ? "after" : "offset", after ? after : number);
    next = href->failed ? NULL : json_pack("{s:s, s:s*}", "href", href->data, "after", after);
    return next ? xpl_json_text(call->arena, next) : NULL;
}

const char *xpl_record_key_text(struct xpl_call *call, const struct xpl_record_query *query,
                                const struct xpl_record *last)
{
    switch (xpl_record_key_kind_of(query)) {
    case XPL_RECORD_KEY_SEQ:
        return xpl_arena_printf(call->arena, "%lld", (long long)last->seq);
    case XPL_RECORD_KEY_TIME:
        return xpl_arena_printf(call->arena, "%lld.%lld", (long long)last->scoring_timestamp, (long long)last->seq);
    case XPL_RECORD_KEY_SCORING_ID:
        return last->scoring_id;
    case XPL_RECORD_KEY_NONE:
        break;
    }
    return NULL;
}

static bool read_key(struct xpl_call *call, const char *text, enum xpl_record_key_kind kind, struct xpl_record_key *ret)
{
    char *copy = xpl_arena_string(call->arena, text), *dot = copy ? strchr(copy, '.') : NULL;

    switch (kind) {
    case XPL_RECORD_KEY_SEQ:
        return xpl_parse_int(text, 0, INT64_MAX, &ret->seq);
    case XPL_RECORD_KEY_TIME:
        if (dot)
            *dot++ = '\0';
        return dot && xpl_parse_int(copy, INT64_MIN, INT64_MAX, &ret->timestamp) &&
               xpl_parse_int(dot, 0, INT64_MAX, &ret->seq);
    case XPL_RECORD_KEY_SCORING_ID:
        ret->scoring_id = text;
        return true;
    case XPL_RECORD_KEY_NONE:
        break;
    }
    return false;
}

enum xpl_status xpl_record_key_read(struct xpl_call *call, struct xpl_record_query *query, struct xpl_error *err)
{
    enum xpl_record_key_kind kind = xpl_record_key_kind_of(query);
    const char *text = xpl_call_query(call, "after");

    if (!text || !*text)
        return XPL_OK;
    if (kind == XPL_RECORD_KEY_NONE)
        return xpl_fail_field(err, XPL_BAD_FIELD, "after", "does not go with this order: use offset");
    query->has_after = read_key(call, text, kind, &query->after);
    return query->has_after ? XPL_OK
                            : xpl_fail_field(err, XPL_BAD_FIELD, "after",
                                             "\"%.40s\" is not a place in this order: take it from `next`", text);
}
