/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of an explanation as JSON. */
#include <math.h>

#include "api/configuration/resource.h"
#include "api/explanations/explain_params.h"
#include "api/explanations/explanation_views.h"
#include "api/explanations/label_map.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "lib/base/time.h"

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* Labels as [label, length] runs in row-major order. */
static json_t *segment_view(const struct xpl_segment *s, uint32_t id)
{
    return json_pack("{s:I, s:I, s:[I, I, I, I], s:[f, f], s:[f, f, f]}", "id", (json_int_t)id, "area",
                     (json_int_t)s->area, "bbox", (json_int_t)s->top, (json_int_t)s->left, (json_int_t)s->bottom,
                     (json_int_t)s->right, "centroid", s->row, s->column, "mean_rgb", s->mean_rgb[0], s->mean_rgb[1],
                     s->mean_rgb[2]);
}

/* What the algorithm that was used looks at. */
static json_t *settings_view(const struct xpl_segmentation *used)
{
    json_t *view = NULL;

    switch (used->algorithm) {
    case XPL_SEGMENTATION_QUICKSHIFT:
        view = json_pack("{s:f, s:f, s:f}", "kernel_size", used->kernel_size, "max_dist", used->max_dist, "ratio",
                         used->ratio);
        break;
    case XPL_SEGMENTATION_GRID:
        view = json_pack("{s:I, s:I}", "rows", (json_int_t)used->grid_rows, "columns", (json_int_t)used->grid_columns);
        break;
    case XPL_SEGMENTATION_SLIC:
        view = json_pack("{s:I, s:f, s:b}", "n_segments", (json_int_t)used->n_segments, "compactness",
                         used->compactness, "slic_zero", used->slic_zero);
        break;
    case XPL_SEGMENTATION_FELZENSZWALB:
        view = json_pack("{s:f, s:f, s:I}", "scale", used->scale, "sigma", used->sigma, "min_size",
                         (json_int_t)used->min_size);
        break;
    case XPL_SEGMENTATION_LABELS:
        view = json_object();
        break;
    }
    json_object_set_new(view, "connected", json_boolean(used->connected));
    json_object_set_new(view, "max_segments", json_integer((json_int_t)used->max_segments));
    return view;
}

static json_t *segmentation_view(const struct xpl_segments *s)
{
    json_t *segments = json_array();

    for (uint32_t i = 0; i < s->count; i++)
        json_array_append_new(segments, segment_view(&s->segments[i], i));
    return json_pack("{s:s, s:o, s:I, s:I, s:b, s:{s:s, s:s, s:o}, s:o}", "algorithm",
                     xpl_segmentation_name(s->used.algorithm), "parameters", settings_view(&s->used), "count",
                     (json_int_t)s->count, "found", (json_int_t)s->found, "fell_back", s->fell_back, "labels",
                     "encoding", "rle", "order", "row-major", "runs",
                     xpl_label_runs(s->labels, (size_t)s->height * s->width), "segments", segments);
}

static json_t *numbers_view(const double *values, uint32_t n)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, number(values[i]));
    return list;
}

static json_t *intervals_view(const struct xpl_class_explanation *c, uint32_t n)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("[f, f]", c->low[i], c->high[i]));
    return list;
}

static json_t *decisions_view(const struct xpl_class_explanation *c, uint32_t n)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(xpl_decision_name(c->decisions[i])));
    return list;
}

static json_t *class_view(const struct xpl_finished *f, const struct xpl_class_explanation *c)
{
    uint32_t d = f->segments->count;
    json_t *fidelity = json_pack(
        "{s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:b, s:f, s:o, s:o, s:o, s:o}", "r2", number(c->r2), "q2", number(c->q2),
        "surrogate_q2", number(c->surrogate_q2), "local_prediction", c->local_prediction, "sum_gap", number(c->sum_gap),
        "deletion_auc", number(c->deletion_auc), "insertion_auc", number(c->insertion_auc), "auc_predicted",
        c->auc_predicted, "noise", c->noise, "not_additive", number(c->not_additive), "infidelity",
        number(c->infidelity), "top5_stability", number(c->top_stability), "weight_error", number(c->weight_error));

    return json_pack("{s:o, s:o, s:f, s:f, s:o, s:o, s:o, s:b, s:o, s:{s:s, s:s}}", "value",
                     json_sprintf("%u", c->index), "label", f->labels ? json_string(f->labels[c->index]) : json_null(),
                     "probability", c->probability, "intercept", c->intercept, "weights", numbers_view(c->weights, d),
                     "intervals", intervals_view(c, d), "decisions", decisions_view(c, d), "constant", c->constant,
                     "fidelity", fidelity, "verdict", "level", xpl_verdict_name(c->verdict), "reason", c->reason);
}

static json_t *classes_view(const struct xpl_finished *f)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < f->explanation->n_classes; i++)
        json_array_append_new(list, class_view(f, &f->explanation->classes[i]));
    return list;
}

static json_t *coarse_view(const struct xpl_explanation *e)
{
    return e->coarse_segments ? json_pack("{s:I, s:I}", "segments", (json_int_t)e->coarse_segments, "calls",
                                          (json_int_t)e->coarse_calls)
                              : json_null();
}

static json_t *sampling_view(struct xpl_arena *arena, const struct xpl_finished *f)
{
    const struct xpl_explanation *e = f->explanation;
    char fill[XPL_FILL_TEXT_SIZE], *seed = xpl_arena_alloc(arena, 2 * sizeof e->seed + 1);

    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:s, s:s*, s:b, s:s, s:o}", "mode",
                     xpl_design_mode_name(e->mode), "why", e->why, "design", e->design, "calls",
                     (json_int_t)(e->calls + e->held_out), "distinct_masks", (json_int_t)e->calls, "held_out",
                     (json_int_t)e->held_out, "doubt", e->doubt, "contradicted", e->contradicted, "fill",
                     xpl_fill_text(f->params, fill), "seed", seed ? xpl_hex(e->seed, sizeof e->seed, seed) : NULL,
                     "exact", e->exact, "stopped", xpl_stop_reason_name(e->stopped), "coarse", coarse_view(e));
}

static json_t *pertinent_view(const struct xpl_pertinent *set)
{
    json_t *segments;

    if (!set->found)
        return json_null();
    segments = json_array();
    for (xpl_mask left = set->segments; left; left &= left - 1)
        json_array_append_new(segments, json_integer(__builtin_ctzll(left)));
    return json_pack("{s:o, s:I, s:o, s:f, s:s}", "segments", segments, "size",
                     (json_int_t)__builtin_popcountll(set->segments), "value", json_sprintf("%u", set->class_index),
                     "probability", set->probability, "proof",
                     set->smallest      ? "smallest"
                     : set->irreducible ? "irreducible"
                                        : "found");
}

static json_t *contrast_view(const struct xpl_contrast *contrast)
{
    if (!contrast->asked)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:I}", "value", json_sprintf("%u", contrast->class_index), "positive",
                     pertinent_view(&contrast->positive), "negative", pertinent_view(&contrast->negative), "calls",
                     (json_int_t)contrast->calls);
}

static json_t *warnings_view(const struct xpl_finished *f)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < f->explanation->n_warnings; i++)
        json_array_append_new(list, json_string(f->explanation->warnings[i]));
    for (size_t i = 0; i < f->n_warnings; i++)
        json_array_append_new(list, json_string(f->warnings[i]));
    return list;
}

static json_t *image_view(const struct xpl_pixels *image)
{
    double low, high;
    enum xpl_pixel_range range = xpl_pixels_range(image, &low, &high);

    return json_pack("{s:I, s:I, s:I, s:{s:s, s:f, s:f}}", "height", (json_int_t)image->height, "width",
                     (json_int_t)image->width, "channels", (json_int_t)image->channels, "range", "kind",
                     xpl_pixel_range_name(range), "low", low, "high", high);
}

static json_t *timing_view(const struct xpl_explanation_timing *t)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "queued", t->queued, "decode", t->decode, "segment",
                     t->segment, "score", t->score, "fit", t->fit, "render", t->render, "total", t->total);
}

/* Null when the budget left no call to find out. */
static json_t *repeatable_view(const struct xpl_finished *f)
{
    const struct xpl_explanation *e = f->explanation;

    for (uint32_t i = 0; i < e->n_classes; i++)
        if (e->classes[i].noise > 0)
            return json_false();
    return e->repeats ? json_true() : json_null();
}

static json_t *model_view(const struct xpl_finished *f)
{
    const struct xpl_predictor_stats *s = &f->stats;

    return json_pack("{s:o, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "repeatable", repeatable_view(f),
                     "n_classes", (json_int_t)f->n_model_classes, "binary", f->n_model_classes == 2, "requests",
                     (json_int_t)s->requests, "images", (json_int_t)s->images, "batch", (json_int_t)s->batch,
                     "in_flight", (json_int_t)s->depth, "retries", (json_int_t)s->retries, "bytes_sent",
                     (json_int_t)s->bytes_sent, "bytes_received", (json_int_t)s->bytes_received, "content_type",
                     xpl_predictor_content_type(s));
}

enum xpl_status xpl_finished_attributions(struct xpl_arena *arena, const struct xpl_finished *f, const char **ret_text,
                                          struct xpl_error *err)
{
    char when[XPL_TIME_TEXT_SIZE];
    XPL_AUTO_JSON json = NULL;
    json_t *entity;

    entity = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "image", image_view(f->image), "segmentation",
                       segmentation_view(f->segments), "parameters", xpl_explain_params_view(f->params), "sampling",
                       sampling_view(arena, f), "classes", classes_view(f), "contrastive",
                       contrast_view(&f->explanation->contrast), "warnings", warnings_view(f), "timing_ms",
                       timing_view(&f->timing), "model", model_view(f));
    json = json_pack("{s:{s:s, s:s, s:s}, s:o}", "metadata", "explanation_task_id", f->task->id, "scoring_id",
                     f->task->scoring_id, "created_at", xpl_time_format(f->task->created_at, when), "entity", entity);
    *ret_text = json ? xpl_json_text(arena, json) : NULL;
    return *ret_text ? XPL_OK : xpl_no_memory(err);
}
