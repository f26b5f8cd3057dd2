/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "lib/explain/drawing/overlay.h"
#include "lib/explain/drawing/overlay_colours.h"
#include "lib/image/lettering.h"

#define LETTERS 12u /* pixels */
#define HEIGHT  44u
#define MARGIN  10u
#define BAR_TOP 8u
#define BAR     12u
#define BASE    35
#define GREY    40

/* From the largest weight against the class to the largest for it, on white as on the strongest zone. */
static void draw_bar(const struct xpl_overlay *style, uint32_t width, uint8_t *rgb)
{
    uint32_t length = width - 2 * MARGIN;

    for (uint32_t x = 0; x < length; x++) {
        double weight = 2.0 * x / (length - 1) - 1;
        struct xpl_colour colour = xpl_colour_of(style->map, weight);
        double share = style->alpha * (fabs(weight) < style->clip ? 0 : fabs(weight));
        uint8_t pixel[] = {(uint8_t)nearbyint(255 + (colour.r - 255) * share),
                           (uint8_t)nearbyint(255 + (colour.g - 255) * share),
                           (uint8_t)nearbyint(255 + (colour.b - 255) * share)};

        for (uint32_t y = BAR_TOP; y < BAR_TOP + BAR; y++)
            memcpy(rgb + ((size_t)y * width + MARGIN + x) * 3, pixel, sizeof pixel);
    }
}

enum xpl_status xpl_overlay_legend(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                   const struct xpl_overlay *style, uint32_t width, uint8_t **ret_rgb,
                                   uint32_t *ret_height, struct xpl_error *err)
{
    XPL_AUTO(xpl_lettering) letters = NULL;
    uint8_t *rgb = XPL_NEW_ARRAY(arena, uint8_t, (size_t)HEIGHT * width * 3);
    double largest = xpl_largest_weight(zones);
    const char *against = xpl_legend_text(arena, -largest), *with = xpl_legend_text(arena, largest);
    const char *low = against ? xpl_arena_printf(arena, "%s against", against) : NULL;
    const char *high = with ? xpl_arena_printf(arena, "for %s", with) : NULL;
    enum xpl_status st;

    if (!rgb || !low || !high)
        return xpl_no_memory(err);
    if ((st = xpl_lettering_open(LETTERS, &letters, err)))
        return st;
    memset(rgb, 255, (size_t)HEIGHT * width * 3);
    draw_bar(style, width, rgb);
    xpl_lettering_draw(letters, low, MARGIN, BASE, GREY, rgb, HEIGHT, width);
    xpl_lettering_draw(letters, "0", (int32_t)(width - xpl_lettering_width(letters, "0")) / 2, BASE, GREY, rgb, HEIGHT,
                       width);
    xpl_lettering_draw(letters, high, (int32_t)(width - MARGIN - xpl_lettering_width(letters, high)), BASE, GREY, rgb,
                       HEIGHT, width);
    *ret_rgb = rgb;
    *ret_height = HEIGHT;
    return XPL_OK;
}
