/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting an image into superpixels.
 */
#ifndef XPL_EXPLAIN_SEGMENT_H
#define XPL_EXPLAIN_SEGMENT_H

#include "lib/base/arena.h"
#include "lib/base/interrupt.h"
#include "lib/base/status.h"
#include "lib/explain/params.h"
#include "lib/image/pixels.h"

struct xpl_segment {
    uint32_t area;
    uint32_t top, left, bottom, right; /* inclusive bounding box */
    double row, column;                /* centroid */
    double mean_rgb[3];                /* 0-255 */
};

struct xpl_segments {
    uint32_t height, width;
    uint32_t count;               /* d: 2 <= d <= max_segments */
    uint16_t *labels;             /* height x width, row-major, 0 to count - 1, each used */
    struct xpl_segment *segments; /* count */
    struct xpl_segmentation used; /* nothing left open; of a fallback: grid */
    uint32_t found;               /* segments before merging */
    bool fell_back;               /* a grid, because one segment was found or thousands of them */
};

/** The labels an algorithm finds: height x width, numbered by first pixel in raster order or as it likes. */
struct xpl_label_map {
    uint32_t *labels;
    uint32_t count;
};

/**
 * Quickshift as in scikit-image (Vedaldi & Soatto 2008) without label map changes: labels numbered by root in raster
 * order. `lab` is height x width x 3, already multiplied by `ratio`. Of equal densities the pixel with the lower index
 * counts as the higher. Writes height x width labels.
 */
enum xpl_status xpl_quickshift(struct xpl_arena *arena, const float *lab, uint32_t height, uint32_t width,
                               double kernel_size, double max_dist, const struct xpl_interrupt *interrupt,
                               uint32_t *ret_labels, uint32_t *ret_count, struct xpl_error *err);

/**
 * SLIC as in scikit-image (Achanta et al. 2012, "SLIC Superpixels Compared to State-of-the-art Superpixel Methods"),
 * the zero-parameter variant too: 10 rounds of k-means in colour and place from a regular grid, then fragments below
 * half of the mean area go to a neighbour. `rgb` is height x width x 3 in [0, 1]. Finds about `n_segments`.
 */
enum xpl_status xpl_slic(struct xpl_arena *arena, const double *rgb, uint32_t height, uint32_t width,
                         const struct xpl_segmentation *settings, const struct xpl_interrupt *interrupt,
                         struct xpl_label_map *ret, struct xpl_error *err);

/**
 * As in scikit-image: Felzenszwalb & Huttenlocher 2004, "Efficient Graph-Based Image Segmentation", with 8 neighbours,
 * on colours smoothed by `sigma`. Edges of the same cost come in the order in which they are listed.
 */
enum xpl_status xpl_felzenszwalb(struct xpl_arena *arena, const double *rgb, uint32_t height, uint32_t width,
                                 const struct xpl_segmentation *settings, const struct xpl_interrupt *interrupt,
                                 struct xpl_label_map *ret, struct xpl_error *err);

/** sRGB in [0, 1] to CIE Lab (D65), one pixel. */
void xpl_lab_of(const double rgb[3], double ret_lab[3]);

/** The same of many, times `ratio`. */
void xpl_rgb_to_lab(const double *rgb, size_t n_pixels, double ratio, float *ret_lab);

/** Gives every 4-connected part of a label its own one, numbered by first pixel in raster order. */
enum xpl_status xpl_split_segments(struct xpl_arena *arena, uint32_t height, uint32_t width, struct xpl_label_map *map,
                                   struct xpl_error *err);

/**
 * Merges 4-neighbours by the smallest Ward cost |A||B| / (|A|+|B|) x |difference of mean Lab|^2 until `max_segments`
 * are left; ties by the lowest ids. Labels stay contiguous, numbered by first pixel in raster order.
 */
enum xpl_status xpl_merge_segments(struct xpl_arena *arena, const float *lab, uint32_t height, uint32_t width,
                                   uint32_t max_segments, const struct xpl_interrupt *interrupt, uint32_t *labels,
                                   uint32_t *count, struct xpl_error *err);

/**
 * The whole: superpixels, merging, the grid for flat or tiny images, statistics of each segment. `interrupt` (NULL for
 * none) is asked between rows and rounds, here and in the functions above.
 * XPL_BAD_FIELD: a label map that does not fit the image. XPL_BAD_RECORD: a single pixel. Others are the interrupt's.
 */
enum xpl_status xpl_segment_image(struct xpl_arena *arena, const struct xpl_pixels *image,
                                  const struct xpl_explain_params *params, const struct xpl_interrupt *interrupt,
                                  struct xpl_segments **ret, struct xpl_error *err);

/** Fewer segments of the same image: neighbours of `from` merged until `max_segments` are left. */
enum xpl_status xpl_segments_merged(struct xpl_arena *arena, const struct xpl_pixels *image,
                                    const struct xpl_segments *from, uint32_t max_segments,
                                    const struct xpl_interrupt *interrupt, struct xpl_segments **ret,
                                    struct xpl_error *err);

/** The segments of `from` with other numbers, several with the same one if need be: `numbers` has one for each of them,
 * 0 to count - 1. */
enum xpl_status xpl_segments_numbered(struct xpl_arena *arena, const struct xpl_pixels *image,
                                      const struct xpl_segments *from, const uint32_t *numbers, uint32_t count,
                                      struct xpl_segments **ret, struct xpl_error *err);

#endif
