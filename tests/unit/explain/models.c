/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/explain/models.h"

#include <math.h>

#include "tests/unit/explain/explain_test.h"

static double two_classes(double probability, uint32_t class_index)
{
    return class_index == 0 ? probability : 1 - probability;
}

double constant(xpl_mask mask, uint32_t class_index)
{
    (void)mask;
    return two_classes(0.7, class_index);
}

double additive(xpl_mask mask, uint32_t class_index)
{
    double sum = 0.2;

    for (uint32_t j = 0; j < 16; j++)
        sum += (double)(mask >> j & 1) * 0.005 * (j % 2 ? -(double)(j + 1) : (double)(j + 1));
    return two_classes(sum, class_index);
}

double parity(xpl_mask mask, uint32_t class_index)
{
    return two_classes((double)(__builtin_popcountll(mask) % 2), class_index);
}

double all_of_first_six(xpl_mask mask, uint32_t class_index)
{
    return two_classes((mask & 63) == 63 ? 0.9 : 0.1, class_index);
}

double fourth_superpixel(xpl_mask mask, uint32_t class_index)
{
    return two_classes(mask >> 3 & 1 ? 0.8 : 0.2, class_index);
}

double additive_with_pairs(xpl_mask mask, uint32_t class_index)
{
    double sum = 0.3;

    for (uint32_t j = 0; j < 12; j++)
        sum += (double)(mask >> j & 1) * 0.03;
    for (uint32_t j = 0; j < 12; j += 2)
        if ((mask >> j & 3) == 3)
            sum += j % 4 ? 0.025 : -0.025;
    return two_classes(sum, class_index);
}

double two_pairs(xpl_mask mask, uint32_t class_index)
{
    return two_classes(0.1 + ((mask & 3) == 3 ? 0.4 : 0) + ((mask >> 4 & 3) == 3 ? 0.3 : 0), class_index);
}

double saturated(xpl_mask mask, uint32_t class_index)
{
    return two_classes(__builtin_popcountll(mask) > 3, class_index);
}

double logistic(xpl_mask mask, uint32_t class_index)
{
    double sum = -1;

    for (xpl_mask left = mask; left; left &= left - 1) {
        int j = __builtin_ctzll(left);

        sum += j % 3 == 0 ? 0.8 : j % 3 == 1 ? -0.4 : 0;
    }
    return two_classes(1 / (1 + exp(-sum / 2)), class_index);
}

double many(xpl_mask mask, uint32_t class_index)
{
    double shown = (double)__builtin_popcountll(mask) / 16;

    if (class_index == 3)
        return 0.04;
    if (class_index == 4)
        return 0.03 * ((mask & 5) == 5 ? 1 : (double)(mask >> 1 & 1));
    return 0.1 / (1 + class_index) * (0.9 + 0.1 * shown);
}

/* Larger masks than that are looked at by the tests of the designs. */
static void note_mask(struct model *model, xpl_mask mask)
{
    xpl_mask all_on = ((xpl_mask)1 << model->d) - 1;

    if (mask == all_on) {
        model->checks += model->seen_all_on;
        model->seen_all_on = true;
    }
    if (mask >= SEEN_MASKS || mask == all_on)
        return;
    model->repeated += model->seen[mask];
    model->seen[mask] = true;
}

static enum xpl_status score(void *context, const xpl_mask *masks, size_t n, double *ret_scores, struct xpl_error *err)
{
    struct model *model = context;

    size_t before = model->checks;

    if (model->fail_with && model->scored + n > model->fail_after)
        return xpl_fail(err, model->fail_with, "the model's time is over");
    for (size_t i = 0; i < n; i++) {
        note_mask(model, masks[i]);
        for (uint32_t c = 0; c < model->n_classes; c++)
            ret_scores[i * model->n_classes + c] = model->f(masks[i], c);
    }
    model->scored += n - (model->checks - before);
    return XPL_OK;
}

static void plan(void *context, size_t total)
{
    struct model *model = context;

    model->planned = total;
}

struct xpl_explain_input model_input(struct model *model, struct xpl_segments *segments)
{
    *segments = (struct xpl_segments){.count = model->d};
    return (struct xpl_explain_input){
        .segments = segments,
        .params = xpl_explain_params_default(),
        .n_classes = model->n_classes,
        .seed = {1, 2, 3},
        .score = score,
        .plan = plan,
        .model = model,
    };
}

struct xpl_explanation *explain_model(struct xpl_arena *arena, model_fn f, uint32_t d, uint32_t n_classes,
                                      const struct xpl_explain_params *params)
{
    struct model *model = XPL_NEW(arena, struct model);
    struct xpl_explanation *explanation = NULL;
    struct xpl_segments segments;
    struct xpl_explain_input in;

    *model = (struct model){.f = f, .d = d, .n_classes = n_classes};
    in = model_input(model, &segments);
    in.params = *params;
    assert_int_equal(xpl_explain(arena, &in, &explanation, NULL), XPL_OK);
    assert_int_equal(model->scored, explanation->calls + explanation->held_out);
    return explanation;
}
