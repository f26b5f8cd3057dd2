/* SPDX-License-Identifier: Apache-2.0 */
/* A body as the sequence of its pieces, none of which is copied before it is asked for. */
#include <stdio.h>

#include "lib/scoring/requests/splice_rows.h"

enum step {
    HEAD,
    HEAD_COUNT,
    HEAD_REST,
    ROW_HEAD,
    ROW_IMAGE,
    ROW_TAIL,
    SEPARATOR,
    TAIL,
    TAIL_COUNT,
    TAIL_REST,
    END
};

bool xpl_splice_streams(const struct xpl_splicer *splicer, enum xpl_body_form form)
{
    return form == XPL_BODY_JSON && !splicer->picture;
}

void xpl_splice_begin(struct xpl_splice_stream *stream, const struct xpl_splicer *splicer, const uint64_t *masks,
                      size_t n)
{
    *stream = (struct xpl_splice_stream){.splicer = splicer, .masks = masks, .n = n, .step = HEAD};
    snprintf(stream->count, sizeof stream->count, "%u", (unsigned)n);
}

static struct xpl_text count_of(const struct xpl_splice_stream *stream, const struct xpl_splice_part *part)
{
    return part->count ? xpl_text_of(stream->count) : (struct xpl_text){0};
}

/* The piece of a step; the step becomes the next one. */
static struct xpl_text piece_of(struct xpl_splice_stream *stream)
{
    const struct xpl_splicer *s = stream->splicer;

    switch ((enum step)stream->step++) {
    case HEAD:
        return s->head.before;
    case HEAD_COUNT:
        return count_of(stream, &s->head);
    case HEAD_REST:
        return s->head.after;
    case ROW_HEAD:
        stream->run = 0;
        return s->row_head;
    case ROW_IMAGE:
        return xpl_splice_picture_text(s->picture, stream->masks[stream->row]); /* numbers: put_numbers */
    case ROW_TAIL:
        stream->step = ++stream->row < stream->n ? SEPARATOR : TAIL;
        return s->row_tail;
    case SEPARATOR:
        stream->step = ROW_HEAD;
        return xpl_text_of(XPL_ROW_SEPARATOR);
    case TAIL:
        return s->tail.before;
    case TAIL_COUNT:
        return count_of(stream, &s->tail);
    case TAIL_REST:
        return s->tail.after;
    case END:
        break;
    }
    stream->step = END;
    return (struct xpl_text){0};
}

static char *put_numbers(struct xpl_splice_stream *stream, char *at, const char *end)
{
    at = xpl_splice_numbers_put(stream->splicer->numbers, stream->masks[stream->row], &stream->run, at, end,
                                &stream->piece);
    if (stream->piece.length == 0)
        stream->step = ROW_TAIL;
    return at;
}

/* Up to `end` what is left of a piece. */
static char *put_rest(struct xpl_splice_stream *stream, char *at, const char *end)
{
    size_t room = (size_t)(end - at), n = stream->piece.length < room ? stream->piece.length : room;

    at = xpl_put(at, stream->piece.ptr, n);
    stream->piece = (struct xpl_text){stream->piece.ptr + n, stream->piece.length - n};
    return at;
}

size_t xpl_splice_read(struct xpl_splice_stream *stream, char *out, size_t size)
{
    char *at = out, *end = out + size;

    while (at < end && (stream->piece.length || stream->step != END)) {
        if (stream->piece.length)
            at = put_rest(stream, at, end);
        else if (stream->step == ROW_IMAGE && !stream->splicer->picture)
            at = put_numbers(stream, at, end);
        else
            stream->piece = piece_of(stream);
    }
    return (size_t)(at - out);
}
