/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A label map as clients write it: rows of labels (as numpy's tolist gives them), or runs in the form in which
 * attributions return them.
 */
#ifndef XPL_API_LABEL_MAP_H
#define XPL_API_LABEL_MAP_H

#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/explain/params.h"

/**
 * Sets algorithm, runs and, when the map is written as rows, its size. XPL_BAD_FIELD below `path`: no such map, a label
 * that is left out, fewer than two or more than XPL_MAX_SEGMENTS of them.
 */
enum xpl_status xpl_label_map_read(struct xpl_arena *arena, const json_t *json, const char *path,
                                   struct xpl_segmentation *ret, struct xpl_error *err);

/** XPL_BAD_FIELD: the map is not one of an image of this size. */
enum xpl_status xpl_label_map_check(const struct xpl_segmentation *segmentation, int64_t height, int64_t width,
                                    const char *path, struct xpl_error *err);

/** A label for each of n pixels in raster order as [[label, length], …]. */
json_t *xpl_label_runs(const uint16_t *labels, size_t n);

/** As runs; JSON null when there is no map. */
json_t *xpl_label_map_view(const struct xpl_segmentation *segmentation);

#endif
