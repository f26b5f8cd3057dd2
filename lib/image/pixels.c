/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image/pixels.h"

#include <math.h>

enum xpl_pixel_range xpl_pixels_range(const struct xpl_pixels *pixels, double *ret_low, double *ret_high)
{
    size_t n = xpl_pixels_count(pixels);
    double low = INFINITY, high = -INFINITY;

    for (size_t i = 0; i < n; i++) {
        low = pixels->values[i] < low ? pixels->values[i] : low;
        high = pixels->values[i] > high ? pixels->values[i] : high;
    }
    *ret_low = 0;
    *ret_high = 1;
    if (low >= 0 && high <= 1)
        return XPL_RANGE_UNIT;
    if (low >= 0 && high <= 255) {
        *ret_high = 255;
        return XPL_RANGE_BYTE;
    }
    if (low >= -1 && high <= 1) {
        *ret_low = -1;
        return XPL_RANGE_SIGNED;
    }
    *ret_low = low;
    *ret_high = high;
    return XPL_RANGE_MIN_MAX;
}

const char *xpl_pixel_range_name(enum xpl_pixel_range range)
{
    switch (range) {
    case XPL_RANGE_UNIT:
        return "unit";
    case XPL_RANGE_BYTE:
        return "byte";
    case XPL_RANGE_SIGNED:
        return "signed";
    case XPL_RANGE_MIN_MAX:
        return "min_max";
    }
    return "";
}

double *xpl_pixels_to_rgb_unit(struct xpl_arena *arena, const struct xpl_pixels *pixels)
{
    size_t n = (size_t)pixels->height * pixels->width, channels = pixels->channels;
    double *rgb = XPL_NEW_ARRAY(arena, double, n * 3);
    double low, high, span;

    if (!rgb)
        return NULL;
    xpl_pixels_range(pixels, &low, &high);
    span = high > low ? high - low : 1;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            rgb[i * 3 + c] = (pixels->values[i * channels + (channels >= 3 ? c : 0)] - low) / span;
    return rgb;
}

uint8_t *xpl_pixels_to_rgb8(struct xpl_arena *arena, const struct xpl_pixels *pixels)
{
    size_t n = (size_t)pixels->height * pixels->width * 3;
    double *rgb = xpl_pixels_to_rgb_unit(arena, pixels);
    uint8_t *bytes = rgb ? XPL_NEW_ARRAY(arena, uint8_t, n) : NULL;

    for (size_t i = 0; bytes && i < n; i++)
        bytes[i] = (uint8_t)lround(rgb[i] * 255);
    return bytes;
}
