/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/params.h"

struct xpl_explain_params xpl_explain_params_default(void)
{
    return (struct xpl_explain_params){
        .segmentation = {.max_dist = 200,
                         .ratio = 0.2,
                         .grid_rows = XPL_GRID_CELLS,
                         .grid_columns = XPL_GRID_CELLS,
                         .compactness = 10,
                         .scale = 100,
                         .sigma = 0.8,
                         .min_size = 20},
        .design = XPL_DESIGN_AUTO,
        .fill = XPL_FILL_MEAN,
        .confidence = 0.95,
        .classes = XPL_CLASSES_TOP2,
        .lime = true,
        .deadline_ms = 120000,
    };
}

size_t xpl_explain_budget(const struct xpl_explain_params *params)
{
    size_t budget = params->budget ? params->budget : SIZE_MAX;

    return params->perturbations_count && params->perturbations_count < budget ? params->perturbations_count : budget;
}

uint32_t xpl_label_count(const struct xpl_segmentation *segmentation)
{
    uint32_t count = 0;

    for (size_t i = 0; i < segmentation->n_runs; i++)
        if (segmentation->runs[i].label >= count)
            count = segmentation->runs[i].label + 1;
    return count;
}

const char *xpl_design_mode_name(enum xpl_design_mode mode)
{
    switch (mode) {
    case XPL_DESIGN_AUTO:
        return "auto";
    case XPL_DESIGN_EXACT:
        return "exact";
    case XPL_DESIGN_REFERENCE:
        return "reference";
    case XPL_DESIGN_ADAPTIVE:
        return "adaptive";
    case XPL_DESIGN_ARRAY:
        return "array";
    }
    return "";
}

const char *xpl_segmentation_name(enum xpl_segmentation_algorithm algorithm)
{
    switch (algorithm) {
    case XPL_SEGMENTATION_QUICKSHIFT:
        return "quickshift";
    case XPL_SEGMENTATION_GRID:
        return "grid";
    case XPL_SEGMENTATION_SLIC:
        return "slic";
    case XPL_SEGMENTATION_FELZENSZWALB:
        return "felzenszwalb";
    case XPL_SEGMENTATION_LABELS:
        return "labels";
    }
    return "";
}

const char *xpl_fill_text(const struct xpl_explain_params *params, char out[XPL_FILL_TEXT_SIZE])
{
    switch (params->fill) {
    case XPL_FILL_MEAN:
        return "mean";
    case XPL_FILL_BLACK:
        return "black";
    case XPL_FILL_BLUR:
        return "blur";
    case XPL_FILL_NOISE:
        return "noise";
    case XPL_FILL_IMAGE:
        return "image";
    case XPL_FILL_COLOUR:
        break;
    }
    out[0] = '#';
    for (unsigned i = 0; i < 6; i++)
        out[1 + i] = "0123456789abcdef"[params->fill_colour >> (20 - 4 * i) & 15];
    out[7] = '\0';
    return out;
}
