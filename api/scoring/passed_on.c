/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring/passed_on.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/json_spec.h"

#define MAX_ADDRESS_BYTES ((size_t)16 << 10)
#define SAGEMAKER         "X-Amzn-SageMaker-"

/* ---- the query ---- */

/* The parameters of an address, as they are written there. */
struct parameters {
    const char **texts;
    size_t n;
};

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

static bool is_given(const struct xpl_call *call, const char *name)
{
    for (size_t i = 0; i < call->n_query; i++)
        if (strcmp(call->query[i].name, name) == 0)
            return true;
    return false;
}

/* Those of the address that the client does not give itself. */
static bool take_own(struct xpl_call *call, const char *query, struct parameters *p)
{
    while (*query && *query != '#') {
        size_t length = strcspn(query, "&#");
        char *name = xpl_arena_string_n(call->arena, query, strcspn(query, "=&#"));

        if (!name || !(p->texts[p->n] = xpl_arena_string_n(call->arena, query, length)))
            return false;
        p->n += length > 0 && !(xpl_percent_decode(name, true) && is_given(call, name));
        query += length;
        query += *query == '&';
    }
    return true;
}

static bool take_given(struct xpl_call *call, struct parameters *p)
{
    for (size_t i = 0; i < call->n_query; i++) {
        XPL_AUTO(xpl_buf) text = xpl_buf_new(MAX_ADDRESS_BYTES);

        if (!text || !put_encoded(text, call->query[i].name) || !xpl_buf_append(text, "=", 1) ||
            !put_encoded(text, call->query[i].value) || !(p->texts[p->n++] = xpl_arena_string(call->arena, text->data)))
            return false;
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t count_own(const char *query)
{
    size_t n = 1;

    for (; *query; query++)
        n += *query == '&';
    return n;
}

/* A signature is made of sorted parameters. */
static enum xpl_status pass_query(struct xpl_call *call, struct xpl_endpoint *endpoint, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_ADDRESS_BYTES);
    size_t path = strcspn(endpoint->url, "?#");
    const char *query = endpoint->url[path] == '?' ? endpoint->url + path + 1 : "";
    struct parameters p = {XPL_NEW_ARRAY(call->arena, const char *, count_own(query) + call->n_query), 0};
    bool whole;

    if (call->n_query == 0)
        return XPL_OK;
    if (!out || !p.texts)
        return xpl_no_memory(err);
    whole = take_own(call, query, &p) && take_given(call, &p) && xpl_buf_append(out, endpoint->url, path);
    if (whole && endpoint->aws_region)
        qsort(p.texts, p.n, sizeof *p.texts, by_text);
    for (size_t i = 0; whole && i < p.n; i++)
        whole = xpl_buf_append(out, i ? "&" : "?", 1) && xpl_buf_string(out, p.texts[i]);
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

/* Of a connection (RFC 9110, 7.6.1), of the body, of where the call came from, or of the call of the daemon. */
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
                                        "Via",
                                        "Expect",
                                        "Range",
                                        "Content-Length",
                                        "Content-Type",
                                        "Accept",
                                        "Accept-Encoding",
                                        "User-Agent",
                                        "Origin",
                                        "Referer",
                                        "Authorization",
                                        "Cookie",
                                        "X-Api-Key",
                                        "X-Real-IP",
                                        "True-Client-IP",
                                        "X-HTTP-Method-Override",
                                        "X-Global-Transaction-Id",
                                        "traceparent",
                                        "Inference-Header-Content-Length",
                                        "Forwarded"};
    static const char *const beginnings[] = {"Proxy-", "X-Forwarded-", "X-Explaind-", "Ce-", "Sec-", "If-", "X-Amz-"};

    for (size_t i = 0; i < XPL_COUNT(beginnings); i++)
        if (strncasecmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return is_named(name, names, XPL_COUNT(names));
}

/* By the header Connection: it belongs to this one only. */
static bool is_of_connection(const struct xpl_call *call, const char *name)
{
    const char *list = xpl_call_header(call, "Connection");
    size_t length = strlen(name);

    for (; list && *list; list += strcspn(list, ","), list += *list == ',') {
        list += strspn(list, " \t");
        if (strncasecmp(list, name, length) == 0 && strchr(" \t,", list[length]))
            return true;
    }
    return false;
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

/* What is signed is told to nobody but whom it is for: the library sorts some names wrongly. */
static bool passes(const struct xpl_call *call, const struct xpl_endpoint *endpoint, const struct xpl_pair *header)
{
    if (endpoint->aws_region && strncasecmp(header->name, SAGEMAKER, strlen(SAGEMAKER)) != 0)
        return false;
    return *header->value && !stays_here(header->name) && !is_of_connection(call, header->name) &&
           !is_set(endpoint, header->name);
}

static enum xpl_status pass_headers(struct xpl_call *call, struct xpl_endpoint *endpoint, struct xpl_error *err)
{
    const char **lines = XPL_NEW_ARRAY(call->arena, const char *, endpoint->n_headers + call->n_headers);
    size_t n = endpoint->n_headers;

    if (!lines)
        return xpl_no_memory(err);
    if (n > 0)
        memcpy(lines, endpoint->headers, n * sizeof *lines);
    for (size_t i = 0; i < call->n_headers; i++) {
        const struct xpl_pair *header = &call->headers[i];

        if (!passes(call, endpoint, header))
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
