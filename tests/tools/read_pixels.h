/* SPDX-License-Identifier: Apache-2.0 */
/* An image as text, for programs that tests and benchmarks talk to. */
#ifndef XPL_TESTS_READ_PIXELS_H
#define XPL_TESTS_READ_PIXELS_H

#include <stdio.h>

#include "lib/image/pixels.h"

/** Reads "H W C" and H x W x C numbers; NULL when there are fewer or no memory. */
struct xpl_pixels *read_pixels(struct xpl_arena *arena, FILE *file);

#endif
