/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/text.h"
#include "lib/scoring/requests/number_text.h"
#include "lib/scoring/requests/request.h"

#define MAX_EXACT_DIGITS 15 /* so many fit a double without rounding */

/* Writes one number and returns where it ends. Most pixels are small integers. */
static const char *read_number(const char *at, const char *end, double *ret, bool *integers)
{
    const char *digit = at + (*at == '-');
    uint64_t value = 0;

    while (digit < end && *digit >= '0' && *digit <= '9' && digit - at < MAX_EXACT_DIGITS)
        value = 10 * value + (uint64_t)(*digit++ - '0');
    if (digit < end && (*digit == ',' || *digit == ']' || *digit == ' ')) {
        *ret = *at == '-' ? -(double)value : (double)value;
        return digit;
    }
    digit = xpl_number_end(at, end);
    for (const char *c = at; c < digit; c++)
        if (*c == '.' || *c >= 'E')
            *integers = false;
    *ret = xpl_parse_double(at, (size_t)(digit - at));
    return digit;
}

/* Where the i-th number of the text belongs, channels last. */
static size_t place_of(const struct xpl_request_image *image, size_t i)
{
    size_t plane = (size_t)image->height * image->width;

    return image->form == XPL_FORM_CHW ? i % plane * image->channels + i / plane : i;
}

/* The shape was checked: what is not blank, bracket or comma is a number. */
static void read_numbers(const struct xpl_request *request, const struct xpl_request_image *image,
                         struct xpl_pixels *pixels)
{
    const char *at = request->text.ptr + image->offset, *end = at + image->length;
    size_t n = xpl_pixels_count(pixels);

    for (size_t i = 0; i < n && (at = xpl_find_number(at, end)) < end; i++)
        at = read_number(at, end, &pixels->values[place_of(image, i)], &pixels->integers);
}

static void copy_picture(const struct xpl_request_image *image, struct xpl_pixels *pixels)
{
    size_t n = xpl_pixels_count(pixels);

    for (size_t i = 0; i < n; i++)
        pixels->values[i] = image->picture[i];
}

/* What the subscription says about colours. */
static void use_hints(struct xpl_pixels *pixels, const struct xpl_request_hints *hints)
{
    pixels->scale.bgr = hints->bgr && pixels->channels >= 3;
    pixels->scale.given = hints->has_range;
    for (size_t c = 0; c < 3; c++) {
        pixels->scale.low[c] = hints->low[c];
        pixels->scale.high[c] = hints->high[c];
    }
}

enum xpl_status xpl_request_pixels(struct xpl_arena *arena, const struct xpl_request *request, uint32_t index,
                                   struct xpl_pixels **ret, struct xpl_error *err)
{
    const struct xpl_request_image *image = &request->images[index];
    struct xpl_pixels *pixels;

    if (!(pixels = XPL_NEW(arena, struct xpl_pixels)))
        return xpl_no_memory(err);
    *pixels = (struct xpl_pixels){
        .height = image->height, .width = image->width, .channels = image->channels, .integers = true};
    if (!(pixels->values = XPL_NEW_ARRAY(arena, double, xpl_pixels_count(pixels))))
        return xpl_no_memory(err);
    if (image->form == XPL_FORM_ENCODED)
        copy_picture(image, pixels);
    else {
        read_numbers(request, image, pixels);
        use_hints(pixels, &request->hints);
    }
    *ret = pixels;
    return XPL_OK;
}
