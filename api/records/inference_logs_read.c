/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/inference_logs_read.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/records/records_read.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"
#include "lib/base/time.h"

#define MAX_ID 190u /* so that a row's number fits a scoring id, too */

/* Attributes as text; NULL = not there. */
struct attributes {
    const char *specversion, *id, *type, *time;
};

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text), n = strlen(suffix);

    return length >= n && strcasecmp(text + length - n, suffix) == 0;
}

/* `prefix` is what errors say before a name: "ce-" for headers. */
static enum xpl_status check(const struct attributes *a, const char *prefix, struct xpl_inference_event *ret,
                             struct xpl_error *err)
{
    char field[32];

#define BAD(name, ...)                                                                                                 \
    (snprintf(field, sizeof field, "%s" name, prefix), xpl_fail_field(err, XPL_BAD_FIELD, field, __VA_ARGS__))
    if (!a->specversion || strcmp(a->specversion, "1.0") != 0)
        return BAD("specversion", a->specversion ? "\"%.20s\" is not known: 1.0 is" : "is missing%.0s",
                   a->specversion ? a->specversion : "");
    if (!a->id || !*a->id)
        return BAD("id", "is missing");
    if (strlen(a->id) > MAX_ID || !is_printable(a->id) || !xpl_is_utf8(a->id, strlen(a->id)))
        return BAD("id", "must be UTF-8 of at most %u bytes, none of them blank", MAX_ID);
    if (!a->type || !(ends_with(a->type, "request") || ends_with(a->type, "response")))
        return BAD("type", "must end in request or response, as org.kubeflow.serving.inference.request does");
    if (a->time && !xpl_time_parse(a->time, &ret->time))
        return BAD("time", "\"%.40s\" is not a time such as 2024-03-21T11:45:41Z", a->time);
#undef BAD
    ret->id = a->id;
    ret->response = ends_with(a->type, "response");
    return XPL_OK;
}

/* ---- binary ---- */

static enum xpl_status read_binary(struct xpl_call *call, struct xpl_inference_event *ret, struct xpl_error *err)
{
    const struct attributes a = {xpl_call_header(call, "ce-specversion"), xpl_call_header(call, "ce-id"),
                                 xpl_call_header(call, "ce-type"), xpl_call_header(call, "ce-time")};

    ret->data = (struct xpl_text){call->body.data ? call->body.data : "", call->body.length};
    return check(&a, "ce-", ret, err);
}

/* ---- structured ---- */

/* The members that mean something here; the source does not: which model it was, the address says. */
enum {
    SPECVERSION,
    ID,
    TYPE,
    TIME,
    SOURCE,
    DATA_BASE64,
    DATA,
    N_MEMBERS
};
static const char *const member_names[N_MEMBERS] = {"specversion", "id",          "type", "time",
                                                    "source",      "data_base64", "data"};

static enum xpl_status read_members(struct xpl_text object, struct xpl_text members[N_MEMBERS], struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct xpl_text name, value;
    enum xpl_status st;
    bool more;

    xpl_json_rescan_start(&scan, object, err);
    if ((st = xpl_json_enter_object(&scan)))
        return st;
    while ((st = xpl_json_next_member(&scan, &name, &more)) == XPL_OK && more) {
        if ((st = xpl_json_skip(&scan, &value)))
            return st;
        for (int i = 0; i < N_MEMBERS; i++) {
            if (!xpl_text_equal(name, member_names[i]))
                continue;
            if (members[i].ptr)
                return xpl_fail_field(err, XPL_BAD_FIELD, member_names[i], "comes twice");
            members[i] = value;
        }
    }
    return st;
}

/* All but `data` are texts; NULL = not there. */
static enum xpl_status read_strings(struct xpl_call *call, const struct xpl_text members[N_MEMBERS],
                                    const char *strings[DATA], struct xpl_error *err)
{
    for (int i = 0; i < DATA; i++) {
        struct xpl_text value = members[i];
        char *text;

        strings[i] = NULL;
        if (!value.ptr)
            continue;
        if (!xpl_json_text_is_string(value))
            return xpl_fail_field(err, XPL_BAD_FIELD, member_names[i], "must be a string");
        if (!(text = xpl_arena_alloc(call->arena, value.length)))
            return xpl_no_memory(err);
        if (!xpl_json_unescape((struct xpl_text){value.ptr + 1, value.length - 2}, text))
            return xpl_fail_field(err, XPL_BAD_FIELD, member_names[i], "has a character that text does not have");
        strings[i] = text;
    }
    return XPL_OK;
}

static enum xpl_status decode_data(struct xpl_call *call, const char *base64, struct xpl_text *ret,
                                   struct xpl_error *err)
{
    size_t length = 0;
    uint8_t *bytes;

    if (!base64)
        return xpl_fail_field(err, XPL_BAD_FIELD, "data", "is missing");
    if (!(bytes = xpl_base64_decode(call->arena, base64, &length)))
        return xpl_fail_field(err, XPL_BAD_FIELD, "data_base64", "is not base64");
    *ret = (struct xpl_text){(const char *)bytes, length};
    return XPL_OK;
}

static enum xpl_status read_object(struct xpl_call *call, struct xpl_text object, struct xpl_inference_event *ret,
                                   struct xpl_error *err)
{
    struct xpl_text members[N_MEMBERS] = {0};
    const char *strings[DATA];
    enum xpl_status st;

    if (!xpl_json_text_is_object(object))
        return xpl_fail(err, XPL_BAD_FIELD, "an event must be an object");
    if ((st = read_members(object, members, err)) || (st = read_strings(call, members, strings, err)) ||
        (st = check(&(struct attributes){strings[SPECVERSION], strings[ID], strings[TYPE], strings[TIME]}, "", ret,
                    err)))
        return st;
    if (members[DATA].ptr && strings[DATA_BASE64])
        return xpl_fail_field(err, XPL_BAD_FIELD, "data_base64", "stands beside data: an event has one of them");
    ret->data = members[DATA];
    return ret->data.ptr ? XPL_OK : decode_data(call, strings[DATA_BASE64], &ret->data, err);
}

static struct xpl_text trimmed(const struct xpl_buf *body)
{
    struct xpl_text text = xpl_text_without_mark((struct xpl_text){body->data ? body->data : "", body->length});

    while (text.length && strchr(" \t\r\n", *text.ptr))
        text = (struct xpl_text){text.ptr + 1, text.length - 1};
    return text;
}

static enum xpl_status read_list(struct xpl_call *call, struct xpl_text body, struct xpl_inference_event *list,
                                 size_t *ret_n, struct xpl_error *err)
{
    struct xpl_json_scan scan;
    struct xpl_text element;
    enum xpl_status st;
    bool more;

    if (!xpl_json_text_is_array(body))
        return xpl_fail(err, XPL_BAD_FIELD, "a batch must be an array of events");
    xpl_json_rescan_start(&scan, body, err);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    for (*ret_n = 0; (st = xpl_json_next_element(&scan, &more)) == XPL_OK && more; ++*ret_n) {
        struct xpl_error inner = {0};
        char prefix[32];

        if (*ret_n == XPL_MAX_EVENTS)
            return xpl_fail(err, XPL_TOO_LARGE, "a batch has at most %u events", XPL_MAX_EVENTS);
        if ((st = xpl_json_skip(&scan, &element)))
            return st;
        list[*ret_n].time = xpl_now_us();
        if ((st = read_object(call, element, &list[*ret_n], &inner))) {
            snprintf(prefix, sizeof prefix, "[%zu]", *ret_n);
            xpl_error_prefix(&inner, prefix);
            return xpl_fail_field(err, st, inner.field, "%s", inner.message);
        }
    }
    return st;
}

static bool is_type(const char *type, const char *wanted)
{
    size_t length = strlen(wanted);

    return type && strncasecmp(type, wanted, length) == 0 && (!type[length] || strchr("; \t", type[length]));
}

enum xpl_status xpl_events_read(struct xpl_call *call, struct xpl_inference_event **ret, size_t *ret_n,
                                struct xpl_error *err)
{
    const char *type = xpl_call_header(call, "Content-Type");
    bool batch = is_type(type, "application/cloudevents-batch+json"),
         one = is_type(type, "application/cloudevents+json");
    struct xpl_text body = trimmed(&call->body);
    enum xpl_status st;

    if (!(*ret = XPL_NEW_ARRAY(call->arena, struct xpl_inference_event, batch ? XPL_MAX_EVENTS : 1)))
        return xpl_no_memory(err);
    *ret_n = 1;
    (*ret)->time = xpl_now_us();
    if (!batch && !one)
        return read_binary(call, *ret, err);
    if ((st = xpl_json_check(body.ptr, body.length, &xpl_records_limits, err)))
        return st;
    return batch ? read_list(call, body, *ret, ret_n, err) : read_object(call, body, *ret, err);
}
