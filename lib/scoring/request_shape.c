/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/request_shape.h"

#include <math.h>

#include "lib/base/json_scan.h"

#define LARGEST_VALUE 1e300 /* so that sums over an image are finite */

unsigned xpl_shape_depth(struct xpl_text text)
{
    unsigned depth = 0;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.ptr[i];

        if (c == '[')
            depth++;
        else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            break;
    }
    return depth;
}

bool xpl_shape_channels_usable(size_t channels)
{
    return channels == 1 || channels == 3 || channels == 4;
}

/* Numbers one by one, for those that might not fit a double. */
static enum xpl_status check_numbers(struct xpl_json_scan scan, size_t n)
{
    struct xpl_text number;
    bool more;

    for (size_t i = 0; i < n; i++) {
        if (i > 0 && xpl_json_next_element(&scan, &more))
            return XPL_INTERNAL;
        if (xpl_json_number(&scan, &number) || !(fabs(xpl_parse_double(number.ptr, number.length)) <= LARGEST_VALUE))
            return xpl_fail(scan.err, XPL_BAD_RECORD, "holds a number that is larger than 1e300");
    }
    return XPL_OK;
}

/* Counts the numbers that come next. */
static enum xpl_status measure_numbers(struct xpl_json_scan *scan, uint32_t *count)
{
    struct xpl_json_numbers numbers;
    struct xpl_json_scan before;
    enum xpl_json_kind kind;
    enum xpl_status st = xpl_json_peek(scan, &kind);

    before = *scan;
    if (st || (st = xpl_json_numbers(scan, &numbers)))
        return st;
    *count += (uint32_t)numbers.n;
    return numbers.exponents || numbers.longest >= XPL_JSON_PLAIN_NUMBER ? check_numbers(before, numbers.n) : XPL_OK;
}

/* The next pixels, as many as are alike; at least one. */
static enum xpl_status measure_pixels(struct xpl_json_scan *scan, uint32_t *ret_channels, uint32_t *ret_count)
{
    struct xpl_json_number_rows rows;
    enum xpl_status st;
    bool more;

    xpl_json_number_rows(scan, &rows);
    *ret_channels = (uint32_t)rows.length;
    *ret_count = rows.n > 0 ? (uint32_t)rows.n : 1;
    if (rows.n > 0)
        return XPL_OK;
    if ((st = xpl_json_enter_array(scan)))
        return st;
    while ((st = xpl_json_next_element(scan, &more)) == XPL_OK && more)
        if ((st = measure_numbers(scan, ret_channels)))
            return st;
    return st;
}

static enum xpl_status ragged(struct xpl_error *err)
{
    return xpl_fail(err, XPL_BAD_RECORD, "is not an image: its rows or pixels differ in length");
}

static enum xpl_status measure_line(struct xpl_json_scan *scan, struct xpl_request_image *image, struct xpl_error *err)
{
    uint32_t width = 0, channels, n;
    enum xpl_status st;
    bool more;

    if ((st = xpl_json_enter_array(scan)))
        return st;
    while ((st = xpl_json_next_element(scan, &more)) == XPL_OK && more) {
        if (image->flat_channel) {
            image->channels = 1;
            if ((st = measure_numbers(scan, &width)))
                return st;
            continue;
        }
        if ((st = measure_pixels(scan, &channels, &n)))
            return st;
        if (image->height == 0 && width == 0)
            image->channels = channels;
        if (channels != image->channels)
            return ragged(err);
        width += n;
    }
    if (st)
        return st;
    if (image->height == 0)
        image->width = width;
    return width == image->width ? XPL_OK : ragged(err);
}

static enum xpl_status check_shape(const struct xpl_request_image *image, struct xpl_error *err)
{
    if (image->height == 0 || image->width == 0)
        return xpl_fail(err, XPL_BAD_RECORD, "is an empty image");
    if (!xpl_shape_channels_usable(image->channels))
        return xpl_fail(err, XPL_BAD_RECORD,
                        "has shape %u x %u x %u; images are H x W x 1, 3 or 4 (channels last) or H x W", image->height,
                        image->width, image->channels);
    if (image->height > XPL_IMAGE_MAX_SIDE || image->width > XPL_IMAGE_MAX_SIDE)
        return xpl_fail(err, XPL_BAD_RECORD, "is %u x %u pixels; a side has at most %u", image->height, image->width,
                        XPL_IMAGE_MAX_SIDE);
    return XPL_OK;
}

enum xpl_status xpl_shape_measure(struct xpl_text text, struct xpl_request_image *image, struct xpl_error *err)
{
    unsigned depth = xpl_shape_depth(text);
    struct xpl_error inner = {0};
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more;

    if (depth != 2 && depth != 3)
        return xpl_fail(err, XPL_BAD_RECORD, "is nested %u deep; images are H x W x C or H x W", depth);
    image->flat_channel = depth == 2;
    xpl_json_scan_start(&scan, text.ptr, text.length, NULL, &inner);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if ((st = measure_line(&scan, image, &inner)))
            break;
        image->height++;
    }
    if (st == XPL_BAD_RECORD)
        return xpl_fail(err, st, "%s", inner.message);
    if (st)
        return xpl_fail(err, XPL_BAD_RECORD, "is not an image: something else than numbers at byte %zu of it", scan.at);
    return check_shape(image, err);
}
