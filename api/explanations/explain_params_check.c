/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/explain_params_check.h"

#include <string.h>

#include "api/json_spec.h"
#include "lib/explain/coarse_to_fine.h"

#define MIN_CALLS_REFINED 512 /* a quarter is for the coarse explanation */
#define REFINE            "image.segmentation.refine"

static enum xpl_status check_refine(const struct xpl_explain_params *p, struct xpl_error *err)
{
    const struct xpl_segmentation *cut = &p->segmentation;
    uint32_t coarse = xpl_coarse_segments(p), cells = cut->grid_rows * cut->grid_columns;

    if (!cut->refine)
        return XPL_OK;
    if (p->design != XPL_DESIGN_AUTO && p->design != XPL_DESIGN_ADAPTIVE)
        return xpl_fail_field(err, XPL_BAD_FIELD, REFINE, "goes with design auto or adaptive");
    if (cut->algorithm == XPL_SEGMENTATION_LABELS)
        return xpl_fail_field(err, XPL_BAD_FIELD, REFINE, "cannot split the client's own labels");
    if (xpl_explain_budget(p) < MIN_CALLS_REFINED)
        return xpl_fail_field(err, XPL_BAD_FIELD, REFINE, "needs a budget of at least %d model calls",
                              MIN_CALLS_REFINED);
    if (cut->refine <= coarse)
        return xpl_fail_field(err, XPL_BAD_FIELD, REFINE,
                              "is %u; it must be larger than max_segments, %u here, which is where splitting begins",
                              cut->refine, coarse);
    if (cut->algorithm == XPL_SEGMENTATION_GRID && cells <= coarse)
        return xpl_fail_field(err, XPL_BAD_FIELD, REFINE,
                              "has nothing to split: %u rows of %u columns are %u superpixels, and splitting begins "
                              "with %u (max_segments)",
                              cut->grid_rows, cut->grid_columns, cells, coarse);
    return XPL_OK;
}

static enum xpl_status check_grid(const struct xpl_explain_params *p, struct xpl_error *err)
{
    bool exact = p->design == XPL_DESIGN_EXACT;
    uint32_t most = exact ? XPL_FIELD_SEGMENTS : XPL_MAX_SEGMENTS;
    uint32_t rows = p->segmentation.grid_rows, columns = p->segmentation.grid_columns, cells = rows * columns;

    if (p->segmentation.algorithm != XPL_SEGMENTATION_GRID || (cells >= 2 && cells <= most))
        return XPL_OK;
    return xpl_fail_field(err, XPL_BAD_FIELD, "image.segmentation.rows",
                          "%u rows of %u columns are %u superpixels; 2 to %u are accepted%s", rows, columns, cells,
                          most, exact ? " with design exact" : "");
}

/* What this text says, not what was in force before it. */
static enum xpl_status check_pairs(const json_t *json, const struct xpl_explain_params *p, struct xpl_error *err)
{
    const char *algorithm = xpl_json_string_at(json, "image.segmentation.algorithm");
    const char *background = xpl_json_string_at(json, "image.background");
    const json_t *labels = xpl_json_at(json, "image.segmentation.labels");
    char fill[XPL_FILL_TEXT_SIZE];

    if (labels && !json_is_null(labels) && algorithm && strcmp(algorithm, "labels") != 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image.segmentation.labels",
                              "go with algorithm labels, and algorithm is \"%s\"", algorithm);
    if (background && p->fill != XPL_FILL_IMAGE)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image.background", "goes with fill image, and fill is \"%s\"",
                              xpl_fill_text(p, fill));
    return XPL_OK;
}

enum xpl_status xpl_explain_params_check(const json_t *json, const struct xpl_explain_params *p, struct xpl_error *err)
{
    enum xpl_status st;

    if (!p->lime && !p->contrastive)
        return xpl_fail_field(err, XPL_BAD_FIELD, "lime.enabled",
                              "is false, and so is contrastive.enabled: that leaves none");
    if (p->design == XPL_DESIGN_EXACT && p->segmentation.algorithm != XPL_SEGMENTATION_LABELS &&
        p->segmentation.max_segments > XPL_FIELD_SEGMENTS)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image.segmentation.max_segments",
                              "is %u; with design exact at most %u superpixels (%u model calls) are accepted",
                              p->segmentation.max_segments, XPL_FIELD_SEGMENTS, XPL_EXACT_MAX_MASKS);
    if ((st = check_grid(p, err)) || (st = check_refine(p, err)))
        return st;
    return check_pairs(json, p, err);
}
