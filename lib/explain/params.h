/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client may choose about an explanation (docs/explanations.md, Parameters). Plain data; the JSON form is read
 * and written by api/explanations/explain_params.c.
 */
#ifndef XPL_EXPLAIN_PARAMS_H
#define XPL_EXPLAIN_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/explain/designs/mask.h"

#define XPL_MAX_LABELS        4096u /* of a label map, before merging; a multiple of 64 */
#define XPL_DEFAULT_SEGMENTS  16u   /* what is merged to unless told otherwise */
#define XPL_FIELD_SEGMENTS    16u   /* up to here something is said of each of the 2^d masks */
#define XPL_EXACT_SEGMENTS    12u   /* what `exact` merges to unless told otherwise */
#define XPL_EXACT_MAX_MASKS   65536u
#define XPL_GRID_CELLS        4u /* rows and columns of a grid, unless given */
#define XPL_MAX_CLASSES_ASKED 64u
#define XPL_KEPT_CLASSES      16u /* scores are kept for this many of the most probable classes */

enum xpl_segmentation_algorithm {
    XPL_SEGMENTATION_QUICKSHIFT,
    XPL_SEGMENTATION_GRID, /* also the fallback for flat or tiny images */
    XPL_SEGMENTATION_SLIC,
    XPL_SEGMENTATION_FELZENSZWALB,
    XPL_SEGMENTATION_LABELS /* the client's own label map */
};

/** Some pixels in raster order that have the same label. */
struct xpl_label_run {
    uint32_t label, length;
};

/** How an image is cut into superpixels. Members that an algorithm does not use are ignored. */
struct xpl_segmentation {
    enum xpl_segmentation_algorithm algorithm;
    uint32_t max_segments; /* more are merged; 0 = by design */
    uint32_t refine;       /* those that matter are split again until there are so many; 0 = not (coarse_to_fine.h) */
    bool connected;        /* parts of a superpixel that do not touch become superpixels of their own, before merging */
    /* quickshift; kernel_size 0 = by image size (1 below 48 px, 3 otherwise) */
    double kernel_size, max_dist, ratio;
    uint32_t grid_rows, grid_columns;
    /* slic; n_segments 0 = max_segments; slic_zero: compactness is found for each superpixel */
    uint32_t n_segments;
    double compactness;
    bool slic_zero;
    /* felzenszwalb; min_size in pixels */
    double scale, sigma;
    uint32_t min_size;
    /* labels: runs over all pixels, labels 0, 1, 2, ... each used, merged when too many; in the arena they were read
     * with */
    const struct xpl_label_run *runs;
    size_t n_runs;
    uint32_t map_height, map_width; /* of the map; 0 = not said */
};

enum xpl_design_mode {
    XPL_DESIGN_AUTO,      /* the ladder: starts with 256 masks and goes on until the linear picture holds */
    XPL_DESIGN_EXACT,     /* all 2^d masks */
    XPL_DESIGN_REFERENCE, /* as the lime package: uniform random masks and ridge */
    XPL_DESIGN_ADAPTIVE,  /* random masks and their complements until every superpixel is decided */
    XPL_DESIGN_ARRAY      /* one orthogonal array: the smallest one, or the largest that the budget allows */
};

/** See fill.h. */
enum xpl_fill {
    XPL_FILL_MEAN,
    XPL_FILL_BLACK,
    XPL_FILL_BLUR,
    XPL_FILL_NOISE,
    XPL_FILL_COLOUR,
    XPL_FILL_IMAGE
};

enum xpl_class_choice {
    XPL_CLASSES_TOP2,
    XPL_CLASSES_ALL,
    XPL_CLASSES_LIST
};

struct xpl_explain_params {
    struct xpl_segmentation segmentation;
    enum xpl_design_mode design;
    enum xpl_fill fill;
    uint32_t fill_colour;         /* 0xRRGGBB */
    const char *background;       /* of XPL_FILL_IMAGE: the scoring id of a logged image */
    uint32_t budget;              /* model calls at most; 0 = what the design needs */
    uint32_t perturbations_count; /* lime's: caps the budget; the number of samples of `reference`; 0 = not given */
    uint32_t features_count;      /* echoed, not applied to panes; 0 = not given */
    double confidence;            /* of the intervals: 0.5 to 0.999 */
    enum xpl_class_choice classes;
    uint32_t class_list[XPL_MAX_CLASSES_ASKED];
    uint32_t n_class_list;
    bool lime, contrastive; /* which explanations are in the answer; contrastive ones need further calls */
    bool seed_given;
    uint64_t seed;
    uint32_t deadline_ms;
};

/** The defaults: quickshift(by size, 200, 0.2), slic(max_segments, 10), felzenszwalb(100, 0.8, 20), auto, mean,
 * no budget, 0.95, top2, no seed, 120 s. */
struct xpl_explain_params xpl_explain_params_default(void);

/** Model calls at most: the smaller one of `budget` and `perturbations_count`; SIZE_MAX without either. */
size_t xpl_explain_budget(const struct xpl_explain_params *params);

/** How many labels the label map has. */
uint32_t xpl_label_count(const struct xpl_segmentation *segmentation);

const char *xpl_design_mode_name(enum xpl_design_mode mode);
const char *xpl_segmentation_name(enum xpl_segmentation_algorithm algorithm);

#define XPL_FILL_TEXT_SIZE 8
/** "mean", "black", "blur", "noise", "image" or "#rrggbb", which is written to `out`. */
const char *xpl_fill_text(const struct xpl_explain_params *params, char out[XPL_FILL_TEXT_SIZE]);

#endif
