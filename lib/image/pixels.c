/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image/pixels.h"

#include <math.h>

enum xpl_pixel_range xpl_pixels_range(const struct xpl_pixels *pixels, double *ret_low, double *ret_high)
{
    size_t n = xpl_pixels_count(pixels);
    double low = INFINITY, high = -INFINITY;

    if (pixels->scale.given) {
        *ret_low = fmin(pixels->scale.low[0], fmin(pixels->scale.low[1], pixels->scale.low[2]));
        *ret_high = fmax(pixels->scale.high[0], fmax(pixels->scale.high[1], pixels->scale.high[2]));
        return XPL_RANGE_GIVEN;
    }
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
    case XPL_RANGE_GIVEN:
        return "given";
    case XPL_RANGE_MIN_MAX:
        return "min_max";
    }
    return "";
}

void xpl_pixels_ends(const struct xpl_pixels *pixels, double ret_low[3], double ret_high[3])
{
    double low, high;

    xpl_pixels_range(pixels, &low, &high);
    for (size_t colour = 0; colour < 3; colour++) {
        size_t c = pixels->scale.bgr ? 2 - colour : colour;

        ret_low[c] = pixels->scale.given ? pixels->scale.low[colour] : low;
        ret_high[c] = pixels->scale.given ? pixels->scale.high[colour] : high;
    }
}

static double clamp_unit(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

double *xpl_pixels_to_rgb_unit(struct xpl_arena *arena, const struct xpl_pixels *pixels)
{
    size_t n = (size_t)pixels->height * pixels->width, channels = pixels->channels;
    double *rgb = XPL_NEW_ARRAY(arena, double, n * 3);
    double low[3], high[3], span[3];
    size_t order[3];

    if (!rgb)
        return NULL;
    xpl_pixels_ends(pixels, low, high);
    for (size_t c = 0; c < 3; c++) {
        span[c] = high[c] > low[c] ? high[c] - low[c] : 1;
        order[c] = xpl_pixels_channel(pixels, c);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++) {
            double unit = (pixels->values[i * channels + order[c]] - low[order[c]]) / span[order[c]];

            rgb[i * 3 + c] = pixels->scale.given ? clamp_unit(unit) : unit;
        }
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
