/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/explain_params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/explanations/explain_params_check.h"
#include "api/explanations/label_map.h"
#include "api/json_spec.h"
#include "lib/base/text.h"

#define MAX_CLASS 99999
#define MIN_CALLS 64 /* fewer masks are no balanced design */

/* What clients may write, in the order of the enumerations. */
static const char *const designs[] = {"auto", "exact", "reference", "adaptive", "array", NULL};
static const char *const fills[] = {"mean", "black", "blur", "noise", "image", NULL};
static const enum xpl_fill fill_modes[] = {XPL_FILL_MEAN, XPL_FILL_BLACK, XPL_FILL_BLUR, XPL_FILL_NOISE,
                                           XPL_FILL_IMAGE};
static const char *const algorithms[] = {"quickshift", "grid", "slic", "felzenszwalb", "labels", NULL};

struct params_request {
    int algorithm, design;
    const char *fill, *background;
    double kernel_size, max_dist, ratio, compactness, scale, sigma, confidence;
    int64_t rows, columns, n_segments, min_size, max_segments, refine;
    int64_t budget, perturbations_count, features_count, deadline_ms;
    bool slic_zero, connected, lime, contrastive;
    bool enabled; /* the monitor instance's; checked wherever it is sent */
};

/* `fill` holds the text of a colour. */
static struct params_request request_of(const struct xpl_explain_params *params, char fill[XPL_FILL_TEXT_SIZE])
{
    const struct xpl_segmentation *segmentation = &params->segmentation;

    return (struct params_request){
        .algorithm = (int)segmentation->algorithm,
        .rows = segmentation->grid_rows,
        .columns = segmentation->grid_columns,
        .kernel_size = segmentation->kernel_size,
        .max_dist = segmentation->max_dist,
        .ratio = segmentation->ratio,
        .n_segments = segmentation->n_segments,
        .compactness = segmentation->compactness,
        .slic_zero = segmentation->slic_zero,
        .connected = segmentation->connected,
        .scale = segmentation->scale,
        .sigma = segmentation->sigma,
        .min_size = segmentation->min_size,
        .max_segments = segmentation->max_segments,
        .refine = segmentation->refine,
        .lime = params->lime,
        .contrastive = params->contrastive,
        .fill = xpl_fill_text(params, fill),
        .background = params->background,
        .design = (int)params->design,
        .confidence = params->confidence,
        .budget = params->budget,
        .perturbations_count = params->perturbations_count,
        .features_count = params->features_count,
        .deadline_ms = params->deadline_ms,
    };
}

static enum xpl_status read_members(const json_t *json, struct params_request *request, struct xpl_error *err)
{
#define INT(member, json_path, low, high)                                                                              \
    XPL_JSON_INT(struct params_request, member, .path = json_path, .min = low, .max = high)
#define NUMBER(member, json_path, low, high)                                                                           \
    XPL_JSON_NUMBER_FIELD(struct params_request, member, .path = json_path, .min = low, .max = high)
    static const struct xpl_json_field fields[] = {
        XPL_JSON_BOOL(struct params_request, enabled),
        XPL_JSON_BOOL(struct params_request, lime, .path = "lime.enabled"),
        XPL_JSON_BOOL(struct params_request, contrastive, .path = "contrastive.enabled"),
        INT(perturbations_count, "lime.perturbations_count", MIN_CALLS, 1000000),
        INT(features_count, "lime.features_count", 1, 1000000),
        XPL_JSON_CHOICE(struct params_request, algorithm, .path = "image.segmentation.algorithm",
                        .choices = algorithms),
        NUMBER(kernel_size, "image.segmentation.kernel_size", 0.5, 10),
        NUMBER(max_dist, "image.segmentation.max_dist", 1, 10000),
        NUMBER(ratio, "image.segmentation.ratio", 0, 1),
        INT(rows, "image.segmentation.rows", 1, XPL_MAX_SEGMENTS),
        INT(columns, "image.segmentation.columns", 1, XPL_MAX_SEGMENTS),
        INT(n_segments, "image.segmentation.n_segments", 2, 4096),
        NUMBER(compactness, "image.segmentation.compactness", 0.01, 1000),
        XPL_JSON_BOOL(struct params_request, slic_zero, .path = "image.segmentation.slic_zero"),
        XPL_JSON_BOOL(struct params_request, connected, .path = "image.segmentation.connected"),
        NUMBER(scale, "image.segmentation.scale", 0, 100000),
        NUMBER(sigma, "image.segmentation.sigma", 0, 10),
        INT(min_size, "image.segmentation.min_size", 0, 1000000),
        INT(refine, "image.segmentation.refine", XPL_DEFAULT_SEGMENTS + 1, XPL_MAX_SEGMENTS),
        INT(max_segments, "image.segmentation.max_segments", 2, XPL_MAX_SEGMENTS),
        XPL_JSON_CHOICE(struct params_request, design, .path = "image.design", .choices = designs),
        XPL_JSON_STRING(struct params_request, fill, .path = "image.fill", .max = 16),
        XPL_JSON_STRING(struct params_request, background, .path = "image.background", .min = 1, .max = 256),
        INT(budget, "image.budget", MIN_CALLS, 1000000),
        NUMBER(confidence, "image.confidence", 0.5, 0.999),
        INT(deadline_ms, "image.deadline_ms", 100, 3600000),
    };
#undef INT
#undef NUMBER

    return xpl_json_read(json, fields, XPL_COUNT(fields), request, err);
}

/* null is "not given": of this member, whatever was in force before. */
static void forget_nulls(const json_t *json, struct params_request *request)
{
    const struct {
        const char *path;
        int64_t *number;
    } members[] = {{"lime.perturbations_count", &request->perturbations_count},
                   {"lime.features_count", &request->features_count},
                   {"image.segmentation.max_segments", &request->max_segments},
                   {"image.segmentation.n_segments", &request->n_segments},
                   {"image.segmentation.refine", &request->refine},
                   {"image.budget", &request->budget}};

    for (size_t i = 0; i < XPL_COUNT(members); i++)
        if (json_is_null(xpl_json_at(json, members[i].path)))
            *members[i].number = 0;
    if (json_is_null(xpl_json_at(json, "image.segmentation.kernel_size")))
        request->kernel_size = 0;
}

static bool read_colour(const char *text, uint32_t *ret)
{
    size_t digits = strspn(text + (*text == '#'), "0123456789abcdefABCDEF");

    if (*text != '#' || digits != 6 || text[7])
        return false;
    *ret = (uint32_t)strtoul(text + 1, NULL, 16);
    return true;
}

static enum xpl_status read_fill(const char *name, struct xpl_explain_params *params, struct xpl_error *err)
{
    for (size_t i = 0; fills[i]; i++) {
        if (strcmp(fills[i], name) == 0) {
            params->fill = fill_modes[i];
            return XPL_OK;
        }
    }
    if (!read_colour(name, &params->fill_colour))
        return xpl_fail_field(err, XPL_BAD_FIELD, "image.fill",
                              "\"%s\" is not one of mean, black, blur, noise, image, nor a colour such as #808080",
                              name);
    params->fill = XPL_FILL_COLOUR;
    return XPL_OK;
}

/* Labels are the segmentation, whatever algorithm was in force before; null takes them back. */
static enum xpl_status read_labels(struct xpl_arena *arena, const json_t *json, struct params_request *request,
                                   struct xpl_explain_params *params, struct xpl_error *err)
{
    static const char path[] = "image.segmentation.labels";
    const json_t *labels = xpl_json_at(json, path);
    enum xpl_status st;

    if (labels && !json_is_null(labels)) {
        if ((st = xpl_label_map_read(arena, labels, path, &params->segmentation, err)))
            return st;
        request->algorithm = XPL_SEGMENTATION_LABELS;
        if (request->design == XPL_DESIGN_EXACT && xpl_label_count(&params->segmentation) > XPL_FIELD_SEGMENTS)
            return xpl_fail_field(err, XPL_BAD_FIELD, path, "has %u labels; with design exact at most %u are accepted",
                                  xpl_label_count(&params->segmentation), XPL_FIELD_SEGMENTS);
    } else if (request->algorithm == XPL_SEGMENTATION_LABELS) {
        return xpl_fail_field(err, XPL_BAD_FIELD, path, "is needed with algorithm labels");
    }
    return XPL_OK;
}

/* The image that hidden zones show is one that was logged. */
static enum xpl_status read_background(struct xpl_arena *arena, const struct params_request *request,
                                       struct xpl_explain_params *params, struct xpl_error *err)
{
    if (params->fill == XPL_FILL_IMAGE && !request->background)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image.background",
                              "is needed with fill image: the scoring id of the image that hidden zones show");
    if (params->fill != XPL_FILL_IMAGE)
        params->background = NULL;
    if (params->fill != XPL_FILL_IMAGE || request->background == params->background)
        return XPL_OK;
    params->background = xpl_arena_string(arena, request->background);
    return params->background ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status read_class_list(const json_t *list, struct xpl_explain_params *params, struct xpl_error *err)
{
    size_t index, n = json_array_size(list);
    json_t *element;

    if (n < 1 || n > XPL_MAX_CLASSES_ASKED)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image.classes", "has %zu elements; 1 to %u are accepted", n,
                              XPL_MAX_CLASSES_ASKED);
    json_array_foreach(list, index, element)
    {
        const char *text = json_string_value(element);
        char path[64];
        int64_t value;

        snprintf(path, sizeof path, "image.classes[%zu]", index);
        if (!text || !xpl_parse_int(text, 0, MAX_CLASS, &value))
            return xpl_fail_field(err, XPL_BAD_FIELD, path, "must be the index of a class as a string, such as \"0\"");
        for (size_t i = 0; i < index; i++)
            if (params->class_list[i] == value)
                return xpl_fail_field(err, XPL_BAD_FIELD, path, "names class %s a second time", text);
        params->class_list[index] = (uint32_t)value;
    }
    params->n_class_list = (uint32_t)n;
    params->classes = XPL_CLASSES_LIST;
    return XPL_OK;
}

static enum xpl_status read_classes(const json_t *json, struct xpl_explain_params *params, struct xpl_error *err)
{
    const char *name = json_string_value(json);

    if (!json || json_is_null(json))
        return XPL_OK;
    if (json_is_array(json))
        return read_class_list(json, params, err);
    if (name && strcmp(name, "top2") == 0)
        params->classes = XPL_CLASSES_TOP2;
    else if (name && strcmp(name, "all") == 0)
        params->classes = XPL_CLASSES_ALL;
    else
        return xpl_fail_field(err, XPL_BAD_FIELD, "image.classes",
                              "must be \"top2\", \"all\" or an array of class indexes as strings");
    return XPL_OK;
}

static enum xpl_status read_seed(const json_t *json, struct xpl_explain_params *params, struct xpl_error *err)
{
    if (!json)
        return XPL_OK;
    params->seed_given = !json_is_null(json);
    if (!params->seed_given)
        return XPL_OK;
    if (!json_is_integer(json) || json_integer_value(json) < 0)
        return xpl_fail_field(err, XPL_BAD_FIELD, "image.seed", "must be null or a whole number that is not negative");
    params->seed = (uint64_t)json_integer_value(json);
    return XPL_OK;
}

static void take_segmentation(const struct params_request *request, struct xpl_segmentation *ret)
{
    ret->algorithm = (enum xpl_segmentation_algorithm)request->algorithm;
    ret->grid_rows = (uint32_t)request->rows;
    ret->grid_columns = (uint32_t)request->columns;
    ret->kernel_size = request->kernel_size;
    ret->max_dist = request->max_dist;
    ret->ratio = request->ratio;
    ret->n_segments = (uint32_t)request->n_segments;
    ret->compactness = request->compactness;
    ret->slic_zero = request->slic_zero;
    ret->connected = request->connected;
    ret->scale = request->scale;
    ret->sigma = request->sigma;
    ret->min_size = (uint32_t)request->min_size;
    ret->max_segments = (uint32_t)request->max_segments;
    ret->refine = (uint32_t)request->refine;
}

static void take(const struct params_request *request, struct xpl_explain_params *params)
{
    take_segmentation(request, &params->segmentation);
    params->lime = request->lime;
    params->contrastive = request->contrastive;
    params->confidence = request->confidence;
    params->design = (enum xpl_design_mode)request->design;
    params->budget = (uint32_t)request->budget;
    params->perturbations_count = (uint32_t)request->perturbations_count;
    params->features_count = (uint32_t)request->features_count;
    params->deadline_ms = (uint32_t)request->deadline_ms;
}

static enum xpl_status read_all(struct xpl_arena *arena, const json_t *json, struct xpl_explain_params *params,
                                struct xpl_error *err)
{
    static const char *const image_members[] = {"segmentation", "design",  "budget", "confidence",  "fill",
                                                "background",   "classes", "seed",   "deadline_ms", NULL};
    static const char *const segmentation_members[] = {
        "algorithm", "kernel_size", "max_dist",    "ratio",     "max_segments", "labels", "rows",
        "columns",   "n_segments",  "compactness", "slic_zero", "scale",        "sigma",  "min_size",
        "connected", "refine",      NULL};
    char fill[XPL_FILL_TEXT_SIZE];
    struct params_request request = request_of(params, fill);
    enum xpl_status st;

    forget_nulls(json, &request);
    if ((st = read_members(json, &request, err)) || (st = read_labels(arena, json, &request, params, err)) ||
        (st = xpl_json_known(xpl_json_at(json, "image"), "image", image_members, err)) ||
        (st = xpl_json_known(xpl_json_at(json, "image.segmentation"), "image.segmentation", segmentation_members,
                             err)) ||
        (st = read_fill(request.fill, params, err)) || (st = read_background(arena, &request, params, err)) ||
        (st = read_classes(xpl_json_at(json, "image.classes"), params, err)) ||
        (st = read_seed(xpl_json_at(json, "image.seed"), params, err)))
        return st;
    take(&request, params);
    return xpl_explain_params_check(json, params, err);
}

enum xpl_status xpl_explain_params_read(struct xpl_arena *arena, const json_t *json, const char *where,
                                        struct xpl_explain_params *params, struct xpl_error *err)
{
    struct xpl_error inner = {0};
    enum xpl_status st;

    if (!json || json_is_null(json))
        return XPL_OK;
    st = read_all(arena, json, params, &inner);
    if (!st)
        return XPL_OK;
    xpl_error_prefix(&inner, where);
    return xpl_fail_field(err, st, inner.field, "%s", inner.message);
}

enum xpl_status xpl_explain_params_known(const json_t *json, const char *where, struct xpl_error *err)
{
    static const char *const members[] = {"lime", "image", "contrastive", NULL};
    static const char *const contrastive_members[] = {"enabled", NULL};
    static const char *const lime_members[] = {"perturbations_count", "features_count", "enabled", NULL};
    struct xpl_error inner = {0};
    enum xpl_status st = xpl_json_known(json, "", members, &inner);

    if (!st)
        st = xpl_json_known(xpl_json_at(json, "lime"), "lime", lime_members, &inner);
    if (!st)
        st = xpl_json_known(xpl_json_at(json, "contrastive"), "contrastive", contrastive_members, &inner);
    if (!st)
        return XPL_OK;
    xpl_error_prefix(&inner, where);
    return xpl_fail_field(err, st, inner.field, "%s", inner.message);
}

enum xpl_status xpl_explain_params_stored(struct xpl_arena *arena, const char *text, struct xpl_explain_params *ret,
                                          struct xpl_error *err)
{
    XPL_AUTO_JSON json = json_loads(text, 0, NULL);

    *ret = xpl_explain_params_default();
    if (!json)
        return xpl_fail(err, XPL_STORAGE_FAILED, "the task's stored parameters are damaged");
    return xpl_explain_params_read(arena, json, "parameters", ret, err);
}
