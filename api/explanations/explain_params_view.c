/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/explain_params.h"
#include "api/explanations/label_map.h"

static json_t *class_view(const struct xpl_explain_params *params)
{
    json_t *list;

    switch (params->classes) {
    case XPL_CLASSES_TOP2:
        return json_string("top2");
    case XPL_CLASSES_ALL:
        return json_string("all");
    case XPL_CLASSES_LIST:
        break;
    }
    list = json_array();
    for (uint32_t i = 0; i < params->n_class_list; i++)
        json_array_append_new(list, json_sprintf("%u", params->class_list[i]));
    return list;
}

static json_t *int_or_null(uint64_t value, bool given)
{
    return given ? json_integer((json_int_t)value) : json_null();
}

static json_t *segmentation_view(const struct xpl_segmentation *s)
{
    return json_pack(
        "{s:s, s:I, s:I, s:o, s:f, s:f, s:o, s:f, s:b, s:f, s:f, s:I, s:b, s:o, s:o, s:o}", "algorithm",
        xpl_segmentation_name(s->algorithm), "rows", (json_int_t)s->grid_rows, "columns", (json_int_t)s->grid_columns,
        "kernel_size", s->kernel_size > 0 ? json_real(s->kernel_size) : json_null(), "max_dist", s->max_dist, "ratio",
        s->ratio, "n_segments", int_or_null(s->n_segments, s->n_segments > 0), "compactness", s->compactness,
        "slic_zero", s->slic_zero, "scale", s->scale, "sigma", s->sigma, "min_size", (json_int_t)s->min_size,
        "connected", s->connected, "max_segments", int_or_null(s->max_segments, s->max_segments > 0), "refine",
        int_or_null(s->refine, s->refine > 0), "labels", xpl_label_map_view(s));
}

json_t *xpl_explain_params_view(const struct xpl_explain_params *params)
{
    const struct xpl_explain_params *p = params;
    char fill[XPL_FILL_TEXT_SIZE];
    json_t *image;

    image = json_pack("{s:o, s:s, s:o, s:f, s:s, s:s?, s:o, s:o, s:I}", "segmentation",
                      segmentation_view(&p->segmentation), "design", xpl_design_mode_name(p->design), "budget",
                      int_or_null(p->budget, p->budget > 0), "confidence", p->confidence, "fill",
                      xpl_fill_text(p, fill), "background", p->background, "classes", class_view(p), "seed",
                      int_or_null(p->seed, p->seed_given), "deadline_ms", (json_int_t)p->deadline_ms);
    return json_pack("{s:{s:b, s:o, s:o}, s:{s:b}, s:o}", "lime", "enabled", p->lime, "perturbations_count",
                     int_or_null(p->perturbations_count, p->perturbations_count > 0), "features_count",
                     int_or_null(p->features_count, p->features_count > 0), "contrastive", "enabled", p->contrastive,
                     "image", image);
}
