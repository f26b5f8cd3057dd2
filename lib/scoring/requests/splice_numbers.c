/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/scoring/requests/number_text.h"
#include "lib/scoring/requests/splice_rows.h"

#define MAX_NUMBER_TEXT   32
#define MAX_EXACT_INTEGER 9007199254740992.0
#define MAX_FILL_BYTES    ((size_t)256 << 20)
#define MAX_CHANNELS      4u

/* Neighbouring numbers of one superpixel, with the separator behind them: up to where the next run begins. */
struct run {
    size_t on, off; /* in the image's own text, and in the fill's */
    uint32_t segment;
};

struct xpl_splice_numbers {
    const char *image; /* the image's own text */
    const char *fill;
    struct run *runs; /* n_runs, and one more where they end */
    size_t n_runs, max;
    size_t on_length[XPL_SPLICE_SEGMENTS], off_length[XPL_SPLICE_SEGMENTS]; /* of each superpixel */
};

/* The fill of one superpixel mostly is one colour: a channel's text is kept until it changes. */
struct written {
    double value;
    char text[MAX_NUMBER_TEXT];
    size_t length; /* 0 = nothing yet */
};

struct building {
    struct xpl_arena *scratch; /* for what only the building needs */
    const struct xpl_splice_source *source;
    const struct xpl_request_image *image;
    const char *text, *end;
    const size_t *offsets; /* of every number, and behind them the end of the text */
    size_t n, plane;
    struct xpl_buf *fill_text;
    struct written *written; /* by label and channel */
};

static size_t pixel_of(const struct building *b, size_t i)
{
    return b->image->form == XPL_FORM_CHW ? i % b->plane : i / b->image->channels;
}

static size_t channel_of(const struct building *b, size_t i)
{
    return b->image->form == XPL_FORM_CHW ? i / b->plane : i % b->image->channels;
}

static uint16_t label_of(const struct building *b, size_t i)
{
    return b->source->labels[pixel_of(b, i)];
}

static bool find_numbers(struct building *b)
{
    size_t *offsets = XPL_NEW_ARRAY(b->scratch, size_t, b->n + 1);
    const char *at = b->text;

    if (!offsets)
        return false;
    for (size_t i = 0; i < b->n; i++) {
        at = xpl_find_number(at, b->end);
        offsets[i] = (size_t)(at - b->text);
        at = xpl_number_end(at, b->end);
    }
    offsets[b->n] = b->image->length;
    b->offsets = offsets;
    return true;
}

/* The shortest text that reads back as the same number. */
static void print_number(double value, bool integer, struct written *out)
{
    out->value = value;
    if (integer && fabs(value) <= MAX_EXACT_INTEGER) {
        double whole = round(value);

        out->length = (size_t)snprintf(out->text, MAX_NUMBER_TEXT, "%.0f", whole == 0 ? 0.0 : whole);
        return;
    }
    /* a text of at most 15 digits that reads back is what 15 digits print, without trailing zeros */
    for (int digits = 15; digits <= 17; digits++) {
        out->length = (size_t)snprintf(out->text, MAX_NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(out->text, NULL) == value)
            return;
    }
}

/* Writes the fill's number in the place of the i-th, and what stands behind it in the image's own text. */
static void add_number(const struct building *b, size_t i)
{
    const struct xpl_pixels *fill = b->source->fill;
    size_t pixel = pixel_of(b, i), channel = channel_of(b, i);
    struct written *w = &b->written[b->source->labels[pixel] * MAX_CHANNELS + channel];
    double value = fill->values[pixel * fill->channels + channel];
    const char *behind = xpl_number_end(b->text + b->offsets[i], b->end);

    if (!w->length || memcmp(&w->value, &value, sizeof value) != 0)
        print_number(value, fill->integers, w);
    xpl_buf_append(b->fill_text, w->text, w->length);
    xpl_buf_append(b->fill_text, behind, b->offsets[i + 1] - (size_t)(behind - b->text));
}

static size_t count_runs(const struct building *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += i == 0 || label_of(b, i) != label_of(b, i - 1);
    return n;
}

static void make_runs(const struct building *b, struct xpl_splice_numbers *numbers)
{
    for (size_t from = 0, to; from < b->n; from = to) {
        struct run *run = &numbers->runs[numbers->n_runs++];
        uint16_t label = label_of(b, from);

        *run = (struct run){.on = b->offsets[from], .off = b->fill_text->length, .segment = label};
        for (to = from; to < b->n && label_of(b, to) == label; to++)
            add_number(b, to);
        numbers->on_length[label] += b->offsets[to] - run->on;
        numbers->off_length[label] += b->fill_text->length - run->off;
    }
    numbers->runs[numbers->n_runs] = (struct run){.on = b->offsets[b->n], .off = b->fill_text->length};
    for (uint32_t j = 0; j < b->source->n_segments; j++)
        numbers->max += numbers->on_length[j] > numbers->off_length[j] ? numbers->on_length[j] : numbers->off_length[j];
}

enum xpl_status xpl_splice_numbers_new(const struct xpl_splice_source *source, struct xpl_splice_numbers **ret,
                                       size_t *ret_lead, struct xpl_error *err)
{
    const struct xpl_request_image *image = &source->request->images[source->index];
    const char *text = source->request->text.ptr + image->offset;
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(MAX_FILL_BYTES);
    XPL_AUTO(xpl_buf) fill_text = xpl_buf_new(MAX_FILL_BYTES);
    struct xpl_splice_numbers *numbers = XPL_NEW(source->arena, struct xpl_splice_numbers);
    struct building b = {.scratch = scratch,
                         .source = source,
                         .image = image,
                         .text = text,
                         .end = text + image->length,
                         .n = xpl_pixels_count(source->fill),
                         .plane = (size_t)image->height * image->width,
                         .fill_text = fill_text};

    if (!numbers || !scratch || !fill_text || !find_numbers(&b) ||
        !(b.written = XPL_NEW_ARRAY(scratch, struct written, source->n_segments * MAX_CHANNELS)) ||
        !(numbers->runs = XPL_NEW_ARRAY(source->arena, struct run, count_runs(&b) + 1)))
        return xpl_no_memory(err);
    make_runs(&b, numbers);
    numbers->image = text;
    numbers->fill = xpl_arena_copy(source->arena, fill_text->data, fill_text->length);
    if (fill_text->failed || !numbers->fill)
        return xpl_no_memory(err);
    *ret_lead = b.offsets[0];
    *ret = numbers;
    return XPL_OK;
}

size_t xpl_splice_numbers_max(const struct xpl_splice_numbers *numbers)
{
    return numbers->max;
}

static bool is_on(uint64_t mask, const struct run *run)
{
    return mask >> run->segment & 1u;
}

size_t xpl_splice_numbers_length(const struct xpl_splice_numbers *numbers, uint64_t mask)
{
    size_t length = 0;

    for (size_t j = 0; j < XPL_SPLICE_SEGMENTS; j++)
        length += mask >> j & 1u ? numbers->on_length[j] : numbers->off_length[j];
    return length;
}

/* Runs of the same state lie side by side in their text: one piece, and the run behind it. */
static const struct run *take_piece(const struct xpl_splice_numbers *numbers, uint64_t mask, const struct run *run,
                                    struct xpl_text *ret)
{
    const struct run *first = run, *end = &numbers->runs[numbers->n_runs];
    bool on = is_on(mask, first);

    do
        run++;
    while (run != end && is_on(mask, run) == on);
    *ret = on ? (struct xpl_text){numbers->image + first->on, run->on - first->on}
              : (struct xpl_text){numbers->fill + first->off, run->off - first->off};
    return run;
}

char *xpl_splice_numbers_put(const struct xpl_splice_numbers *numbers, uint64_t mask, size_t *run, char *at,
                             const char *end, struct xpl_text *ret_rest)
{
    const struct run *next = &numbers->runs[*run], *last = &numbers->runs[numbers->n_runs];
    struct xpl_text piece = {0};

    while (next != last && piece.length == 0) {
        size_t room = (size_t)(end - at), n;

        next = take_piece(numbers, mask, next, &piece);
        n = piece.length < room ? piece.length : room;
        at = xpl_put(at, piece.ptr, n);
        piece = (struct xpl_text){piece.ptr + n, piece.length - n};
    }
    *run = (size_t)(next - numbers->runs);
    *ret_rest = piece;
    return at;
}
