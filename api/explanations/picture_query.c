/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/picture_query.h"

#include <math.h>
#include <string.h>

#include "lib/base/text.h"

#define MAX_SCALE  16
#define HEAT_ALPHA 0.75
#define TINT_ALPHA 0.45

static const char *const kinds[] = {
    "positive", "negative",           "original",           "sheet", "both", "heatmap", "outline",
    "masked",   "pertinent_positive", "pertinent_negative", NULL};
static const char *const maps[] = {"blue_orange", "green_purple", NULL};
static const char *const backdrops[] = {"original", "grey", "black", "transparent", NULL};
static const char *const formats[] = {"png", "svg", "json", NULL};
static const char *const parameters[] = {"pane", "class", "overlay", "color_map", "alpha",
                                         "clip", "scale", "format",  "legend",    NULL};

static const char *joined(const struct xpl_call *call, const char *const *names)
{
    const char *text = names[0];

    for (size_t i = 1; text && names[i]; i++)
        text = xpl_arena_printf(call->arena, "%s, %s", text, names[i]);
    return text ? text : "";
}

/* A misspelt parameter is not taken for one that was not given. */
static enum xpl_status check_names(const struct xpl_call *call, struct xpl_error *err)
{
    for (size_t i = 0; i < call->n_query; i++) {
        const char *name = call->query[i].name, *const *known = parameters;

        while (*known && strcmp(*known, name) != 0)
            known++;
        if (!*known)
            return xpl_fail_field(err, XPL_BAD_FIELD, name, "is not a parameter of pictures, which are %s",
                                  joined(call, parameters));
        if (xpl_call_query(call, name) != call->query[i].value)
            return xpl_fail_field(err, XPL_BAD_FIELD, name, "is given more than once");
    }
    return XPL_OK;
}

/* The position of the parameter's value; `fallback` when it is not given. */
static enum xpl_status read_choice(const struct xpl_call *call, const char *name, const char *const *names,
                                   size_t fallback, size_t *ret, struct xpl_error *err)
{
    const char *value = xpl_call_query(call, name);

    *ret = fallback;
    for (size_t i = 0; value && names[i]; i++) {
        if (strcmp(names[i], value) == 0) {
            *ret = i;
            return XPL_OK;
        }
    }
    return value ? xpl_fail_field(err, XPL_BAD_FIELD, name, "\"%.40s\" is not one of %s", value, joined(call, names))
                 : XPL_OK;
}

static enum xpl_status read_share(const struct xpl_call *call, const char *name, double fallback, double *ret,
                                  struct xpl_error *err)
{
    const char *value = xpl_call_query(call, name);

    *ret = value ? xpl_parse_double(value, strlen(value)) : fallback;
    return *ret >= 0 && *ret <= 1
               ? XPL_OK
               : xpl_fail_field(err, XPL_BAD_FIELD, name, "\"%.40s\" is no number from 0 to 1", value ? value : "");
}

static enum xpl_status read_whole(const struct xpl_call *call, const char *name, int64_t min, int64_t max,
                                  int64_t fallback, int64_t *ret, struct xpl_error *err)
{
    const char *value = xpl_call_query(call, name);

    *ret = fallback;
    return !value || xpl_parse_int(value, min, max, ret)
               ? XPL_OK
               : xpl_fail_field(err, XPL_BAD_FIELD, name, "\"%.40s\" is no whole number from %lld to %lld", value,
                                (long long)min, (long long)max);
}

/* What each may be alone, and not together. */
static enum xpl_status check_together(const struct xpl_picture_query *q, struct xpl_error *err)
{
    bool coloured = q->kind == XPL_PICTURE_HEATMAP || q->kind == XPL_PICTURE_BOTH;

    if (q->format == XPL_PICTURE_SVG && q->kind != XPL_PICTURE_HEATMAP)
        return xpl_fail_field(err, XPL_BAD_FIELD, "format", "svg is there for pane=heatmap");
    if (q->legend && !coloured)
        return xpl_fail_field(err, XPL_BAD_FIELD, "legend", "is there for pane=heatmap and pane=both");
    if (q->overlay.backdrop == XPL_BACKDROP_TRANSPARENT && q->format == XPL_PICTURE_SVG)
        return xpl_fail_field(err, XPL_BAD_FIELD, "overlay",
                              "transparent is there for PNG pictures, not for format=svg");
    if (q->overlay.backdrop == XPL_BACKDROP_TRANSPARENT &&
        (q->kind == XPL_PICTURE_SHEET || q->kind == XPL_PICTURE_ORIGINAL))
        return xpl_fail_field(err, XPL_BAD_FIELD, "overlay",
                              "transparent is there for PNG pictures of zones, not for pane=%s", kinds[q->kind]);
    return XPL_OK;
}

enum xpl_status xpl_picture_query_read(const struct xpl_call *call, struct xpl_picture_query *ret,
                                       struct xpl_error *err)
{
    size_t kind, map, backdrop, format;
    int64_t scale, legend;
    bool heat;
    enum xpl_status st;

    *ret = (struct xpl_picture_query){0};
    if ((st = check_names(call, err)) || (st = read_choice(call, "pane", kinds, XPL_PICTURE_SHEET, &kind, err)))
        return st;
    heat = kind == XPL_PICTURE_HEATMAP;
    if ((st = read_choice(call, "color_map", maps, XPL_MAP_BLUE_ORANGE, &map, err)) ||
        (st = read_choice(call, "overlay", backdrops, heat ? XPL_BACKDROP_GREY : XPL_BACKDROP_ORIGINAL, &backdrop,
                          err)) ||
        (st = read_choice(call, "format", formats, XPL_PICTURE_PNG, &format, err)) ||
        (st = read_share(call, "alpha", heat ? HEAT_ALPHA : TINT_ALPHA, &ret->overlay.alpha, err)) ||
        (st = read_share(call, "clip", 0, &ret->overlay.clip, err)) ||
        (st = read_whole(call, "scale", 1, MAX_SCALE, 0, &scale, err)) ||
        (st = read_whole(call, "legend", 0, 1, format == XPL_PICTURE_SVG, &legend, err)))
        return st;
    ret->kind = (enum xpl_picture_kind)kind;
    ret->overlay.map = (enum xpl_colour_map)map;
    ret->overlay.backdrop = (enum xpl_backdrop)backdrop;
    ret->scale = (uint32_t)scale;
    ret->format = (enum xpl_picture_format)format;
    ret->legend = legend == 1;
    return check_together(ret, err);
}

bool xpl_picture_query_of(const char *name, struct xpl_picture_query *ret)
{
    for (size_t i = 0; kinds[i]; i++) {
        bool heat = i == XPL_PICTURE_HEATMAP;

        if (strcmp(kinds[i], name) != 0)
            continue;
        *ret = (struct xpl_picture_query){.kind = (enum xpl_picture_kind)i};
        ret->overlay.backdrop = heat ? XPL_BACKDROP_GREY : XPL_BACKDROP_ORIGINAL;
        ret->overlay.alpha = heat ? HEAT_ALPHA : TINT_ALPHA;
        return true;
    }
    return false;
}

const char *xpl_picture_query_pane(const struct xpl_picture_query *query)
{
    return kinds[query->kind];
}

const char *xpl_picture_query_tag(struct xpl_arena *arena, const struct xpl_picture_query *q)
{
    return xpl_arena_printf(arena, "%s-%s-%s-%g-%g-%u-%d%d", kinds[q->kind], maps[q->overlay.map],
                            backdrops[q->overlay.backdrop], q->overlay.alpha, q->overlay.clip, q->scale, q->format,
                            q->legend);
}
