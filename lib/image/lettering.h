/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words in pictures, drawn by FreeType with the font EXPLAIND_FONT (DejaVu Sans).
 */
#ifndef XPL_IMAGE_LETTERING_H
#define XPL_IMAGE_LETTERING_H

#include <stdint.h>

#include "lib/base/cleanup.h"
#include "lib/base/status.h"

struct xpl_lettering;

/** Letters of that height in pixels. XPL_NOT_AVAILABLE: the font is not installed. */
enum xpl_status xpl_lettering_open(uint32_t pixels, struct xpl_lettering **ret, struct xpl_error *err);

void xpl_lettering_close(struct xpl_lettering *lettering);
XPL_DEFINE_AUTO(xpl_lettering, xpl_lettering_close)

/** Width of an ASCII text in pixels. */
uint32_t xpl_lettering_width(struct xpl_lettering *lettering, const char *text);

/** Draws an ASCII text in `grey` from `left` on, its base line at row `base`; what lies outside is left out. */
void xpl_lettering_draw(struct xpl_lettering *lettering, const char *text, int32_t left, int32_t base, uint8_t grey,
                        uint8_t *rgb, uint32_t height, uint32_t width);

#endif
