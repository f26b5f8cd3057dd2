/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/hash.h"
#include "lib/explain/drawing/overlay.h"
#include "lib/explain/drawing/overlay_colours.h"
#include "lib/image/encode.h"

#define LEGEND_WIDTH 92u
#define LEGEND_STEPS 20

/* A zone as rectangles, one for each run of its pixels in a row. */
static void append_path(struct xpl_buf *out, const struct xpl_segments *segments, uint32_t zone)
{
    for (uint32_t r = 0; r < segments->height; r++) {
        const uint16_t *row = segments->labels + (size_t)r * segments->width;

        for (uint32_t c = 0; c < segments->width; c++) {
            uint32_t start = c;

            while (c < segments->width && row[c] == zone)
                c++;
            if (c > start)
                xpl_buf_printf(out, "M%u %uh%uv1h-%uz", start, r, c - start, c - start);
        }
    }
}

static void append_zone(struct xpl_buf *out, const struct xpl_weighted_zones *zones, const struct xpl_overlay *style,
                        double largest, uint32_t zone)
{
    double weight = zones->weights[zone], strength = xpl_strength(zones, zone, largest, style->clip);
    struct xpl_colour colour = xpl_colour_of(style->map, weight);
    int decimals = xpl_weight_decimals(largest);

    xpl_buf_printf(out, "<path fill=\"rgb(%u,%u,%u)\" fill-opacity=\"%.3f\" d=\"", colour.r, colour.g, colour.b,
                   style->alpha * strength);
    append_path(out, zones->segments, zone);
    xpl_buf_printf(out, "\"><title>zone %u: %+.*f (%+.*f to %+.*f)</title></path>\n", zone, decimals, weight, decimals,
                   zones->low[zone], decimals, zones->high[zone]);
}

static void append_nothing_sure(struct xpl_buf *out, double left)
{
    xpl_buf_printf(out,
                   "<text x=\"%.1f\" y=\"12\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">"
                   "<tspan>no zone is</tspan><tspan x=\"%.1f\" dy=\"15\">surely for</tspan>"
                   "<tspan x=\"%.1f\" dy=\"15\">or against</tspan></text>\n",
                   left, left, left);
}

/* A bar from the largest weight for the class to the largest against it; `most` NULL: no zone is surely either. */
static void append_legend(struct xpl_buf *out, const struct xpl_overlay *style, const char *most, const char *least,
                          double left, double height)
{
    double step = height / (2 * LEGEND_STEPS + 1);

    for (int i = -LEGEND_STEPS; i <= LEGEND_STEPS; i++) {
        struct xpl_colour colour = xpl_colour_of(style->map, -i);
        double share = (double)(i < 0 ? -i : i) / LEGEND_STEPS;

        xpl_buf_printf(out,
                       "<rect x=\"%.1f\" y=\"%.2f\" width=\"14\" height=\"%.2f\" fill=\"rgb(%u,%u,%u)\" "
                       "fill-opacity=\"%.3f\"/>\n",
                       left, (i + LEGEND_STEPS) * step, step + 0.1, colour.r, colour.g, colour.b, style->alpha * share);
    }
    if (!most) {
        append_nothing_sure(out, left + 20);
        return;
    }
    xpl_buf_printf(out,
                   "<g font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">"
                   "<text x=\"%.1f\" y=\"12\">%s</text><text x=\"%.1f\" y=\"%.1f\">0</text>"
                   "<text x=\"%.1f\" y=\"%.1f\">%s</text></g>\n",
                   left + 20, most, left + 20, height / 2 + 4, left + 20, height - 3, least);
}

enum xpl_status xpl_overlay_svg(struct xpl_arena *arena, const struct xpl_weighted_zones *zones,
                                const struct xpl_overlay *style, uint32_t scale, bool legend, struct xpl_buf *out,
                                struct xpl_error *err)
{
    uint32_t height = zones->image->height, width = zones->image->width;
    double largest = xpl_largest_weight(zones);
    uint8_t *rgb, *png;
    size_t length;
    const char *most, *least;
    char *base64;
    enum xpl_status st;

    if ((st = xpl_overlay_backdrop(arena, zones, style, &rgb, err)) ||
        (st = xpl_encode_png(arena, rgb, height, width, &png, &length, err)))
        return st;
    if (!(base64 = xpl_base64(arena, png, length)) || !(most = xpl_legend_text(arena, largest)) ||
        !(least = xpl_legend_text(arena, -largest)))
        return xpl_no_memory(err);
    xpl_buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\">\n",
                   width * scale + (legend ? LEGEND_WIDTH : 0), height * scale);
    xpl_buf_printf(out,
                   "<g transform=\"scale(%u)\" shape-rendering=\"crispEdges\">\n"
                   "<image width=\"%u\" height=\"%u\" image-rendering=\"pixelated\" href=\"data:image/png;base64,",
                   scale, width, height);
    xpl_buf_string(out, base64);
    xpl_buf_string(out, "\"/>\n");
    for (uint32_t j = 0; j < zones->segments->count; j++)
        append_zone(out, zones, style, largest, j);
    xpl_buf_string(out, "</g>\n");
    if (legend)
        append_legend(out, style, xpl_any_sure(zones) ? most : NULL, least, (double)width * scale + 12,
                      (double)height * scale);
    xpl_buf_string(out, "</svg>\n");
    return out->failed ? xpl_no_memory(err) : XPL_OK;
}
