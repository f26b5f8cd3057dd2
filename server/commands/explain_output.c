/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/explanations/explanation_views.h"
#include "api/explanations/picture.h"
#include "lib/base/time.h"
#include "lib/explain/drawing/overlay.h"
#include "server/commands/explain_shell.h"

static int decimals_of(const struct xpl_shell *s, const struct xpl_class_explanation *c)
{
    double largest = 0;

    for (uint32_t j = 0; j < s->segments->count; j++)
        largest = fmax(largest, fabs(c->weights[j]));
    return xpl_weight_decimals(largest);
}

static void print_class(const struct xpl_shell *s, const struct xpl_class_explanation *c)
{
    const char *label = s->labels ? s->labels[c->index] : NULL;
    int digits = decimals_of(s, c);

    printf("\nclass %u%s%s%s, probability %.4f\n", c->index, label ? " (" : "", label ? label : "", label ? ")" : "",
           c->probability);
    printf("  zone    weight%*s   interval%*s   share of area   at row, column\n", digits - 4, "", 2 * digits + 4, "");
    for (uint32_t j = 0; j < s->segments->count; j++) {
        const struct xpl_segment *zone = &s->segments->segments[j];

        printf("  %4u  %+.*f   %+.*f to %+.*f   %10.1f %%   %6.0f, %-6.0f  %s\n", j, digits, c->weights[j], digits,
               c->low[j], digits, c->high[j], 100.0 * zone->area / ((double)s->segments->height * s->segments->width),
               zone->row, zone->column, xpl_decision_name(c->decisions[j]));
    }
    printf("verdict: %s. %s\n", xpl_verdict_name(c->verdict), c->reason);
}

static void print_set(const struct xpl_shell *s, const char *what, const struct xpl_pertinent *set, const char *none)
{
    const char *label = set->found && s->labels ? s->labels[set->class_index] : NULL;

    if (!set->found) {
        printf("%s: %s\n", what, none);
        return;
    }
    printf("%s: zones", what);
    for (xpl_mask left = set->segments; left; left &= left - 1)
        printf(" %d", __builtin_ctzll(left));
    printf("%s (class %u%s%s%s then has probability %.4f)\n", set->segments ? "" : " none", set->class_index,
           label ? ", " : "", label ? label : "", label ? "," : "", set->probability);
}

static void print_contrast(const struct xpl_shell *s)
{
    const struct xpl_contrast *contrast = &s->explanation->contrast;

    printf("\n");
    print_set(s, "enough for the class", &contrast->positive, "no set of zones that was tried");
    print_set(s, "hidden, they change the class", &contrast->negative, "no set of zones that was tried does");
}

void xpl_shell_print_words(const struct xpl_shell *s)
{
    const struct xpl_explanation *e = s->explanation;
    const char *caveat = xpl_predictor_caveat(s->predictor, s->arena);

    printf("%u zones, %zu model calls (%s, %s), %.1f s\n", s->segments->count, e->calls + e->held_out, e->design,
           xpl_stop_reason_name(e->stopped), (double)(xpl_monotonic_us() - s->started_us) / 1e6);
    for (uint32_t i = 0; i < e->n_classes; i++)
        print_class(s, &e->classes[i]);
    if (e->contrast.asked)
        print_contrast(s);
    for (uint32_t i = 0; i < e->n_warnings; i++)
        printf("note: %s\n", e->warnings[i]);
    if (caveat)
        printf("note: %s\n", caveat);
}

enum xpl_status xpl_shell_print_json(const struct xpl_shell *s, struct xpl_error *err)
{
    int64_t now = xpl_now_us();
    struct xpl_task task = {.id = "shell", .scoring_id = s->options.image, .created_at = now};
    struct xpl_finished finished = {.task = &task,
                                    .finished_at = now,
                                    .params = &s->params,
                                    .image = s->image,
                                    .segments = s->segments,
                                    .explanation = s->explanation,
                                    .n_model_classes = s->n_classes,
                                    .labels = s->labels};
    const char *caveat = xpl_predictor_caveat(s->predictor, s->arena), *text;
    enum xpl_status st;

    finished.warnings = &caveat;
    finished.n_warnings = caveat ? 1 : 0;
    xpl_predictor_stats(s->predictor, &finished.stats);
    finished.timing.score = finished.stats.seconds * 1000;
    finished.timing.total = (double)(xpl_monotonic_us() - s->started_us) / 1000;
    if (!(st = xpl_finished_attributions(s->arena, &finished, &text, err)))
        puts(text);
    return st;
}

static enum xpl_status write_file(const char *path, const void *data, size_t length, struct xpl_error *err)
{
    FILE *file = fopen(path, "wb");
    bool written = file && fwrite(data, 1, length, file) == length;

    written = file && fclose(file) == 0 && written;
    return written ? XPL_OK : xpl_fail_field(err, XPL_BAD_FIELD, "--output", "%.200s cannot be written", path);
}

/* A set of zones is drawn by weights of 1. */
static enum xpl_status take_set(struct xpl_shell *s, const struct xpl_pertinent *set, struct xpl_picture *ret,
                                struct xpl_error *err)
{
    if (!set->found)
        return xpl_fail_field(err, XPL_BAD_FIELD, "--pane", "no such set of zones was found");
    if (!(ret->weights = XPL_NEW_ARRAY(s->arena, double, s->segments->count)))
        return xpl_no_memory(err);
    for (uint32_t j = 0; j < s->segments->count; j++)
        ret->weights[j] = (double)(set->segments >> j & 1u);
    ret->low = ret->high = NULL;
    return XPL_OK;
}

/* Without the scale of its colours where that does not fit below. */
static enum xpl_status draw_png(struct xpl_shell *s, const struct xpl_picture *picture, uint8_t **ret,
                                size_t *ret_length, struct xpl_error *err)
{
    struct xpl_picture_query query = s->options.picture;
    enum xpl_status st = xpl_picture_png(s->arena, picture, &query, ret, ret_length, err);

    if (!query.legend || st != XPL_BAD_FIELD || strcmp(err->field, "legend") != 0)
        return st;
    query.legend = false;
    fprintf(stderr, "explaind: note: the picture is too narrow for the scale of its colours; it is drawn without\n");
    *err = (struct xpl_error){0};
    return xpl_picture_png(s->arena, picture, &query, ret, ret_length, err);
}

enum xpl_status xpl_shell_write_picture(struct xpl_shell *s, struct xpl_error *err)
{
    const struct xpl_class_explanation *c = &s->explanation->classes[0];
    const struct xpl_contrast *contrast = &s->explanation->contrast;
    struct xpl_picture picture = {s->image, *s->segments, c->weights, c->low, c->high, s->n_classes == 2};
    bool negative = s->options.picture.kind == XPL_PICTURE_PERTINENT_NEGATIVE;
    XPL_AUTO(xpl_buf) svg = xpl_buf_new(XPL_PICTURE_MAX_SVG);
    uint8_t *png;
    size_t length;
    enum xpl_status st;

    if (!svg)
        return xpl_no_memory(err);
    if ((negative || s->options.picture.kind == XPL_PICTURE_PERTINENT_POSITIVE) &&
        (st = take_set(s, negative ? &contrast->negative : &contrast->positive, &picture, err)))
        return st;
    if (s->options.picture.format == XPL_PICTURE_SVG) {
        st = xpl_picture_svg(s->arena, &picture, &s->options.picture, svg, err);
        return st ? st : write_file(s->options.output, svg->data, svg->length, err);
    }
    st = draw_png(s, &picture, &png, &length, err);
    return st ? st : write_file(s->options.output, png, length, err);
}
