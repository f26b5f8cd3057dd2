/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring/passed_on.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "api/json_spec.h"

#define MAX_ADDRESS_BYTES ((size_t)16 << 10)
#define MAX_HEADERS       64u

/* ---- the query ---- */

/* RFC 3986, 2.3: what needs no encoding. */
static bool put_encoded(struct xpl_buf *out, const char *text)
{
    bool whole = true;

    for (; *text && whole; text++)
        whole = isalnum((unsigned char)*text) || strchr("-._~", *text)
                    ? xpl_buf_append(out, text, 1)
                    : xpl_buf_printf(out, "%%%02X", (unsigned char)*text);
    return whole;
}

static bool names_one_of(const struct xpl_call *call, struct xpl_text parameter)
{
    size_t length = 0;

    while (length < parameter.length && parameter.ptr[length] != '=')
        length++;
    for (size_t i = 0; i < call->n_query; i++)
        if (strlen(call->query[i].name) == length && memcmp(call->query[i].name, parameter.ptr, length) == 0)
            return true;
    return false;
}

/* The parameters of the address that the client does not give itself. */
static bool put_own(struct xpl_buf *out, const struct xpl_call *call, const char *query, char *separator)
{
    bool whole = true;

    while (whole && query && *query) {
        struct xpl_text parameter = {query, strcspn(query, "&")};

        if (!names_one_of(call, parameter)) {
            whole = xpl_buf_append(out, separator, 1) && xpl_buf_append(out, parameter.ptr, parameter.length);
            *separator = '&';
        }
        query += parameter.length;
        query += *query == '&';
    }
    return whole;
}

static enum xpl_status pass_query(struct xpl_call *call, struct xpl_endpoint *endpoint, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_ADDRESS_BYTES);
    size_t path = strcspn(endpoint->url, "?");
    const char *query = endpoint->url[path] ? endpoint->url + path + 1 : NULL;
    char separator = '?';
    bool whole;

    if (call->n_query == 0)
        return XPL_OK;
    if (!out)
        return xpl_no_memory(err);
    whole = xpl_buf_append(out, endpoint->url, path) && put_own(out, call, query, &separator);
    for (size_t i = 0; whole && i < call->n_query; i++) {
        whole = xpl_buf_append(out, &separator, 1) && put_encoded(out, call->query[i].name) &&
                xpl_buf_append(out, "=", 1) && put_encoded(out, call->query[i].value);
        separator = '&';
    }
    if (!whole)
        return xpl_fail(err, XPL_BAD_REQUEST, "the model's address would be longer than %zu bytes with this query",
                        MAX_ADDRESS_BYTES);
    endpoint->url = xpl_arena_string(call->arena, out->data);
    return endpoint->url ? XPL_OK : xpl_no_memory(err);
}

/* ---- headers ---- */

static bool is_named(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Of a connection (RFC 9110, 7.6.1), of the body, or of the call of the daemon. */
static bool stays_here(const char *name)
{
    static const char *const names[] = {"Connection",
                                        "Keep-Alive",
                                        "TE",
                                        "Trailer",
                                        "Transfer-Encoding",
                                        "Upgrade",
                                        "HTTP2-Settings",
                                        "Host",
                                        "Expect",
                                        "Content-Length",
                                        "Content-Type",
                                        "Content-Encoding",
                                        "Accept",
                                        "Accept-Encoding",
                                        "User-Agent",
                                        "Origin",
                                        "Authorization",
                                        "Cookie",
                                        "X-Api-Key",
                                        "X-Global-Transaction-Id",
                                        "traceparent",
                                        "Inference-Header-Content-Length",
                                        "Forwarded"};
    static const char *const beginnings[] = {"Proxy-", "X-Forwarded-", "X-Explaind-", "Ce-", "Sec-"};

    for (size_t i = 0; i < XPL_COUNT(beginnings); i++)
        if (strncasecmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return is_named(name, names, XPL_COUNT(names));
}

/* Whether the provider or the subscription sets the header. */
static bool is_set(const struct xpl_endpoint *endpoint, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < endpoint->n_headers; i++)
        if (strncasecmp(endpoint->headers[i], name, length) == 0 && endpoint->headers[i][length] == ':')
            return true;
    return false;
}

static enum xpl_status pass_headers(struct xpl_call *call, struct xpl_endpoint *endpoint, struct xpl_error *err)
{
    const char **lines = XPL_NEW_ARRAY(call->arena, const char *, endpoint->n_headers + MAX_HEADERS);
    size_t n = endpoint->n_headers;

    if (!lines)
        return xpl_no_memory(err);
    if (n > 0)
        memcpy(lines, endpoint->headers, n * sizeof *lines);
    for (size_t i = 0; i < call->n_headers && n < endpoint->n_headers + MAX_HEADERS; i++) {
        const struct xpl_pair *header = &call->headers[i];

        if (stays_here(header->name) || is_set(endpoint, header->name) || !*header->value)
            continue;
        if (!(lines[n++] = xpl_arena_printf(call->arena, "%s: %s", header->name, header->value)))
            return xpl_no_memory(err);
    }
    endpoint->headers = lines;
    endpoint->n_headers = n;
    return XPL_OK;
}

enum xpl_status xpl_pass_on(struct xpl_call *call, struct xpl_endpoint *endpoint, struct xpl_error *err)
{
    enum xpl_status st = pass_query(call, endpoint, err);

    return st ? st : pass_headers(call, endpoint, err);
}
