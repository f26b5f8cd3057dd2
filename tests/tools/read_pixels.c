/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/read_pixels.h"

#include <inttypes.h>

struct xpl_pixels *read_pixels(struct xpl_arena *arena, FILE *file)
{
    struct xpl_pixels *pixels = XPL_NEW(arena, struct xpl_pixels);
    size_t n;

    if (!pixels ||
        fscanf(file, "%" SCNu32 " %" SCNu32 " %" SCNu32, &pixels->height, &pixels->width, &pixels->channels) != 3)
        return NULL;
    n = xpl_pixels_count(pixels);
    if (!(pixels->values = XPL_NEW_ARRAY(arena, double, n)))
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (fscanf(file, "%lf", &pixels->values[i]) != 1)
            return NULL;
    return pixels;
}
