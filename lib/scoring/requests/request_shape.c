/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/request_shape.h"

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

size_t xpl_shape_length(struct xpl_text text, unsigned nesting)
{
    struct xpl_json_scan scan;
    size_t n = 0;
    bool more = true;

    xpl_json_rescan_start(&scan, text, NULL);
    for (unsigned i = 0; i < nesting; i++)
        if (xpl_json_enter_array(&scan) || (i + 1 < nesting && (xpl_json_next_element(&scan, &more) || !more)))
            return 0;
    while (xpl_json_next_element(&scan, &more) == XPL_OK && more && xpl_json_skip(&scan, NULL) == XPL_OK)
        n++;
    return n;
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

/* What an image's nested arrays are: three axes, or two. */
struct nest {
    bool deep;        /* three axes */
    uint32_t a, b, c; /* their lengths, the outermost first; c is 1 without a third one */
};

static enum xpl_status ragged(struct xpl_error *err)
{
    return xpl_fail(err, XPL_BAD_RECORD, "is not an image: its rows or pixels differ in length");
}

static enum xpl_status measure_line(struct xpl_json_scan *scan, struct nest *nest, struct xpl_error *err)
{
    uint32_t width = 0, channels, n;
    enum xpl_status st;
    bool more;

    if ((st = xpl_json_enter_array(scan)))
        return st;
    while ((st = xpl_json_next_element(scan, &more)) == XPL_OK && more) {
        if (!nest->deep) {
            nest->c = 1;
            if ((st = measure_numbers(scan, &width)))
                return st;
            continue;
        }
        if ((st = measure_pixels(scan, &channels, &n)))
            return st;
        if (nest->a == 0 && width == 0)
            nest->c = channels;
        if (channels != nest->c)
            return ragged(err);
        width += n;
    }
    if (st)
        return st;
    if (nest->a == 0)
        nest->b = width;
    return width == nest->b ? XPL_OK : ragged(err);
}

static enum xpl_status check_sides(const struct xpl_request_image *image, struct xpl_error *err)
{
    if (image->height == 0 || image->width == 0)
        return xpl_fail(err, XPL_BAD_RECORD, "is an empty image");
    if (image->height > XPL_IMAGE_MAX_SIDE || image->width > XPL_IMAGE_MAX_SIDE)
        return xpl_fail(err, XPL_BAD_RECORD, "is %u x %u pixels; a side has at most %u", image->height, image->width,
                        XPL_IMAGE_MAX_SIDE);
    return XPL_OK;
}

enum xpl_status xpl_shape_of_axes(const uint32_t axes[3], const struct xpl_request_hints *hints,
                                  struct xpl_request_image *image, struct xpl_error *err)
{
    enum xpl_layout layout = hints ? hints->layout : XPL_LAYOUT_AUTO;
    bool last = xpl_shape_channels_usable(axes[2]), first = xpl_shape_channels_usable(axes[0]);

    if (last && (layout == XPL_LAYOUT_HWC || (layout == XPL_LAYOUT_AUTO))) {
        image->form = XPL_FORM_HWC;
        image->height = axes[0];
        image->width = axes[1];
        image->channels = axes[2];
    } else if (first && layout != XPL_LAYOUT_HWC) {
        image->form = XPL_FORM_CHW;
        image->channels = axes[0];
        image->height = axes[1];
        image->width = axes[2];
    } else if (axes[0] == 0 || axes[1] == 0)
        return xpl_fail(err, XPL_BAD_RECORD, "is an empty image");
    else
        return xpl_fail(err, XPL_BAD_RECORD,
                        "has shape %u x %u x %u; images are H x W x C or C x H x W with 1, 3 or 4 channels, or H x W",
                        axes[0], axes[1], axes[2]);
    return check_sides(image, err);
}

static enum xpl_status walk(struct xpl_text text, struct nest *nest, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    struct xpl_json_scan scan;
    enum xpl_status st;
    bool more;

    xpl_json_scan_start(&scan, text.ptr, text.length, NULL, &inner);
    if ((st = xpl_json_enter_array(&scan)))
        return st;
    while ((st = xpl_json_next_element(&scan, &more)) == XPL_OK && more) {
        if ((st = measure_line(&scan, nest, &inner)))
            break;
        nest->a++;
    }
    if (st == XPL_BAD_RECORD)
        return xpl_fail(err, st, "%s", inner.message);
    if (st)
        return xpl_fail(
            err, XPL_BAD_RECORD,
            "is not an image: something else than numbers at byte %zu of it; looked for nested arrays of numbers "
            "H x W x C, C x H x W or H x W, or a PNG or JPEG in base64",
            scan.at);
    return XPL_OK;
}

enum xpl_status xpl_shape_count_flat(struct xpl_text list, size_t *ret_n, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    struct xpl_json_scan scan;
    uint32_t n = 0;
    enum xpl_status st;
    bool more;

    xpl_json_scan_start(&scan, list.ptr, list.length, NULL, &inner);
    st = xpl_json_enter_array(&scan);
    while (!st && (st = xpl_json_next_element(&scan, &more)) == XPL_OK && more)
        st = measure_numbers(&scan, &n);
    *ret_n = n;
    if (st == XPL_BAD_RECORD)
        return xpl_fail(err, st, "%s", inner.message);
    return st ? xpl_fail(err, XPL_BAD_RECORD, "is not a list of numbers: something else at byte %zu of it", scan.at)
              : XPL_OK;
}

static enum xpl_status measure_flat(struct xpl_text text, const struct xpl_request_hints *hints,
                                    struct xpl_request_image *image, struct xpl_error *err)
{
    enum xpl_status st;
    size_t n;

    if ((st = xpl_shape_count_flat(text, &n, err)))
        return st;
    if (!hints || hints->height == 0)
        return xpl_fail(err, XPL_BAD_RECORD,
                        "is a flat list of %zu numbers: the subscription's asset_properties.explaind.shape must say "
                        "what image they are",
                        n);
    image->height = hints->height;
    image->width = hints->width;
    image->channels = hints->channels;
    image->form = hints->layout == XPL_LAYOUT_CHW ? XPL_FORM_CHW : XPL_FORM_HWC;
    if (n != (size_t)image->height * image->width * image->channels)
        return xpl_fail(err, XPL_BAD_RECORD, "has %zu numbers; asset_properties.explaind.shape says %u x %u x %u", n,
                        image->height, image->width, image->channels);
    return XPL_OK;
}

enum xpl_status xpl_shape_measure(struct xpl_text text, const struct xpl_request_hints *hints,
                                  struct xpl_request_image *image, struct xpl_error *err)
{
    unsigned depth = xpl_shape_depth(text);
    struct nest nest = {.deep = depth == 3};
    enum xpl_status st;

    if (depth == 1)
        return measure_flat(text, hints, image, err);
    if (depth != 2 && depth != 3)
        return xpl_fail(err, XPL_BAD_RECORD, "is nested %u deep; images are H x W x C, C x H x W or H x W", depth);
    if ((st = walk(text, &nest, err)))
        return st;
    if (nest.deep)
        return xpl_shape_of_axes((const uint32_t[]){nest.a, nest.b, nest.c}, hints, image, err);
    image->form = XPL_FORM_HW;
    image->height = nest.a;
    image->width = nest.b;
    image->channels = 1;
    return check_sides(image, err);
}
