/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/drawing/render.h"

#include <math.h>
#include <string.h>

#define NO_WEIGHT      1e-9
#define SHEET_GAP      8u
#define SHEET_MIN_SIDE 256u

enum xpl_status xpl_pane_of(struct xpl_arena *arena, const double *weights, uint32_t n_segments, int sign,
                            struct xpl_pane *ret, struct xpl_error *err)
{
    struct xpl_pane pane = {.shown = XPL_NEW_ARRAY(arena, bool, n_segments)};

    if (!pane.shown)
        return xpl_no_memory(err);
    for (uint32_t j = 0; j < n_segments; j++) {
        pane.shown[j] = sign > 0 ? weights[j] >= NO_WEIGHT : weights[j] <= -NO_WEIGHT;
        pane.count += pane.shown[j];
    }
    *ret = pane;
    return XPL_OK;
}

static bool all_zero(const double *weights, uint32_t n)
{
    for (uint32_t j = 0; j < n; j++)
        if (fabs(weights[j]) >= NO_WEIGHT)
            return false;
    return true;
}

enum xpl_status xpl_pane_complement(struct xpl_arena *arena, const double *weights, uint32_t n_segments,
                                    struct xpl_pane *ret, struct xpl_error *err)
{
    enum xpl_status st = xpl_pane_of(arena, weights, n_segments, 1, ret, err);

    if (st || all_zero(weights, n_segments))
        return st;
    for (uint32_t j = 0; j < n_segments; j++)
        ret->shown[j] = !ret->shown[j];
    ret->count = n_segments - ret->count;
    return XPL_OK;
}

enum xpl_status xpl_render_pane(struct xpl_arena *arena, const struct xpl_pixels *image,
                                const struct xpl_segments *segments, const struct xpl_pane *pane, uint8_t **ret_rgb,
                                struct xpl_error *err)
{
    size_t n = (size_t)image->height * image->width;
    uint8_t *rgb = xpl_pixels_to_rgb8(arena, image);

    if (!rgb)
        return xpl_no_memory(err);
    for (size_t i = 0; pane && i < n; i++)
        if (!pane->shown[segments->labels[i]])
            memset(rgb + i * 3, 0, 3);
    *ret_rgb = rgb;
    return XPL_OK;
}

/* Copies one picture, enlarged by `factor`, to (0, left) of the sheet. */
static void place(uint8_t *sheet, size_t sheet_width, size_t left, const uint8_t *picture, uint32_t height,
                  uint32_t width, uint32_t factor)
{
    for (size_t r = 0; r < (size_t)height * factor; r++) {
        const uint8_t *from = picture + r / factor * width * 3;
        uint8_t *to = sheet + (r * sheet_width + left) * 3;

        for (size_t c = 0; c < (size_t)width * factor; c++)
            memcpy(to + c * 3, from + c / factor * 3, 3);
    }
}

enum xpl_status xpl_render_sheet(struct xpl_arena *arena, const uint8_t *const *pictures, uint32_t n, uint32_t height,
                                 uint32_t width, uint8_t **ret_rgb, uint32_t *ret_height, uint32_t *ret_width,
                                 struct xpl_error *err)
{
    uint32_t side = height > width ? height : width;
    uint32_t factor = side < SHEET_MIN_SIDE ? (SHEET_MIN_SIDE + side - 1) / side : 1;
    size_t sheet_width = (size_t)n * width * factor + (size_t)(n - 1) * SHEET_GAP,
           sheet_height = (size_t)height * factor;
    uint8_t *sheet = XPL_NEW_ARRAY(arena, uint8_t, sheet_width * sheet_height * 3);

    if (!sheet)
        return xpl_no_memory(err);
    memset(sheet, 255, sheet_width * sheet_height * 3);
    for (uint32_t i = 0; i < n; i++)
        place(sheet, sheet_width, (size_t)i * (width * factor + SHEET_GAP), pictures[i], height, width, factor);
    *ret_rgb = sheet;
    *ret_height = (uint32_t)sheet_height;
    *ret_width = (uint32_t)sheet_width;
    return XPL_OK;
}
