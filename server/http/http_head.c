/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/http_head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- the text as it was received ---- */

/* RFC 9110, 5.6.2: what methods and header names are made of. */
static bool is_token(const char *text)
{
    const char *start = text;

    while (isalnum((unsigned char)*text) || (*text && strchr("!#$%&'*+-.^_`|~", *text)))
        text++;
    return !*text && text > start;
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static bool has_control_character(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

struct walk {
    uintptr_t end; /* of what was seen so far */
    bool broken;
};

/* Line ends became zeros: one for LF, two for CR LF. */
static bool follows(uintptr_t end, uintptr_t next, unsigned lines)
{
    return next >= end + lines && next <= end + (uintptr_t)2 * lines;
}

static enum MHD_Result step(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_length, const char *value,
                            size_t value_length)
{
    struct walk *walk = arg;
    uintptr_t name_end = (uintptr_t)name + name_length + 1, at = (uintptr_t)value;

    (void)kind;
    walk->broken |= !value || !follows(walk->end, (uintptr_t)name, 1) || at < name_end ||
                    at > name_end + XPL_HTTP_MAX_HEAD_BYTES || strspn(name + name_length + 1, " \t") != at - name_end;
    walk->end = at + value_length;
    return walk->broken ? MHD_NO : MHD_YES;
}

/*
 * microhttpd before 1.0 cuts the head in place and hides three things: a line that begins with a blank is appended to
 * the *name* of the header before it (so that a folded Content-Length is none), a zero byte ends a value or the target
 * early, and a line without a name vanishes. All of them show as a gap between what it did find. Later versions refuse
 * them on their own in strict mode.
 */
static bool is_whole(const struct xpl_http_head *head)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(head->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct walk walk = {.end = (uintptr_t)head->version + strlen(head->version)};

    if (strncmp(MHD_get_version(), "0.", 2) != 0)
        return true;
    if (head->method + strlen(head->method) + 1 != head->target || head->target_end + 1 != head->version)
        return false;
    MHD_get_connection_values_n(head->connection, MHD_HEADER_KIND, step, &walk);
    return !walk.broken && info && follows(walk.end, (uintptr_t)head->method + info->header_size, 2);
}

static size_t size_of(const struct xpl_http_head *head)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(head->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info ? info->header_size : 0;
}

static enum xpl_status check_text(const struct xpl_http_head *head, const struct xpl_call *call, struct xpl_error *err)
{
    if (size_of(head) > XPL_HTTP_MAX_HEAD_BYTES)
        return xpl_fail(err, XPL_HEADER_TOO_LARGE, "the head of the request has %zu bytes; the limit is %u",
                        size_of(head), XPL_HTTP_MAX_HEAD_BYTES);
    if (!is_token(head->method))
        return xpl_fail(err, XPL_BAD_REQUEST, "the method is not a name");
    if (!head->target_printable)
        return xpl_fail(err, XPL_BAD_REQUEST, "the path or query has characters that must be percent-encoded");
    for (size_t i = 0; i < call->n_headers; i++) {
        if (!is_token(call->headers[i].name))
            return xpl_fail(err, XPL_BAD_REQUEST, "a header name has characters that names do not have");
        if (has_control_character(call->headers[i].value))
            return xpl_fail(err, XPL_BAD_REQUEST, "the header %.60s has a control character", call->headers[i].name);
    }
    if (!is_whole(head))
        return xpl_fail(err, XPL_BAD_REQUEST,
                        "the head has a folded line, a zero byte, a header without a name or a blank too many");
    return XPL_OK;
}

/* ---- what the headers say ---- */

static size_t count(const struct xpl_call *call, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < call->n_headers; i++)
        n += strcasecmp(call->headers[i].name, name) == 0;
    return n;
}

static enum xpl_status check_framing(const struct xpl_http_head *head, const struct xpl_call *call,
                                     struct xpl_error *err)
{
    const char *transfer = xpl_call_header(call, "Transfer-Encoding");

    if (count(call, "Content-Length") > 1)
        return xpl_fail(err, XPL_BAD_REQUEST, "Content-Length comes twice");
    if (!transfer)
        return XPL_OK;
    if (count(call, "Content-Length"))
        return xpl_fail(err, XPL_BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other");
    if (count(call, "Transfer-Encoding") > 1 || strcasecmp(transfer, "chunked") != 0 ||
        strcmp(head->version, "HTTP/1.1") != 0)
        return xpl_fail(err, XPL_BAD_REQUEST, "the only Transfer-Encoding is chunked, in HTTP/1.1");
    return XPL_OK;
}

static enum xpl_status check_headers(const struct xpl_call *call, struct xpl_error *err)
{
    const char *host = xpl_call_header(call, "Host");

    if (count(call, "Host") > 1)
        return xpl_fail(err, XPL_BAD_REQUEST, "Host comes twice");
    if (host && strpbrk(host, " \t,/\\@?#<>\"|"))
        return xpl_fail(err, XPL_BAD_REQUEST, "Host is not host[:port]");
    return XPL_OK;
}

struct xpl_http_head xpl_http_head_start(struct MHD_Connection *connection, const char *target)
{
    return (struct xpl_http_head){.connection = connection,
                                  .target = target,
                                  .target_end = target + strlen(target),
                                  .target_printable = is_printable(target)};
}

enum xpl_status xpl_http_head_check(const struct xpl_http_head *head, const struct xpl_call *call,
                                    struct xpl_error *err)
{
    enum xpl_status st;

    if ((st = check_text(head, call, err)) || (st = check_framing(head, call, err)))
        return st;
    return check_headers(call, err);
}

const char *xpl_http_path_of(const char *url)
{
    const char *authority;

    if (*url == '/')
        return url;
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
        return NULL;
    authority = strstr(url, "://") + 3;
    return strchr(authority, '/') ? strchr(authority, '/') : "/";
}
