/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of combinations of zones that look like others on a balanced design: what is said of them must hold. */
#include "tests/unit/explain/explain_test.h"

#include <math.h>
#include <string.h>

#include "lib/explain/fitting/fit.h"
#include "tests/unit/explain/models.h"

#define N_FUNCTIONS 24
#define N_LARGE     6
#define N_SETS      12
#define MOST_ZONES  17u

/* A sum of products of signs, through a logistic function. */
static struct {
    double zone[MOST_ZONES], product[N_SETS];
    xpl_mask set[N_SETS];
} drawn;

static double mixed(xpl_mask mask, uint32_t class_index)
{
    double sum = 0, p;

    for (uint32_t j = 0; j < MOST_ZONES; j++)
        sum += mask >> j & 1u ? drawn.zone[j] : -drawn.zone[j];
    for (uint32_t k = 0; k < N_SETS; k++)
        sum += __builtin_popcountll(mask & drawn.set[k]) % 2 ? drawn.product[k] : -drawn.product[k];
    p = 1 / (1 + exp(-sum));
    return class_index == 0 ? p : 1 - p;
}

/* Of class 0 pairs of zones and a product of all 16, which the code does not show; class 1 never changes. */
static double hidden_and_constant(xpl_mask mask, uint32_t class_index)
{
    double p = 0.5;

    if (class_index == 1)
        return 0.1;
    for (uint32_t j = 0; j < 16; j += 2)
        p += (mask >> j & 3u) == 3 ? 0.03 : 0;
    return p + (__builtin_popcountll(mask & 0xFFFF) % 2 ? 0.2 : 0);
}

static double between(struct xpl_stream *stream, double low, double high)
{
    return low + (high - low) * ldexp((double)(xpl_stream_next(stream) >> 11), -53);
}

/* Sets of two to `order` of d zones. */
static void draw(uint32_t number, uint32_t d, uint32_t order)
{
    uint8_t seed[XPL_HASH_BYTES] = {(uint8_t)number, (uint8_t)order};
    struct xpl_stream stream;

    xpl_stream_start(&stream, seed);
    for (uint32_t j = 0; j < MOST_ZONES; j++)
        drawn.zone[j] = j < d ? between(&stream, -0.9, 0.9) : 0;
    for (uint32_t k = 0; k < N_SETS; k++) {
        uint32_t size = 2 + (uint32_t)(xpl_stream_next(&stream) % (order - 1));

        drawn.product[k] = between(&stream, -0.6, 0.6);
        for (drawn.set[k] = 0; (uint32_t)__builtin_popcountll(drawn.set[k]) < size;)
            drawn.set[k] |= (xpl_mask)1 << xpl_stream_next(&stream) % d;
    }
}

static struct xpl_explanation *explain_as(void **state, uint32_t d, enum xpl_design_mode mode, uint32_t budget)
{
    struct xpl_explain_params params = xpl_explain_params_default();

    params.design = mode;
    params.budget = budget;
    return explain_model(*state, mixed, d, 2, &params);
}

static struct xpl_explanation *explain(void **state, uint32_t d, uint32_t budget)
{
    return explain_as(state, d, XPL_DESIGN_AUTO, budget);
}

/* The operator of all masks. */
static struct xpl_fit *fit_all(void **state, uint32_t d)
{
    struct xpl_fit_rows rows = {.n = (size_t)1 << d, .n_segments = d};
    xpl_mask *masks = XPL_NEW_ARRAY(*state, xpl_mask, rows.n);
    struct xpl_fit *fit = NULL;

    for (size_t mask = 0; mask < rows.n; mask++)
        masks[mask] = mask;
    rows.masks = masks;
    assert_int_equal(xpl_fit_factor(*state, &rows, &fit, NULL), XPL_OK);
    return fit;
}

/* How many of the true weights the intervals of both classes hold. */
static uint32_t count_held(void **state, const struct xpl_fit *all, const struct xpl_explanation *e)
{
    double *scores = XPL_NEW_ARRAY(*state, double, all->rows.n);
    struct xpl_fit_result truth;
    uint32_t held = 0;

    for (uint32_t i = 0; i < e->n_classes; i++) {
        const struct xpl_class_explanation *c = &e->classes[i];

        for (size_t mask = 0; mask < all->rows.n; mask++)
            scores[mask] = mixed(mask, c->index);
        xpl_fit_solve(all, scores, &truth);
        for (uint32_t j = 0; j < all->rows.n_segments; j++)
            held += c->low[j] <= truth.coefficients[j + 1] + 1e-9 && truth.coefficients[j + 1] <= c->high[j] + 1e-9;
    }
    return held;
}

/* Of all weights of many functions. */
static double coverage(void **state, uint32_t order, uint32_t budget, uint32_t *ret_tried)
{
    uint32_t held = 0, all = 0;

    struct xpl_fit *fits[4];

    for (uint32_t i = 0; i < 4; i++)
        fits[i] = fit_all(state, 10 + i);
    *ret_tried = 0;
    for (uint32_t number = 0; number < N_FUNCTIONS; number++) {
        uint32_t d = 10 + number % 4;
        struct xpl_explanation *e;

        draw(number, d, order);
        e = explain(state, d, budget);
        *ret_tried += e->held_out > 0;
        held += count_held(state, fits[number % 4], e);
        all += 2 * d;
    }
    return (double)held / all;
}

static void a_surrogate_that_claims_much_is_tried_on_masks_held_out(void **state)
{
    uint32_t tried;

    assert_true(coverage(state, 3, 0, &tried) >= 0.95);
    assert_true(tried > 0);
    assert_true(coverage(state, 4, 0, &tried) >= 0.95);
    assert_true(tried > 0);
}

static void without_calls_to_try_it_with_it_is_believed_less(void **state)
{
    uint32_t tried;

    assert_true(coverage(state, 3, 256, &tried) >= 0.95);
    assert_int_equal(tried, 0);
    assert_true(coverage(state, 4, 256, &tried) >= 0.95);
    assert_true(coverage(state, 3, 512, &tried) >= 0.95);
    assert_true(coverage(state, 4, 512, &tried) >= 0.95);
    assert_true(coverage(state, 3, 128, &tried) >= 0.95);
    assert_true(coverage(state, 4, 128, &tried) >= 0.95);
}

/* There the surrogate's weights are those of the rows of an array, which stand for all masks. */
static void intervals_of_many_zones_hold_too(void **state)
{
    static const enum xpl_design_mode modes[] = {XPL_DESIGN_AUTO, XPL_DESIGN_ADAPTIVE};
    struct xpl_fit *all = fit_all(state, 17);
    uint32_t held[2] = {0};

    for (uint32_t number = 0; number < N_LARGE; number++) {
        draw(number, 17, 2 + number % 3);
        for (size_t k = 0; k < 2; k++)
            held[k] += count_held(state, all, explain_as(state, 17, modes[k], 2048));
    }
    assert_true(held[0] >= 0.95 * N_LARGE * 2 * 17);
    assert_true(held[1] >= 0.95 * N_LARGE * 2 * 17);
}

static void nothing_is_doubted_where_all_masks_were_scored(void **state)
{
    for (uint32_t number = 0; number < N_FUNCTIONS; number++) {
        struct xpl_explanation *e;

        draw(number, 10, 4);
        e = explain(state, 10, 0);
        assert_true(e->exact ? e->doubt == 0 : e->doubt > 0);
    }
}

static void the_classes_of_a_binary_model_are_doubted_alike(void **state)
{
    for (uint32_t number = 0; number < 4; number++) {
        struct xpl_explanation *e;

        draw(number, 12, 4);
        e = explain(state, 12, 0);
        for (uint32_t j = 0; j < 12; j++) {
            double width = e->classes[0].high[j] - e->classes[0].low[j];

            assert_near(e->classes[1].high[j] - e->classes[1].low[j], width, 1e-9);
        }
    }
}

/* Products of zones that have the same sign in all masks of a design: what is drawn has one of them, and what adds up.
 */
static void draw_hidden(uint32_t d, xpl_mask set, double product, double zones)
{
    draw(1, d, 2);
    for (uint32_t j = 0; j < d; j++)
        drawn.zone[j] *= zones;
    memset(drawn.product, 0, sizeof drawn.product);
    drawn.set[0] = set;
    drawn.product[0] = product;
}

/* A product of all 16 zones is constant on the code: all its words have an even number of them. */
static void what_a_design_cannot_show_is_found_on_masks_held_out(void **state)
{
    struct xpl_explanation *e;

    draw_hidden(16, 0xFFFF, 0.8, 0.2);
    e = explain(state, 16, 1024);
    assert_int_equal(e->held_out, 16);
    assert_true(e->classes[0].q2 < 0.8 && e->contradicted > 0.2);
    assert_int_equal(e->classes[0].verdict, XPL_VERDICT_LOW);
    assert_int_equal(e->classes[1].verdict, XPL_VERDICT_LOW);
    assert_true(count_held(state, fit_all(state, 16), e) == 2 * 16);

    draw_hidden(16, 0xFFFF, 0.8, 0);
    e = explain(state, 16, 1024);
    assert_false(e->classes[0].constant);
    assert_int_equal(e->classes[0].verdict, XPL_VERDICT_LOW);
    assert_int_equal(e->stopped, XPL_STOPPED_BUDGET);
}

/* With 64 masks, a product of four does; there is nothing left to see it by. */
static void a_small_design_without_calls_to_try_others_is_not_called_sure(void **state)
{
    struct xpl_explanation *e;

    draw_hidden(16, 0xF, 0.4, 0.2);
    e = explain(state, 16, 64);
    assert_int_equal(e->held_out, 0);
    assert_true(e->classes[0].untried && e->classes[0].verdict != XPL_VERDICT_HIGH);
    for (uint32_t j = 0; j < 16; j++)
        assert_true(e->classes[0].high[j] > e->classes[0].low[j]);
    assert_false(explain(state, 16, 256)->classes[0].untried);
}

/* The time ends when masks are to be held out: then the limits of belief take their place. */
static void a_deadline_while_masks_are_held_out_takes_no_doubt_away(void **state)
{
    uint32_t n = 0;

    for (uint32_t number = 0; number < N_FUNCTIONS; number++) {
        struct xpl_explanation *whole, *e = NULL;
        struct model model = {.f = mixed, .d = 12, .n_classes = 2, .fail_with = XPL_DEADLINE};
        struct xpl_segments segments;
        struct xpl_explain_input in = model_input(&model, &segments);

        draw(number, 12, 4);
        whole = explain(state, 12, 0);
        model.fail_after = whole->calls;
        assert_int_equal(xpl_explain(*state, &in, &e, NULL), XPL_OK);
        if (whole->held_out == 0 || whole->stopped != XPL_STOPPED_CONFIDENT || e->calls != whole->calls || e->held_out)
            continue;
        n++;
        assert_true(e->doubt > 0);
    }
    assert_true(n > 0);
}

/* Held out for the second class, they are for the first one, too. */
static void all_classes_are_tried_on_masks_held_out_for_one(void **state)
{
    struct model model = {.f = hidden_and_constant, .d = 16, .n_classes = 2};
    struct xpl_explanation *e = NULL;
    struct xpl_segments segments;
    struct xpl_explain_input in = model_input(&model, &segments);

    in.params.design = XPL_DESIGN_ARRAY;
    in.params.classes = XPL_CLASSES_LIST;
    in.params.class_list[1] = 1;
    in.params.n_class_list = 2;
    assert_int_equal(xpl_explain(*state, &in, &e, NULL), XPL_OK);
    assert_int_equal(e->held_out, 16);
    assert_true(e->contradicted > 0.2 && e->classes[0].q2 < 0.5);
    assert_true(e->classes[1].constant);
}

static void what_adds_up_is_borne_out(void **state)
{
    draw_hidden(16, 0, 0, 0.02);
    for (uint32_t d = 16; d <= 17; d++) {
        struct xpl_explanation *e = explain(state, d, 0);

        assert_int_equal(e->held_out, 16);
        assert_true(e->contradicted == 0);
        assert_int_equal(e->stopped, XPL_STOPPED_CONFIDENT);
        assert_int_equal(e->classes[0].verdict, XPL_VERDICT_HIGH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_surrogate_that_claims_much_is_tried_on_masks_held_out),
        TEST(without_calls_to_try_it_with_it_is_believed_less),
        TEST(intervals_of_many_zones_hold_too),
        TEST(what_a_design_cannot_show_is_found_on_masks_held_out),
        TEST(a_small_design_without_calls_to_try_others_is_not_called_sure),
        TEST(a_deadline_while_masks_are_held_out_takes_no_doubt_away),
        TEST(all_classes_are_tried_on_masks_held_out_for_one),
        TEST(what_adds_up_is_borne_out),
        TEST(nothing_is_doubted_where_all_masks_were_scored),
        TEST(the_classes_of_a_binary_model_are_doubted_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
