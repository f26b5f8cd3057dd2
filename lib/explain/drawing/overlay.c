/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/drawing/overlay.h"

#include <math.h>
#include <string.h>

#include "lib/explain/drawing/overlay_colours.h"

#define NO_WEIGHT 1e-9
#define FADED     0.82 /* how much white there is in what does not speak for the class */

/* ---- colours ---- */

struct xpl_colour xpl_colour_of(enum xpl_colour_map map, double weight)
{
    static const struct xpl_colour colours[][2] = {
        [XPL_MAP_BLUE_ORANGE] = {{43, 87, 186}, {230, 97, 1}}, [XPL_MAP_GREEN_PURPLE] = {{0, 136, 55}, {123, 50, 148}}};

    return colours[map][weight < 0];
}

double xpl_largest_weight(const struct xpl_weighted_zones *zones)
{
    double largest = NO_WEIGHT;

    for (uint32_t j = 0; j < zones->segments->count; j++)
        largest = fmax(largest, fabs(zones->weights[j]));
    return largest;
}

static bool is_tiny(double weight)
{
    return fabs(weight) > NO_WEIGHT && fabs(weight) < 0.01;
}

int xpl_weight_decimals(double largest)
{
    return is_tiny(largest) ? 2 - (int)floor(log10(largest)) : 4;
}

const char *xpl_legend_text(struct xpl_arena *arena, double weight)
{
    return is_tiny(weight) ? xpl_arena_printf(arena, "%+.2g", weight) : xpl_arena_printf(arena, "%+.3f", weight);
}

double xpl_strength(const struct xpl_weighted_zones *zones, uint32_t zone, double largest, double clip)
{
    double weight = zones->weights[zone], share = fabs(weight) / largest;
    bool sure = !zones->low || zones->low[zone] > 0 || zones->high[zone] < 0;

    return !sure || fabs(weight) < NO_WEIGHT || share < clip ? 0 : share;
}

bool xpl_any_sure(const struct xpl_weighted_zones *zones)
{
    double largest = xpl_largest_weight(zones);

    for (uint32_t j = 0; j < zones->segments->count; j++)
        if (xpl_strength(zones, j, largest, 0) > 0)
            return true;
    return false;
}

static uint8_t mixed(uint8_t from, uint8_t to, double share)
{
    return (uint8_t)nearbyint(from + (to - from) * share);
}

static void mix(uint8_t *pixel, struct xpl_colour colour, double share)
{
    pixel[0] = mixed(pixel[0], colour.r, share);
    pixel[1] = mixed(pixel[1], colour.g, share);
    pixel[2] = mixed(pixel[2], colour.b, share);
}

/* ---- pictures ---- */

static size_t n_pixels(const struct xpl_weighted_zones *zones)
{
    return (size_t)zones->image->height * zones->image->width;
}

/* Luminance (BT.601). */
static void turn_grey(uint8_t *rgb, size_t n)
{
    for (size_t i = 0; i < n; i++, rgb += 3) {
        uint8_t grey = (uint8_t)nearbyint(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]);

        memset(rgb, grey, 3);
    }
}

enum xpl_status xpl_overlay_backdrop(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                     const struct xpl_overlay *style, uint8_t **ret_rgb, struct xpl_error *err)
{
    uint8_t *rgb = xpl_pixels_to_rgb8(arena, zones->image);

    if (!rgb)
        return xpl_no_memory(err);
    if (style->backdrop == XPL_BACKDROP_GREY)
        turn_grey(rgb, n_pixels(zones));
    else if (style->backdrop == XPL_BACKDROP_BLACK)
        memset(rgb, 0, n_pixels(zones) * 3);
    *ret_rgb = rgb;
    return XPL_OK;
}

void xpl_overlay_shares(const struct xpl_weighted_zones *zones, const struct xpl_overlay *style, bool even, double *ret)
{
    double largest = xpl_largest_weight(zones);

    for (uint32_t j = 0; j < zones->segments->count; j++) {
        double strength = xpl_strength(zones, j, largest, style->clip);

        ret[j] = style->alpha * (even ? strength > 0 : strength);
    }
}

/* `even`: all zones that have a weight get the full colour. Over nothing a colour is whole, and the rest is alpha. */
static enum xpl_status tint(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                            const struct xpl_overlay *style, bool even, uint8_t **ret_rgb, struct xpl_error *err)
{
    double shares[XPL_MAX_SEGMENTS];
    enum xpl_status st = xpl_overlay_backdrop(arena, zones, style, ret_rgb, err);

    if (st)
        return st;
    xpl_overlay_shares(zones, style, even, shares);
    for (uint32_t j = 0; style->backdrop == XPL_BACKDROP_TRANSPARENT && j < zones->segments->count; j++)
        shares[j] = shares[j] > 0;
    for (size_t i = 0; i < n_pixels(zones); i++) {
        uint16_t zone = zones->segments->labels[i];

        mix(*ret_rgb + i * 3, xpl_colour_of(style->map, zones->weights[zone]), shares[zone]);
    }
    return XPL_OK;
}

enum xpl_status xpl_overlay_heatmap(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                    const struct xpl_overlay *style, uint8_t **ret_rgb, struct xpl_error *err)
{
    return tint(arena, zones, style, false, ret_rgb, err);
}

enum xpl_status xpl_overlay_signs(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                  const struct xpl_overlay *style, uint8_t **ret_rgb, struct xpl_error *err)
{
    return tint(arena, zones, style, true, ret_rgb, err);
}

enum xpl_status xpl_overlay_masked(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                   const struct xpl_overlay *style, uint8_t **ret_rgb, struct xpl_error *err)
{
    static const struct xpl_colour white = {255, 255, 255};
    double largest = xpl_largest_weight(zones);
    enum xpl_status st = xpl_overlay_backdrop(arena, zones, style, ret_rgb, err);

    if (st)
        return st;
    for (size_t i = 0; i < n_pixels(zones); i++) {
        uint16_t zone = zones->segments->labels[i];

        if (zones->weights[zone] <= 0 || xpl_strength(zones, zone, largest, style->clip) <= 0)
            mix(*ret_rgb + i * 3, white, FADED);
    }
    return XPL_OK;
}

enum xpl_status xpl_overlay_enlarge(struct xpl_arena *arena, const uint8_t *rgb, uint32_t height, uint32_t width,
                                    uint32_t scale, uint8_t **ret_rgb, struct xpl_error *err)
{
    size_t rows = (size_t)height * scale, columns = (size_t)width * scale;
    uint8_t *to = XPL_NEW_ARRAY(arena, uint8_t, rows * columns * 3);

    if (!to)
        return xpl_no_memory(err);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            memcpy(to + (r * columns + c) * 3, rgb + (r / scale * width + c / scale) * 3, 3);
    *ret_rgb = to;
    return XPL_OK;
}

enum xpl_status xpl_overlay_alpha(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                  const double *opacity, uint32_t scale, uint8_t **ret_alpha, struct xpl_error *err)
{
    size_t rows = (size_t)zones->image->height * scale, columns = (size_t)zones->image->width * scale;
    uint8_t *alpha = XPL_NEW_ARRAY(arena, uint8_t, rows * columns);

    if (!alpha)
        return xpl_no_memory(err);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            alpha[r * columns + c] =
                (uint8_t)nearbyint(255 * opacity[zones->segments->labels[r / scale * zones->image->width + c / scale]]);
    *ret_alpha = alpha;
    return XPL_OK;
}

/* ---- borders ---- */

/* Whether the enlarged pixel (row, column) lies within `thick` of a pixel of another zone. */
static bool is_border(const struct xpl_weighted_zones *zones, size_t row, size_t column, uint32_t scale, size_t thick)
{
    size_t width = zones->image->width, rows = (size_t)zones->image->height * scale, columns = width * scale;
    size_t top = row < thick ? 0 : row - thick, bottom = row + thick < rows ? row + thick : rows - 1;
    size_t left = column < thick ? 0 : column - thick, right = column + thick < columns ? column + thick : columns - 1;
    const uint16_t *labels = zones->segments->labels;
    uint16_t own = labels[row / scale * width + column / scale];

    return labels[top / scale * width + column / scale] != own ||
           labels[bottom / scale * width + column / scale] != own ||
           labels[row / scale * width + left / scale] != own || labels[row / scale * width + right / scale] != own;
}

void xpl_overlay_borders(const struct xpl_weighted_zones *zones, const struct xpl_overlay *style, uint32_t scale,
                         uint8_t *rgb, uint8_t *alpha)
{
    static const struct xpl_colour none = {255, 255, 255};
    size_t rows = (size_t)zones->image->height * scale, columns = (size_t)zones->image->width * scale;
    double largest = xpl_largest_weight(zones);
    size_t thick = scale > 3 ? scale / 2 : 1;

    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            uint16_t zone = zones->segments->labels[r / scale * zones->image->width + c / scale];
            bool coloured = xpl_strength(zones, zone, largest, style->clip) > 0;

            if (!is_border(zones, r, c, scale, thick))
                continue;
            mix(rgb + (r * columns + c) * 3, coloured ? xpl_colour_of(style->map, zones->weights[zone]) : none,
                coloured ? 1 : 0.5);
            if (alpha)
                alpha[r * columns + c] = 255;
        }
    }
}
