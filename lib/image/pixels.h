/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One image in memory, in the model's own units.
 */
#ifndef XPL_IMAGE_PIXELS_H
#define XPL_IMAGE_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"

#define XPL_IMAGE_MAX_SIDE 4096u

/** How the model's numbers map to 0-255 for segmentation and pictures. */
enum xpl_pixel_range {
    XPL_RANGE_UNIT,   /* [0, 1]: x 255 */
    XPL_RANGE_BYTE,   /* [0, 255]: as is */
    XPL_RANGE_SIGNED, /* [-1, 1]: (x + 1) / 2 x 255 */
    XPL_RANGE_GIVEN,  /* black and white are said: see struct xpl_pixel_scale */
    XPL_RANGE_MIN_MAX /* anything else: stretched between its own minimum and maximum; worth a warning */
};

/** What is known about the colours besides the numbers. All zero = nothing. */
struct xpl_pixel_scale {
    bool bgr;   /* the first channel is blue */
    bool given; /* black and white of each channel are these, in RGB order */
    double low[3], high[3];
};

struct xpl_pixels {
    uint32_t height, width, channels; /* channels 1, 3 or 4 (the fourth, alpha, is not looked at for colour) */
    bool integers;                    /* every number was written without fraction or exponent */
    double *values;                   /* height x width x channels, row-major, as the model gets them */
    struct xpl_pixel_scale scale;
};

static inline size_t xpl_pixels_count(const struct xpl_pixels *p)
{
    return (size_t)p->height * p->width * p->channels;
}

/** The range the values lie in. */
enum xpl_pixel_range xpl_pixels_range(const struct xpl_pixels *pixels, double *ret_low, double *ret_high);

/** Black and white of each colour channel of the image (at most 3), in its own order. */
void xpl_pixels_ends(const struct xpl_pixels *pixels, double ret_low[3], double ret_high[3]);

/** Which channel of the image is red (0), green (1) or blue (2). */
static inline size_t xpl_pixels_channel(const struct xpl_pixels *pixels, size_t colour)
{
    if (pixels->channels < 3)
        return 0;
    return pixels->scale.bgr ? 2 - colour : colour;
}

/** "unit", "byte", "signed", "given" or "min_max". */
const char *xpl_pixel_range_name(enum xpl_pixel_range range);

/** height x width x 3 bytes RGB (grey is repeated, alpha dropped), rounded to nearest; NULL without memory. */
uint8_t *xpl_pixels_to_rgb8(struct xpl_arena *arena, const struct xpl_pixels *pixels);

/** height x width x 3 doubles RGB in [0, 1], unrounded; NULL without memory. */
double *xpl_pixels_to_rgb_unit(struct xpl_arena *arena, const struct xpl_pixels *pixels);

#endif
