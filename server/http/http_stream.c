/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that are made piece by piece. A piece is made when the client has taken all of the one before, so a stream
 * never holds more than that, and a client that is slow holds up nobody. Where the next one comes from is told apart
 * here: from an API thread (http_pieces.c), or from news that are awaited (http_news.c).
 */
#include <poll.h>
#include <string.h>

#include "server/http/http_request.h"

#define NEWS_BLOCK  ((size_t)4 << 10) /* what microhttpd sends at once */
#define PIECE_BLOCK ((size_t)32 << 10)

static bool awaits_news(const struct xpl_http_request *r)
{
    return r->call.stream.subject;
}

static ssize_t send_some(struct xpl_http_request *r, char *room, size_t size)
{
    const struct xpl_buf *piece = &r->call.out;
    size_t n = piece->length - r->stream.sent < size ? piece->length - r->stream.sent : size;

    if (r->stream.sent == 0)
        xpl_http_request_enter(r, XPL_PHASE_ANSWER);
    memcpy(room, piece->data + r->stream.sent, n);
    r->stream.sent += n;
    return (ssize_t)n;
}

static ssize_t read_stream(void *arg, uint64_t position, char *room, size_t size)
{
    struct xpl_http_request *r = arg;

    (void)position;
    if (r->stream.sent == r->call.out.length && r->stream.state == XPL_STREAM_GOES_ON &&
        (awaits_news(r) ? xpl_http_news_next(r) : xpl_http_pieces_next(r)))
        return 0; /* suspended: another thread's by now */
    if (r->stream.sent < r->call.out.length)
        return send_some(r, room, size);
    if (r->stream.state == XPL_STREAM_GOES_ON)
        return 0;
    return r->stream.state == XPL_STREAM_ENDS ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

void xpl_http_stream_begin(struct xpl_http_request *r)
{
    struct xpl_error err = {0};

    if (!r->call.stream.next)
        return;
    r->stream.begun = true;
    if (awaits_news(r) ? xpl_http_news_begin(r, &err) : xpl_http_pieces_begin(r, &err))
        xpl_reply_error(&r->call, &err);
}

void xpl_http_stream_end(struct xpl_http_request *r)
{
    if (r->call.stream.end)
        r->call.stream.end(&r->call);
    if (r->stream.exporting)
        atomic_fetch_sub(&r->shared->n_exports, 1);
    if (r->stream.entered)
        xpl_streams_leave(r->shared->streams);
}

struct MHD_Response *xpl_http_stream_response(struct xpl_http_request *r)
{
    const struct xpl_streamed *stream = &r->call.stream;

    return MHD_create_response_from_callback(stream->has_length ? stream->length : MHD_SIZE_UNKNOWN,
                                             awaits_news(r) ? NEWS_BLOCK : PIECE_BLOCK, read_stream, r, NULL);
}

bool xpl_http_client_is_gone(const struct xpl_http_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->head.connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd socket = {.fd = info ? info->connect_fd : -1, .events = POLLRDHUP};

    return poll(&socket, 1, 0) > 0;
}
