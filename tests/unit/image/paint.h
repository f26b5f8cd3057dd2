/* SPDX-License-Identifier: Apache-2.0 */
/* Images whose pixels are a function of their place. For tests that have included cmocka. */
#ifndef XPL_TESTS_PAINT_H
#define XPL_TESTS_PAINT_H

#include "lib/image/pixels.h"

typedef double (*paint_fn)(uint32_t row, uint32_t column, uint32_t channel);

static inline struct xpl_pixels *paint(void **state, uint32_t height, uint32_t width, uint32_t channels, bool integers,
                                       paint_fn colour)
{
    struct xpl_pixels *p = XPL_NEW(*state, struct xpl_pixels);

    assert_non_null(p);
    *p = (struct xpl_pixels){.height = height, .width = width, .channels = channels, .integers = integers};
    p->values = XPL_NEW_ARRAY(*state, double, xpl_pixels_count(p));
    assert_non_null(p->values);
    for (uint32_t r = 0; r < height; r++)
        for (uint32_t c = 0; c < width; c++)
            for (uint32_t k = 0; k < channels; k++)
                p->values[((size_t)r * width + c) * channels + k] = colour(r, c, k);
    return p;
}

#endif
