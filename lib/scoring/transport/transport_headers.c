/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/scoring/transport/transport_headers.h"

#define MAX_REQUEST_HEADER ((size_t)32 << 10)

/* curl sends a header as it is: a line break inside would be another header. */
static enum xpl_status add_header(struct xpl_slot *slot, const char *name, const char *value, struct xpl_error *err)
{
    XPL_AUTO(xpl_buf) line = xpl_buf_new(MAX_REQUEST_HEADER);
    struct curl_slist *more;

    if (!line)
        return xpl_no_memory(err);
    if (strpbrk(name, "\r\n") || strpbrk(value, "\r\n"))
        return xpl_fail(err, XPL_BAD_FIELD, "a request header holds a line break");
    if (!xpl_buf_printf(line, "%s%s", name, value))
        return xpl_fail(err, XPL_BAD_FIELD, "a request header is longer than %zu bytes", MAX_REQUEST_HEADER);
    if (!(more = curl_slist_append(slot->headers, line->data)))
        return xpl_no_memory(err);
    slot->headers = more;
    return XPL_OK;
}

/* The last digits of the header that was added last. */
static char *last_digits(const struct xpl_slot *slot)
{
    struct curl_slist *last = slot->headers;

    while (last->next)
        last = last->next;
    return last->data + strlen(last->data) - XPL_SEQUENCE_DIGITS;
}

static enum xpl_status add_head_length(struct xpl_slot *slot, struct xpl_error *err)
{
    enum xpl_status st = add_header(slot, "Inference-Header-Content-Length: ", "00000000", err);

    if (!st)
        slot->head_digits = last_digits(slot);
    return st;
}

/* Blanks, where there are no digits: some servers would read a number that begins with 0 as an octal one. */
static void write_digits(char *digits, uint64_t number, char before)
{
    for (int i = XPL_SEQUENCE_DIGITS - 1; digits && i >= 0; i--, number /= 10)
        digits[i] = number || i == XPL_SEQUENCE_DIGITS - 1 ? (char)('0' + number % 10) : before;
}

void xpl_slot_number_headers(struct xpl_slot *slot, uint64_t sequence)
{
    write_digits(slot->sequence, sequence, '0');
    write_digits(slot->head_digits, slot->head_length, ' ');
}

/* What tells the calls of a task from those of clients. */
static enum xpl_status add_task_headers(struct xpl_slot *slot, const char *task_id, struct xpl_error *err)
{
    char id[128];
    enum xpl_status st;

    snprintf(id, sizeof id, "explaind:%.64s:%0*d", task_id, XPL_SEQUENCE_DIGITS, 0);
    if ((st = add_header(slot, "X-Explaind-Task: ", task_id, err)) ||
        (st = add_header(slot, "Seldon-Skip-Logging: ", "true", err)))
        return st;
    if ((st = add_header(slot, "Ce-Id: ", id, err)))
        return st;
    slot->sequence = last_digits(slot);
    return XPL_OK;
}

/* The library would wait for 100 Continue above 1 MiB. It would also sign a header that is only there to be left out.
 */
static enum xpl_status forbid_expect(struct xpl_slot *slot, const struct xpl_endpoint *endpoint, struct xpl_error *err)
{
    if (!endpoint->aws_region)
        return add_header(slot, "Expect:", "", err);
    curl_easy_setopt(slot->handle, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
    return XPL_OK;
}

enum xpl_status xpl_slot_add_headers(struct xpl_slot *slot, const struct xpl_endpoint *endpoint,
                                     const struct xpl_call_options *options, const struct xpl_media *media,
                                     struct xpl_error *err)
{
    enum xpl_status st;

    slot->sequence = slot->head_digits = NULL;
    if (media->tells_head && (st = add_head_length(slot, err)))
        return st;
    if (media->head_length && (st = add_header(slot, "Inference-Header-Content-Length: ", media->head_length, err)))
        return st;
    if ((st = add_header(slot, "Content-Type: ", media->content_type, err)) ||
        (st = add_header(slot, "Accept: ", media->accept, err)) || (st = forbid_expect(slot, endpoint, err)))
        return st;
    for (size_t i = 0; i < endpoint->n_headers; i++)
        if ((st = add_header(slot, endpoint->headers[i], "", err)))
            return st;
    if (endpoint->bearer && (st = add_header(slot, "Authorization: Bearer ", endpoint->bearer, err)))
        return st;
    if (options->request_id && (st = add_header(slot, "X-Global-Transaction-Id: ", options->request_id, err)))
        return st;
    if (options->traceparent && (st = add_header(slot, "traceparent: ", options->traceparent, err)))
        return st;
    return options->task_id ? add_task_headers(slot, options->task_id, err) : XPL_OK;
}

enum xpl_status xpl_transport_redress(struct xpl_slot *slot, const struct xpl_endpoint *endpoint,
                                      const struct xpl_call_options *options, const struct xpl_media *media,
                                      struct xpl_error *err)
{
    enum xpl_status st;

    curl_slist_free_all(slot->headers);
    slot->headers = NULL;
    slot->endpoint = endpoint;
    st = xpl_slot_add_headers(slot, endpoint, options, media, err);
    curl_easy_setopt(slot->handle, CURLOPT_HTTPHEADER, slot->headers);
    curl_easy_setopt(slot->handle, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(slot->handle, CURLOPT_TIMEOUT_MS, (long)options->call_timeout_ms);
    return st;
}
