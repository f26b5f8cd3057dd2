/* SPDX-License-Identifier: Apache-2.0 */
/* Which colour a weight has. For overlay*.c only. */
#ifndef XPL_EXPLAIN_OVERLAY_COLOURS_H
#define XPL_EXPLAIN_OVERLAY_COLOURS_H

#include "lib/explain/drawing/overlay.h"

struct xpl_colour {
    uint8_t r, g, b;
};

/** The colour of the sign of `weight`. */
struct xpl_colour xpl_colour_of(enum xpl_colour_map map, double weight);

/** The largest |weight|; at least 1e-9, so that it can be divided by. */
double xpl_largest_weight(const struct xpl_weighted_zones *zones);

/** The largest weight as a legend has it, with its sign: short, and with digits that show it; NULL without memory. */
const char *xpl_legend_text(struct xpl_arena *arena, double weight);

/** Share of the largest weight, 0 when it is left out or has no sure sign. */
double xpl_strength(const struct xpl_weighted_zones *zones, uint32_t zone, double largest, double clip);

/** What stands at a scale when no zone would have a colour, whatever `clip` is. */
#define XPL_NOTHING_SURE "no zone is surely for or against"

/** Whether any zone is surely for or against. */
bool xpl_any_sure(const struct xpl_weighted_zones *zones);

#endif
