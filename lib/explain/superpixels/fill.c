/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/superpixels/fill.h"

#include <math.h>

#define ALPHA       3u
#define BLUR_SHARE  0.1 /* standard deviation, of the shorter side */
#define BLUR_PASSES 3
#define GREY        0x808080u
#define VISIBLE     (1.01 / 255) /* of the range */

struct filling {
    struct xpl_arena *arena;
    const struct xpl_pixels *image;
    const struct xpl_segments *segments;
    const struct xpl_explain_params *params;
    const uint8_t *seed;
    const struct xpl_pixels *background;
    double low[3], high[3]; /* black and white of each channel */
    double *means;          /* count x channels */
    double *values;         /* height x width x channels: what is made */
};

static size_t n_pixels(const struct filling *f)
{
    return (size_t)f->image->height * f->image->width;
}

static bool find_means(struct filling *f)
{
    size_t channels = f->image->channels;

    if (!(f->means = XPL_NEW_ARRAY(f->arena, double, f->segments->count *channels)))
        return false;
    for (size_t i = 0; i < n_pixels(f); i++)
        for (size_t c = 0; c < channels; c++)
            f->means[f->segments->labels[i] * channels + c] += f->image->values[i * channels + c];
    for (size_t j = 0; j < f->segments->count; j++)
        for (size_t c = 0; c < channels; c++)
            f->means[j * channels + c] /= f->segments->segments[j].area;
    return true;
}

static void fill_with_means(struct filling *f)
{
    size_t channels = f->image->channels;

    for (size_t i = 0; i < n_pixels(f); i++)
        for (size_t c = 0; c < channels; c++)
            f->values[i * channels + c] = f->means[f->segments->labels[i] * channels + c];
}

/* 0 to 1, in the range of a channel. */
static double in_range(const struct filling *f, size_t channel, double unit)
{
    return f->low[channel] + unit * (f->high[channel] - f->low[channel]);
}

static void fill_with_colour(struct filling *f, uint32_t colour)
{
    double rgb[] = {colour >> 16 & 255, colour >> 8 & 255, colour & 255};
    double grey = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    size_t channels = f->image->channels;

    for (size_t i = 0; i < n_pixels(f); i++)
        for (size_t c = 0; c < channels && c < ALPHA; c++)
            f->values[i * channels + xpl_pixels_channel(f->image, c)] =
                in_range(f, xpl_pixels_channel(f->image, c), (channels == 1 ? grey : rgb[c]) / 255);
}

static void fill_with_noise(struct filling *f)
{
    size_t channels = f->image->channels;
    struct xpl_stream stream;

    xpl_stream_start(&stream, f->seed);
    for (size_t i = 0; i < n_pixels(f); i++)
        for (size_t c = 0; c < channels && c < ALPHA; c++)
            f->values[i * channels + c] = in_range(f, c, (double)(xpl_stream_next(&stream) >> 11) * 0x1p-53);
}

/* Mean over 2 r + 1 values, of those there are at an edge; `step` apart. */
static void box(const double *from, double *to, size_t n, size_t step, size_t r)
{
    double sum = 0;
    size_t inside = 0;

    for (size_t i = 0; i < n + r; i++) {
        if (i < n) {
            sum += from[i * step];
            inside++;
        }
        if (i > 2 * r) {
            sum -= from[(i - 2 * r - 1) * step];
            inside--;
        }
        if (i >= r)
            to[(i - r) * step] = sum / (double)inside;
    }
}

static enum xpl_status fill_with_blur(struct filling *f, struct xpl_error *err)
{
    uint32_t height = f->image->height, width = f->image->width;
    size_t channels = f->image->channels, colours = channels < ALPHA ? channels : ALPHA;
    double deviation = fmax(1, BLUR_SHARE * (height < width ? height : width));
    size_t r = (size_t)(sqrt(12 * deviation * deviation / BLUR_PASSES + 1) / 2);
    double *across = XPL_NEW_ARRAY(f->arena, double, n_pixels(f) * channels);

    if (!across)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n_pixels(f) * channels; i++)
        f->values[i] = i % channels < ALPHA ? f->image->values[i] : f->values[i];
    for (int pass = 0; pass < BLUR_PASSES; pass++) {
        for (size_t c = 0; c < colours; c++) {
            for (size_t y = 0; y < height; y++)
                box(f->values + y * width * channels + c, across + y * width * channels + c, width, channels, r);
            for (size_t x = 0; x < width; x++)
                box(across + x * channels + c, f->values + x * channels + c, height, width * channels, r);
        }
    }
    return XPL_OK;
}

static enum xpl_status fill_with_background(struct filling *f, struct xpl_error *err)
{
    const struct xpl_pixels *b = f->background;
    size_t channels = f->image->channels;

    if (!b || b->height != f->image->height || b->width != f->image->width || b->channels != channels)
        return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.background",
                              "is not an image of the same height, width and channels");
    for (size_t i = 0; i < n_pixels(f) * channels; i++)
        f->values[i] = i % channels < ALPHA ? b->values[i] : f->values[i];
    return XPL_OK;
}

static enum xpl_status fill(struct filling *f, struct xpl_error *err)
{
    fill_with_means(f);
    switch (f->params->fill) {
    case XPL_FILL_MEAN:
        break;
    case XPL_FILL_BLACK:
        fill_with_colour(f, 0);
        break;
    case XPL_FILL_COLOUR:
        fill_with_colour(f, f->params->fill_colour);
        break;
    case XPL_FILL_NOISE:
        fill_with_noise(f);
        break;
    case XPL_FILL_BLUR:
        return fill_with_blur(f, err);
    case XPL_FILL_IMAGE:
        return fill_with_background(f, err);
    }
    return XPL_OK;
}

enum xpl_status xpl_fill_image(struct xpl_arena *arena, const struct xpl_pixels *image,
                               const struct xpl_segments *segments, const struct xpl_explain_params *params,
                               const uint8_t seed[XPL_HASH_BYTES], const struct xpl_pixels *background,
                               struct xpl_pixels **ret, struct xpl_error *err)
{
    struct filling f = {
        .arena = arena, .image = image, .segments = segments, .params = params, .seed = seed, .background = background};
    struct xpl_pixels *filled = xpl_arena_copy(arena, image, sizeof *image);
    size_t n = n_pixels(&f) * image->channels;
    enum xpl_status st;

    if (!filled || !(filled->values = f.values = XPL_NEW_ARRAY(arena, double, n)) || !find_means(&f))
        return xpl_no_memory(err);
    xpl_pixels_ends(image, f.low, f.high);
    if ((st = fill(&f, err)))
        return st;
    for (size_t i = 0; image->integers && i < n; i++)
        filled->values[i] = round(filled->values[i]);
    *ret = filled;
    return XPL_OK;
}

/* ---- fills that can be seen ---- */

/* One step of 255 is rounding, or nothing that a model is known to see. */
static uint32_t count_unchanged(const struct xpl_pixels *image, const struct xpl_segments *segments,
                                const struct xpl_pixels *fill)
{
    double low[3], high[3];
    bool changed[XPL_MAX_SEGMENTS] = {false};
    uint32_t n = 0;

    xpl_pixels_ends(image, low, high);
    for (size_t i = 0; i < xpl_pixels_count(image); i++) {
        size_t channel = i % image->channels < 3 ? i % image->channels : 0; /* alpha has the range of a colour */

        if (fabs(fill->values[i] - image->values[i]) > fabs(high[channel] - low[channel]) * VISIBLE)
            changed[segments->labels[i / image->channels]] = true;
    }
    for (uint32_t j = 0; j < segments->count; j++)
        n += !changed[j];
    return n;
}

/* The next one to try; false when there is none. */
static bool replace(struct xpl_explain_params *params)
{
    switch (params->fill) {
    case XPL_FILL_MEAN:
    case XPL_FILL_BLUR:
        params->fill = XPL_FILL_COLOUR;
        params->fill_colour = GREY;
        return true;
    case XPL_FILL_COLOUR:
        params->fill = XPL_FILL_BLACK;
        return true;
    case XPL_FILL_BLACK:
    case XPL_FILL_NOISE:
    case XPL_FILL_IMAGE:
        break;
    }
    return false;
}

enum xpl_status xpl_fill_visible(struct xpl_arena *arena, const struct xpl_pixels *image,
                                 const struct xpl_segments *segments, struct xpl_explain_params *params,
                                 const uint8_t seed[XPL_HASH_BYTES], const struct xpl_pixels *background,
                                 struct xpl_pixels **ret, struct xpl_fill_effect *effect, struct xpl_error *err)
{
    struct xpl_explain_params asked = *params;
    char text[XPL_FILL_TEXT_SIZE];
    enum xpl_status st;

    if (!effect->replaced)
        effect->asked = asked.fill;
    do {
        if ((st = xpl_fill_image(arena, image, segments, params, seed, background, ret, err)))
            return st;
        effect->n_unchanged = count_unchanged(image, segments, *ret);
        if (effect->n_unchanged < segments->count)
            return XPL_OK;
        effect->replaced = effect->asked == XPL_FILL_MEAN || effect->asked == XPL_FILL_BLUR;
    } while (effect->replaced && replace(params));
    return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.fill",
                          "hiding with \"%s\" changes nothing in this image; use another fill",
                          xpl_fill_text(&asked, text));
}
