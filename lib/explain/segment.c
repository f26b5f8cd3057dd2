/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/segment.h"

#include <math.h>

#define GRID_CELLS 4u
#define SMALL_SIDE 48u
#define MAX_FOUND  4096u /* more than this many segments are no segmentation: a grid is as good */

static double linear_light(double v)
{
    return v > 0.04045 ? pow((v + 0.055) / 1.055, 2.4) : v / 12.92;
}

static double lab_f(double t)
{
    return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116.0;
}

void xpl_rgb_to_lab(const double *rgb, size_t n_pixels, double ratio, float *ret_lab)
{
    for (size_t i = 0; i < n_pixels; i++) {
        double r = linear_light(rgb[i * 3]), g = linear_light(rgb[i * 3 + 1]), b = linear_light(rgb[i * 3 + 2]);
        double x = lab_f((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047);
        double y = lab_f(0.212671 * r + 0.715160 * g + 0.072169 * b);
        double z = lab_f((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883);

        ret_lab[i * 3] = (float)(ratio * (116.0 * y - 16.0));
        ret_lab[i * 3 + 1] = (float)(ratio * (500.0 * (x - y)));
        ret_lab[i * 3 + 2] = (float)(ratio * (200.0 * (y - z)));
    }
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Cells of about the same size; fewer where the image has fewer pixels. */
static uint32_t label_as_grid(uint32_t height, uint32_t width, uint32_t rows, uint32_t columns, uint32_t *labels)
{
    rows = min_u32(rows, height);
    columns = min_u32(columns, width);
    for (uint32_t r = 0; r < height; r++)
        for (uint32_t c = 0; c < width; c++)
            labels[(size_t)r * width + c] =
                (uint32_t)((uint64_t)r * rows / height * columns + (uint64_t)c * columns / width);
    return rows * columns;
}

static void note_pixel(struct xpl_segment *s, uint32_t r, uint32_t c, const double *rgb)
{
    if (s->area == 0) {
        s->top = s->bottom = r;
        s->left = s->right = c;
    }
    s->area++;
    s->bottom = r; /* rows come in order */
    s->left = min_u32(s->left, c);
    s->right = c > s->right ? c : s->right;
    s->row += r;
    s->column += c;
    for (size_t k = 0; k < 3; k++)
        s->mean_rgb[k] += rgb[k] * 255;
}

static void measure(struct xpl_segments *segments, const double *rgb)
{
    for (uint32_t r = 0; r < segments->height; r++) {
        for (uint32_t c = 0; c < segments->width; c++) {
            size_t i = (size_t)r * segments->width + c;

            note_pixel(&segments->segments[segments->labels[i]], r, c, rgb + i * 3);
        }
    }
    for (uint32_t j = 0; j < segments->count; j++) {
        struct xpl_segment *s = &segments->segments[j];

        s->row /= s->area;
        s->column /= s->area;
        for (size_t k = 0; k < 3; k++)
            s->mean_rgb[k] /= s->area;
    }
}

static struct xpl_segments settings_for(const struct xpl_pixels *image, const struct xpl_explain_params *params)
{
    uint32_t side = min_u32(image->height, image->width);
    uint32_t by_design = params->design == XPL_DESIGN_EXACT ? XPL_EXACT_SEGMENTS : XPL_DEFAULT_SEGMENTS;

    return (struct xpl_segments){
        .height = image->height,
        .width = image->width,
        .algorithm = params->algorithm,
        .kernel_size = params->kernel_size > 0 ? params->kernel_size
                       : side < SMALL_SIDE     ? 1
                                               : 3,
        .max_dist = params->max_dist,
        .ratio = params->ratio,
        .max_segments = params->max_segments ? params->max_segments : by_design,
    };
}

static enum xpl_status label_as_asked_grid(struct xpl_segments *s, const struct xpl_explain_params *params,
                                           uint32_t *labels, struct xpl_error *err)
{
    s->found = s->count = label_as_grid(s->height, s->width, params->grid_rows, params->grid_columns, labels);
    return s->count >= 2 ? XPL_OK
                         : xpl_fail(err, XPL_BAD_RECORD, "the image has a single pixel: there is nothing to compare");
}

/* Quickshift and merging, or the grid; labels and their number. */
static enum xpl_status label_by_colour(struct xpl_arena *arena, struct xpl_segments *s, const double *rgb,
                                       uint32_t *labels, struct xpl_error *err)
{
    size_t n = (size_t)s->height * s->width;
    float *lab = XPL_NEW_ARRAY(arena, float, n * 3);
    enum xpl_status st;

    if (!lab)
        return xpl_no_memory(err);
    xpl_rgb_to_lab(rgb, n, s->ratio, lab);
    if ((st = xpl_quickshift(arena, lab, s->height, s->width, s->kernel_size, s->max_dist, labels, &s->count, err)))
        return st;
    s->found = s->count;
    if (s->count < 2 || s->count > MAX_FOUND) {
        s->fell_back = true;
        s->algorithm = XPL_SEGMENTATION_GRID;
        s->count = label_as_grid(s->height, s->width, GRID_CELLS, GRID_CELLS, labels);
    }
    if (s->count < 2)
        return xpl_fail(err, XPL_BAD_RECORD, "the image has a single pixel: there is nothing to compare");
    if (s->count <= s->max_segments)
        return XPL_OK;
    if (s->ratio <= 0) /* quickshift was told not to look at colours; merging needs them */
        xpl_rgb_to_lab(rgb, n, 1, lab);
    return xpl_merge_segments(arena, lab, s->height, s->width, s->max_segments, labels, &s->count, err);
}

enum xpl_status xpl_segment_image(struct xpl_arena *arena, const struct xpl_pixels *image,
                                  const struct xpl_explain_params *params, struct xpl_segments **ret,
                                  struct xpl_error *err)
{
    size_t n = (size_t)image->height * image->width;
    struct xpl_segments *s = XPL_NEW(arena, struct xpl_segments);
    uint32_t *labels = XPL_NEW_ARRAY(arena, uint32_t, n);
    double *rgb = xpl_pixels_to_rgb_unit(arena, image);
    enum xpl_status st;

    if (!s || !labels || !rgb)
        return xpl_no_memory(err);
    *s = settings_for(image, params);
    st = s->algorithm == XPL_SEGMENTATION_GRID ? label_as_asked_grid(s, params, labels, err)
                                               : label_by_colour(arena, s, rgb, labels, err);
    if (st)
        return st;
    s->labels = XPL_NEW_ARRAY(arena, uint16_t, n);
    s->segments = XPL_NEW_ARRAY(arena, struct xpl_segment, s->count);
    if (!s->labels || !s->segments)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++)
        s->labels[i] = (uint16_t)labels[i];
    measure(s, rgb);
    *ret = s;
    return XPL_OK;
}
