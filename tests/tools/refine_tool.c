/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From coarse to fine with a model at the other end of the pipe, for bench/accuracy:
 *
 *     refine_tool SEGMENTS [BUDGET [SEED]]   stdin: "H W C" and H x W x C pixel values, then answers
 *
 * Prints "score N" and N masks of the fine superpixels in hexadecimal, and reads N probabilities; in the end
 * "explanation CALLS COARSE", then of each fine superpixel the share of its superpixel's area that it has, and that
 * superpixel's weight, low and high.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/explain/coarse_to_fine.h"
#include "tests/tools/read_pixels.h"

struct model {
    const struct xpl_segments *fine;
    uint32_t place[XPL_MAX_SEGMENTS]; /* what each fine superpixel is a part of now */
};

static enum xpl_status use(void *model, const struct xpl_segments *segments, struct xpl_error *err)
{
    struct model *m = model;

    (void)err;
    for (size_t i = 0; i < (size_t)segments->height * segments->width; i++)
        m->place[m->fine->labels[i]] = segments->labels[i];
    return XPL_OK;
}

static enum xpl_status ask(void *model, const xpl_mask *masks, size_t n, double *ret_scores, struct xpl_error *err)
{
    const struct model *m = model;

    printf("score %zu\n", n);
    for (size_t i = 0; i < n; i++) {
        xpl_mask shown = 0;

        for (uint32_t k = 0; k < m->fine->count; k++)
            shown |= (masks[i] >> m->place[k] & 1u) << k;
        printf("%" PRIx64 "\n", shown);
    }
    fflush(stdout);
    for (size_t i = 0; i < n; i++) {
        if (scanf("%lf", &ret_scores[2 * i]) != 1)
            return xpl_fail(err, XPL_MODEL_FAILED, "fewer answers than masks");
        ret_scores[2 * i + 1] = 1 - ret_scores[2 * i];
    }
    return XPL_OK;
}

/* The explained class is the first of two; when it is not the more probable one, it comes second. */
static void print(const struct model *m, const struct xpl_segments *segments, const struct xpl_explanation *e)
{
    const struct xpl_class_explanation *c = &e->classes[e->classes[0].index == 0 ? 0 : 1];

    printf("explanation %zu %u %zu\n", e->calls + e->repeats + e->held_out + e->coarse_calls, segments->count,
           e->coarse_calls);
    for (uint32_t k = 0; k < m->fine->count; k++) {
        uint32_t j = m->place[k];

        printf("%.17g %.17g %.17g %.17g\n", (double)m->fine->segments[k].area / segments->segments[j].area,
               c->weights[j], c->low[j], c->high[j]);
    }
}

static enum xpl_status run(struct xpl_arena *arena, const struct xpl_pixels *image, int argc, char **argv,
                           struct xpl_error *err)
{
    struct model model = {0};
    struct xpl_explain_input in = {
        .image = image, .params = xpl_explain_params_default(), .n_classes = 2, .score = ask, .model = &model};
    const struct xpl_segments *used;
    struct xpl_segments *fine;
    struct xpl_explanation *explanation;
    enum xpl_status st;

    in.params.segmentation.refine = (uint32_t)strtoul(argv[1], NULL, 10);
    in.params.budget = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    in.params.seed_given = argc > 3;
    in.params.seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    if ((st = xpl_segment_image(arena, image, &in.params, NULL, &fine, err)))
        return st;
    in.segments = model.fine = fine;
    use(&model, fine, err);
    if ((st = xpl_explain_coarse_to_fine(arena, &in, use, &used, &explanation, err)))
        return st;
    use(&model, used, err);
    print(&model, used, explanation);
    return XPL_OK;
}

int main(int argc, char **argv)
{
    struct xpl_arena *arena = xpl_arena_new((size_t)1 << 30);
    struct xpl_pixels *image = arena && argc > 1 ? read_pixels(arena, stdin) : NULL;
    struct xpl_error err = {0};
    int code = 2;

    if (image)
        code = run(arena, image, argc, argv, &err) ? 1 : 0;
    else
        fputs("usage: refine_tool SEGMENTS [BUDGET [SEED]] < PIXELS\n", stderr);
    if (*err.message)
        fprintf(stderr, "refine_tool: %s\n", err.message);
    xpl_arena_free(arena);
    return code;
}
