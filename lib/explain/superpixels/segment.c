/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/superpixels/segment.h"

#define SCRATCH_BYTES ((size_t)2 << 30) /* the largest picture takes less than half of it */
#define SMALL_SIDE    48u
#define MAX_FOUND     4096u /* more than this many segments are no segmentation: a grid is as good */

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

/* What is used where the request leaves it open. */
static struct xpl_segmentation settings_for(const struct xpl_pixels *image, const struct xpl_explain_params *params)
{
    struct xpl_segmentation settings = params->segmentation;

    if (settings.kernel_size <= 0)
        settings.kernel_size = min_u32(image->height, image->width) < SMALL_SIDE ? 1 : 3;
    if (settings.max_segments == 0 && settings.algorithm == XPL_SEGMENTATION_LABELS)
        settings.max_segments = params->design == XPL_DESIGN_EXACT ? XPL_FIELD_SEGMENTS : XPL_MAX_SEGMENTS;
    if (settings.max_segments == 0)
        settings.max_segments = params->design == XPL_DESIGN_EXACT ? XPL_EXACT_SEGMENTS : XPL_DEFAULT_SEGMENTS;
    if (settings.refine)
        settings.max_segments = settings.refine;
    if (settings.n_segments == 0)
        settings.n_segments = settings.max_segments;
    return settings;
}

static enum xpl_status label_as_asked_grid(struct xpl_segments *s, uint32_t *labels, struct xpl_error *err)
{
    s->found = s->count = label_as_grid(s->height, s->width, s->used.grid_rows, s->used.grid_columns, labels);
    return s->count >= 2 ? XPL_OK
                         : xpl_fail(err, XPL_BAD_RECORD, "the image has a single pixel: there is nothing to compare");
}

static enum xpl_status merge(struct xpl_arena *arena, struct xpl_segments *s, const double *rgb,
                             const struct xpl_interrupt *interrupt, uint32_t *labels, struct xpl_error *err)
{
    size_t n = (size_t)s->height * s->width;
    float *lab = XPL_NEW_ARRAY(arena, float, n * 3);

    if (!lab)
        return xpl_no_memory(err);
    xpl_rgb_to_lab(rgb, n, 1, lab);
    return xpl_merge_segments(arena, lab, s->height, s->width, s->used.max_segments, interrupt, labels, &s->count, err);
}

static enum xpl_status label_as_given(struct xpl_arena *arena, struct xpl_segments *s, const double *rgb,
                                      const struct xpl_interrupt *interrupt, uint32_t *labels, struct xpl_error *err)
{
    size_t n = (size_t)s->height * s->width, at = 0;

    for (size_t i = 0; i < s->used.n_runs; i++) {
        const struct xpl_label_run *run = &s->used.runs[i];

        if (run->length > n - at)
            break;
        for (size_t end = at + run->length; at < end; at++)
            labels[at] = run->label;
        s->count = run->label >= s->count ? run->label + 1 : s->count;
        if (i + 1 == s->used.n_runs && at == n) {
            s->found = s->count;
            return s->count > s->used.max_segments ? merge(arena, s, rgb, interrupt, labels, err) : XPL_OK;
        }
    }
    return xpl_fail_field(err, XPL_BAD_FIELD, "parameters.image.segmentation.labels",
                          "is not a label for each of the %zu pixels of the image", n);
}

/* By the algorithm that was asked for; *ret_lab gets the colours for merging. */
static enum xpl_status find_superpixels(struct xpl_arena *arena, const struct xpl_segments *s, const double *rgb,
                                        const struct xpl_interrupt *interrupt, struct xpl_label_map *ret, float *lab,
                                        struct xpl_error *err)
{
    size_t n = (size_t)s->height * s->width;

    if (s->used.algorithm == XPL_SEGMENTATION_SLIC)
        return xpl_slic(arena, rgb, s->height, s->width, &s->used, interrupt, ret, err);
    if (s->used.algorithm == XPL_SEGMENTATION_FELZENSZWALB)
        return xpl_felzenszwalb(arena, rgb, s->height, s->width, &s->used, interrupt, ret, err);
    xpl_rgb_to_lab(rgb, n, s->used.ratio, lab);
    return xpl_quickshift(arena, lab, s->height, s->width, s->used.kernel_size, s->used.max_dist, interrupt,
                          ret->labels, &ret->count, err);
}

/* Superpixels and merging, or the grid; labels and their number. */
static enum xpl_status label_by_colour(struct xpl_arena *arena, struct xpl_segments *s, const double *rgb,
                                       const struct xpl_interrupt *interrupt, uint32_t *labels, struct xpl_error *err)
{
    size_t n = (size_t)s->height * s->width;
    float *lab = XPL_NEW_ARRAY(arena, float, n * 3);
    struct xpl_label_map found = {.labels = labels};
    bool has_lab = s->used.algorithm == XPL_SEGMENTATION_QUICKSHIFT && s->used.ratio > 0;
    enum xpl_status st;

    if (!lab)
        return xpl_no_memory(err);
    if ((st = find_superpixels(arena, s, rgb, interrupt, &found, lab, err)))
        return st;
    if (s->used.connected && (st = xpl_split_segments(arena, s->height, s->width, &found, err)))
        return st;
    s->found = s->count = found.count;
    if (s->count < 2 || s->count > MAX_FOUND) {
        s->fell_back = true;
        s->used.algorithm = XPL_SEGMENTATION_GRID;
        s->used.grid_rows = s->used.grid_columns = XPL_GRID_CELLS;
        s->count = label_as_grid(s->height, s->width, XPL_GRID_CELLS, XPL_GRID_CELLS, labels);
    }
    if (s->count < 2)
        return xpl_fail(err, XPL_BAD_RECORD, "the image has a single pixel: there is nothing to compare");
    if (s->count <= s->used.max_segments)
        return XPL_OK;
    if (!has_lab)
        xpl_rgb_to_lab(rgb, n, 1, lab);
    return xpl_merge_segments(arena, lab, s->height, s->width, s->used.max_segments, interrupt, labels, &s->count, err);
}

static enum xpl_status label(struct xpl_arena *arena, struct xpl_segments *s, const double *rgb,
                             const struct xpl_interrupt *interrupt, uint32_t *labels, struct xpl_error *err)
{
    if (s->used.algorithm == XPL_SEGMENTATION_GRID)
        return label_as_asked_grid(s, labels, err);
    if (s->used.algorithm == XPL_SEGMENTATION_LABELS)
        return label_as_given(arena, s, rgb, interrupt, labels, err);
    return label_by_colour(arena, s, rgb, interrupt, labels, err);
}

static enum xpl_status finish(struct xpl_arena *arena, struct xpl_segments *s, const uint32_t *labels,
                              const double *rgb, struct xpl_error *err)
{
    size_t n = (size_t)s->height * s->width;

    s->labels = XPL_NEW_ARRAY(arena, uint16_t, n);
    s->segments = XPL_NEW_ARRAY(arena, struct xpl_segment, s->count);
    if (!s->labels || !s->segments)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++)
        s->labels[i] = (uint16_t)labels[i];
    measure(s, rgb);
    return XPL_OK;
}

enum xpl_status xpl_segment_image(struct xpl_arena *arena, const struct xpl_pixels *image,
                                  const struct xpl_explain_params *params, const struct xpl_interrupt *interrupt,
                                  struct xpl_segments **ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(SCRATCH_BYTES);
    size_t n = (size_t)image->height * image->width;
    struct xpl_segments *s = XPL_NEW(arena, struct xpl_segments);
    uint32_t *labels = scratch ? XPL_NEW_ARRAY(scratch, uint32_t, n) : NULL;
    double *rgb = scratch ? xpl_pixels_to_rgb_unit(scratch, image) : NULL;
    enum xpl_status st;

    if (!s || !labels || !rgb)
        return xpl_no_memory(err);
    *s = (struct xpl_segments){.height = image->height, .width = image->width, .used = settings_for(image, params)};
    if ((st = label(scratch, s, rgb, interrupt, labels, err)) || (st = finish(arena, s, labels, rgb, err)))
        return st;
    *ret = s;
    return XPL_OK;
}

/* A copy without labels, and the image as the functions of labels want it. */
static enum xpl_status start_again(struct xpl_arena *arena, const struct xpl_pixels *image,
                                   const struct xpl_segments *from, struct xpl_segments **ret, uint32_t **ret_labels,
                                   double **ret_rgb, struct xpl_error *err)
{
    size_t n = (size_t)from->height * from->width;

    *ret = xpl_arena_copy(arena, from, sizeof *from);
    *ret_labels = XPL_NEW_ARRAY(arena, uint32_t, n);
    *ret_rgb = xpl_pixels_to_rgb_unit(arena, image);
    if (!*ret || !*ret_labels || !*ret_rgb)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++)
        (*ret_labels)[i] = from->labels[i];
    return XPL_OK;
}

enum xpl_status xpl_segments_merged(struct xpl_arena *arena, const struct xpl_pixels *image,
                                    const struct xpl_segments *from, uint32_t max_segments,
                                    const struct xpl_interrupt *interrupt, struct xpl_segments **ret,
                                    struct xpl_error *err)
{
    size_t n = (size_t)from->height * from->width;
    float *lab = XPL_NEW_ARRAY(arena, float, n * 3);
    struct xpl_segments *s;
    uint32_t *labels;
    double *rgb;
    enum xpl_status st;

    if (!lab)
        return xpl_no_memory(err);
    if ((st = start_again(arena, image, from, &s, &labels, &rgb, err)))
        return st;
    xpl_rgb_to_lab(rgb, n, 1, lab);
    if ((st = xpl_merge_segments(arena, lab, s->height, s->width, max_segments, interrupt, labels, &s->count, err)) ||
        (st = finish(arena, s, labels, rgb, err)))
        return st;
    *ret = s;
    return XPL_OK;
}

enum xpl_status xpl_segments_numbered(struct xpl_arena *arena, const struct xpl_pixels *image,
                                      const struct xpl_segments *from, const uint32_t *numbers, uint32_t count,
                                      struct xpl_segments **ret, struct xpl_error *err)
{
    size_t n = (size_t)from->height * from->width;
    struct xpl_segments *s;
    uint32_t *labels;
    double *rgb;
    enum xpl_status st;

    if ((st = start_again(arena, image, from, &s, &labels, &rgb, err)))
        return st;
    for (size_t i = 0; i < n; i++)
        labels[i] = numbers[labels[i]];
    s->count = count;
    if ((st = finish(arena, s, labels, rgb, err)))
        return st;
    *ret = s;
    return XPL_OK;
}
