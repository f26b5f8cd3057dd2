/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/label_map.h"
#include "api/explanations/picture.h"
#include "lib/explain/drawing/overlay_colours.h"

static json_t *zone_view(const struct xpl_weighted_zones *zones, const struct xpl_picture_query *q, double largest,
                         uint32_t zone)
{
    double weight = zones->weights[zone], strength = xpl_strength(zones, zone, largest, q->overlay.clip);
    struct xpl_colour colour = xpl_colour_of(q->overlay.map, weight);
    json_t *view =
        json_pack("{s:I, s:f, s:s, s:f, s:o}", "id", (json_int_t)zone, "weight", weight, "sign",
                  strength <= 0 ? "none"
                  : weight > 0  ? "positive"
                                : "negative",
                  "strength", strength, "colour", json_sprintf("#%02x%02x%02x", colour.r, colour.g, colour.b));

    if (view && zones->low)
        json_object_set_new(view, "interval", json_pack("[f, f]", zones->low[zone], zones->high[zone]));
    return view;
}

json_t *xpl_picture_json(const struct xpl_picture *picture, const struct xpl_picture_query *query)
{
    const struct xpl_segments *segments = &picture->segments;
    struct xpl_weighted_zones zones = {picture->image, segments, picture->weights, picture->low, picture->high};
    double largest = xpl_largest_weight(&zones);
    json_t *list = json_array();

    for (uint32_t j = 0; j < segments->count; j++)
        json_array_append_new(list, zone_view(&zones, query, largest, j));
    return json_pack("{s:s, s:I, s:I, s:f, s:f, s:o, s:{s:s, s:s, s:o}}", "pane", xpl_picture_query_pane(query),
                     "height", (json_int_t)segments->height, "width", (json_int_t)segments->width, "largest_weight",
                     largest, "alpha", query->overlay.alpha, "zones", list, "labels", "encoding", "rle", "order",
                     "row-major", "runs", xpl_label_runs(segments->labels, (size_t)segments->height * segments->width));
}
