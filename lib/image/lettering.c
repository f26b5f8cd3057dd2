/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image/lettering.h"

#include <stdlib.h>

#include <ft2build.h>
#include FT_FREETYPE_H

struct xpl_lettering {
    FT_Library library;
    FT_Face face;
};

void xpl_lettering_close(struct xpl_lettering *lettering)
{
    if (!lettering)
        return;
    if (lettering->face)
        FT_Done_Face(lettering->face);
    if (lettering->library)
        FT_Done_FreeType(lettering->library);
    free(lettering);
}

enum xpl_status xpl_lettering_open(uint32_t pixels, struct xpl_lettering **ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_lettering) lettering = calloc(1, sizeof *lettering);

    if (!lettering || FT_Init_FreeType(&lettering->library))
        return xpl_no_memory(err);
    if (FT_New_Face(lettering->library, EXPLAIND_FONT, 0, &lettering->face) ||
        FT_Set_Pixel_Sizes(lettering->face, 0, pixels))
        return xpl_fail(err, XPL_NOT_AVAILABLE, "there is no font for a legend (%s)", EXPLAIND_FONT);
    *ret = lettering;
    lettering = NULL;
    return XPL_OK;
}

uint32_t xpl_lettering_width(struct xpl_lettering *lettering, const char *text)
{
    FT_Pos width = 0;

    for (; *text; text++)
        if (!FT_Load_Char(lettering->face, (FT_ULong)(unsigned char)*text, FT_LOAD_DEFAULT))
            width += lettering->face->glyph->advance.x;
    return (uint32_t)(width >> 6);
}

static void blend(uint8_t *pixel, uint8_t grey, uint8_t cover)
{
    for (int c = 0; c < 3; c++)
        pixel[c] = (uint8_t)((pixel[c] * (255 - cover) + grey * cover + 127) / 255);
}

static void draw_glyph(const FT_GlyphSlot glyph, int32_t left, int32_t base, uint8_t grey, uint8_t *rgb,
                       uint32_t height, uint32_t width)
{
    const FT_Bitmap *bitmap = &glyph->bitmap;

    for (unsigned r = 0; r < bitmap->rows; r++) {
        int64_t y = (int64_t)base - glyph->bitmap_top + r;

        for (unsigned c = 0; c < bitmap->width; c++) {
            int64_t x = (int64_t)left + glyph->bitmap_left + c;

            if (y >= 0 && y < height && x >= 0 && x < width)
                blend(rgb + ((size_t)y * width + (size_t)x) * 3, grey,
                      bitmap->buffer[(ptrdiff_t)r * bitmap->pitch + (ptrdiff_t)c]);
        }
    }
}

void xpl_lettering_draw(struct xpl_lettering *lettering, const char *text, int32_t left, int32_t base, uint8_t grey,
                        uint8_t *rgb, uint32_t height, uint32_t width)
{
    for (; *text; text++) {
        if (FT_Load_Char(lettering->face, (FT_ULong)(unsigned char)*text, FT_LOAD_RENDER))
            continue;
        draw_glyph(lettering->face->glyph, left, base, grey, rgb, height, width);
        left += (int32_t)(lettering->face->glyph->advance.x >> 6);
    }
}
