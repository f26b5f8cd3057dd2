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
static void draw_bar(const struct xpl_overlay *style, bool even, uint32_t width, uint8_t *rgb)
{
    uint32_t length = width - 2 * MARGIN;

    for (uint32_t x = 0; x < length; x++) {
        double weight = 2.0 * x / (length - 1) - 1;
        struct xpl_colour colour = xpl_colour_of(style->map, weight);
        double share = style->alpha * (even ? 1 : fabs(weight) < style->clip ? 0 : fabs(weight));
        uint8_t pixel[] = {(uint8_t)nearbyint(255 + (colour.r - 255) * share),
                           (uint8_t)nearbyint(255 + (colour.g - 255) * share),
                           (uint8_t)nearbyint(255 + (colour.b - 255) * share)};

        for (uint32_t y = BAR_TOP; y < BAR_TOP + BAR; y++)
            memcpy(rgb + ((size_t)y * width + MARGIN + x) * 3, pixel, sizeof pixel);
    }
}

/* What stands below the bar: at its left, its middle and its right. */
struct words {
    const char *left, *middle, *right;
};

static enum xpl_status choose_words(struct xpl_arena *arena, const struct xpl_weighted_zones *zones, bool even,
                                    struct words *ret, struct xpl_error *err)
{
    double largest = xpl_largest_weight(zones);
    const char *against = xpl_legend_text(arena, -largest), *with = xpl_legend_text(arena, largest);

    if (!against || !with)
        return xpl_no_memory(err);
    *ret = (struct words){"against", "0", "for"};
    if (!xpl_any_sure(zones))
        *ret = (struct words){XPL_NOTHING_SURE, "", ""};
    else if (!even)
        *ret = (struct words){xpl_arena_printf(arena, "%s against", against), "0",
                              xpl_arena_printf(arena, "for %s", with)};
    return ret->left && ret->right ? XPL_OK : xpl_no_memory(err);
}

enum xpl_status xpl_overlay_legend(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                   const struct xpl_overlay *style, bool even, uint32_t width, uint8_t **ret_rgb,
                                   uint32_t *ret_height, struct xpl_error *err)
{
    XPL_AUTO(xpl_lettering) letters = NULL;
    uint8_t *rgb = XPL_NEW_ARRAY(arena, uint8_t, (size_t)HEIGHT * width * 3);
    struct words words = {"", "", ""};
    enum xpl_status st;

    if (!rgb)
        return xpl_no_memory(err);
    if ((st = choose_words(arena, zones, even, &words, err)) || (st = xpl_lettering_open(LETTERS, &letters, err)))
        return st;
    memset(rgb, 255, (size_t)HEIGHT * width * 3);
    draw_bar(style, even, width, rgb);
    xpl_lettering_draw(letters, words.left, MARGIN, BASE, GREY, rgb, HEIGHT, width);
    xpl_lettering_draw(letters, words.middle, (int32_t)(width - xpl_lettering_width(letters, words.middle)) / 2, BASE,
                       GREY, rgb, HEIGHT, width);
    xpl_lettering_draw(letters, words.right, (int32_t)(width - MARGIN - xpl_lettering_width(letters, words.right)),
                       BASE, GREY, rgb, HEIGHT, width);
    *ret_rgb = rgb;
    *ret_height = HEIGHT;
    return XPL_OK;
}
