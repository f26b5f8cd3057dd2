/* SPDX-License-Identifier: Apache-2.0 */
/* More than 16 superpixels: the arrays for them, and random pairs of masks for any number. */
#include "tests/unit/explain/explain_test.h"

#include <string.h>

#include "lib/explain/designs/array.h"
#include "lib/explain/designs/design.h"
#include "lib/explain/designs/mask_set.h"
#include "tests/unit/explain/models.h"

static const uint8_t seed[XPL_HASH_BYTES] = {4, 5, 6};

static struct xpl_design *plan(void **state, uint32_t d, enum xpl_design_mode mode, uint32_t budget)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_design *design = NULL;

    params.design = mode;
    params.budget = budget;
    assert_int_equal(xpl_design_plan(*state, d, &params, seed, &design, NULL), XPL_OK);
    return design;
}

/* ---- arrays ---- */

/* Any four of the low `bits` bits of the columns are independent: none is 0, no two and no two pairs are the same. */
static void assert_strength_4(const struct xpl_array *array, uint32_t bits)
{
    uint32_t used = (1u << bits) - 1, d = array->n_segments;
    static bool seen[1 << 12];

    memset(seen, 0, sizeof seen);
    seen[0] = true;
    for (uint32_t i = 0; i < d; i++) {
        uint32_t column = array->columns[i] & used;

        assert_false(seen[column]);
        seen[column] = true;
        for (uint32_t j = 0; j < i; j++) {
            uint32_t sum = column ^ (array->columns[j] & used);

            assert_false(seen[sum]);
            seen[sum] = true;
        }
    }
}

static void any_four_columns_of_the_arrays_are_independent(void **state)
{
    (void)state;
    for (uint32_t d = 17; d <= XPL_MAX_SEGMENTS; d++) {
        struct xpl_array array;

        xpl_array_build(d, &array);
        assert_int_equal(array.most_bits, d <= 22 ? 12 : d <= 31 ? 10 : 12);
        assert_int_equal(array.least_bits, d <= 22 ? 9 : array.most_bits);
        /* of three columns the sum is no fourth: a sum of two is no sum of two others, and no column */
        for (uint32_t bits = array.least_bits; bits <= array.most_bits; bits++)
            assert_strength_4(&array, bits);
    }
}

/* Five columns: all 32 combinations as often. */
static void assert_balanced(const struct xpl_design *design, const uint32_t columns[5])
{
    size_t counts[32] = {0};

    for (size_t i = 0; i < design->n; i++) {
        size_t combination = 0;

        for (size_t c = 0; c < 5; c++)
            combination = combination << 1 | (design->masks[i] >> columns[c] & 1u);
        counts[combination]++;
    }
    for (size_t c = 0; c < 32; c++)
        assert_int_equal(counts[c] * 32, design->n);
}

static void the_folded_arrays_are_distinct_and_balanced_over_five_columns(void **state)
{
    static const uint32_t some[] = {17, 19, 22, 23, 31, 32, 47, 63};

    for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
        struct xpl_design *design = plan(state, some[k], XPL_DESIGN_ARRAY, 0);
        struct xpl_mask_set set;

        assert_int_equal(design->n, some[k] <= 22 ? 1024 : some[k] <= 31 ? 2048 : 8192);
        assert_int_equal(xpl_mask_set_init(*state, design->n, &set, NULL), XPL_OK);
        for (size_t i = 0; i < design->n; i++)
            assert_int_equal(xpl_mask_set_add(&set, design->masks[i], (uint32_t)i), i);
        assert_true(design->masks[0] == xpl_design_all_on(some[k]));
        assert_true(xpl_mask_set_find(&set, 0) != XPL_NO_ROW);
        for (uint32_t first = 0; first + 12 < some[k]; first++)
            assert_balanced(design, (uint32_t[]){first, first + 1, first + 4, first + 7, first + 12});
    }
}

static void stages_of_the_arrays_hold_the_one_before(void **state)
{
    struct xpl_design *ladder = plan(state, 20, XPL_DESIGN_AUTO, 8192), *first = plan(state, 20, XPL_DESIGN_ARRAY, 0);

    assert_int_equal(ladder->n_stages, 4);
    assert_int_equal(ladder->stages[0].end, 1024);
    assert_int_equal(ladder->stages[3].end, 8192);
    assert_int_equal(plan(state, 20, XPL_DESIGN_AUTO, 0)->n, 4096);
    assert_memory_equal(ladder->masks, first->masks, 1024 * sizeof *first->masks);
    assert_string_equal(ladder->stages[1].name, "orthogonal_array_2048");
}

static void auto_takes_random_pairs_where_no_array_fits(void **state)
{
    assert_int_equal(plan(state, 20, XPL_DESIGN_AUTO, 512)->mode, XPL_DESIGN_ADAPTIVE);
    assert_int_equal(plan(state, 20, XPL_DESIGN_AUTO, 1024)->mode, XPL_DESIGN_ARRAY);
    assert_int_equal(plan(state, 40, XPL_DESIGN_AUTO, 0)->mode, XPL_DESIGN_ADAPTIVE);
    assert_int_equal(plan(state, 40, XPL_DESIGN_AUTO, 8192)->mode, XPL_DESIGN_ARRAY);
    assert_int_equal(plan(state, 8, XPL_DESIGN_AUTO, 0)->mode, XPL_DESIGN_EXACT);
}

static void what_cannot_be_is_refused(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_design *design = NULL;
    struct xpl_error err = {0};

    params.design = XPL_DESIGN_EXACT;
    assert_int_equal(xpl_design_plan(*state, 17, &params, seed, &design, &err), XPL_BAD_FIELD);
    assert_string_equal(err.field, "parameters.image.design");
    params.design = XPL_DESIGN_ARRAY;
    params.budget = 4096;
    err = (struct xpl_error){0};
    assert_int_equal(xpl_design_plan(*state, 40, &params, seed, &design, &err), XPL_BAD_FIELD);
    assert_string_equal(err.field, "parameters.image.budget");
    params.design = XPL_DESIGN_ADAPTIVE;
    params.budget = 64;
    assert_int_equal(xpl_design_plan(*state, 40, &params, seed, &design, &err), XPL_BAD_FIELD);
}

/* ---- random pairs ---- */

static void pairs_are_complements_and_are_looked_at_as_they_grow(void **state)
{
    struct xpl_design *design = plan(state, 12, XPL_DESIGN_ADAPTIVE, 0);
    static const size_t looks[] = {48, 64, 96, 128, 192, 256, 384, 512};

    assert_int_equal(design->n_stages, sizeof looks / sizeof *looks);
    for (size_t k = 0; k < sizeof looks / sizeof *looks; k++)
        assert_int_equal(design->stages[k].end, looks[k]);
    for (size_t i = 0; i < design->n; i += 2)
        assert_true((design->masks[i] ^ design->masks[i + 1]) == xpl_design_all_on(12));
    assert_true(plan(state, 6, XPL_DESIGN_ADAPTIVE, 0)->stages[2].exact);
}

/* Any three superpixels of n masks in all their 8 combinations, equally often. */
static bool is_balanced_over_3(const xpl_mask *masks, size_t n, uint32_t a, uint32_t b, uint32_t c)
{
    size_t seen[8] = {0};

    for (size_t i = 0; i < n; i++)
        seen[(masks[i] >> a & 1u) | (masks[i] >> b & 1u) << 1 | (masks[i] >> c & 1u) << 2]++;
    for (size_t k = 0; k < 8; k++)
        if (seen[k] != n / 8)
            return false;
    return true;
}

static void pairs_of_many_zones_come_in_balanced_blocks(void **state)
{
    static const uint32_t zones[] = {17, 32, 33, 63};

    for (size_t k = 0; k < sizeof zones / sizeof *zones; k++) {
        uint32_t d = zones[k], size = d > 32 ? 128 : 64;
        struct xpl_design *design = plan(state, d, XPL_DESIGN_ADAPTIVE, 1024);

        assert_true(design->masks[0] == xpl_design_all_on(d));
        assert_int_equal(design->n, 1024 - size); /* a block's calls are left to try the surrogate */
        for (size_t i = 0; i < design->n; i += 2)
            assert_true((design->masks[i] ^ design->masks[i + 1]) == xpl_design_all_on(d));
        for (size_t first = 0; first < design->n; first += size)
            for (uint32_t j = 2; j < d; j++)
                assert_true(is_balanced_over_3(design->masks + first, size, j - 2, j - 1, j));
    }
}

struct setting {
    struct model model;
    struct xpl_segments segments;
    struct xpl_explain_input in;
};

static struct xpl_explanation *explain(void **state, model_fn f, uint32_t d, enum xpl_design_mode mode, uint32_t budget)
{
    struct setting *setting = XPL_NEW(*state, struct setting);
    struct xpl_explanation *explanation = NULL;

    setting->model = (struct model){.f = f, .d = d, .n_classes = 2};
    setting->in = model_input(&setting->model, &setting->segments);
    setting->in.params.design = mode;
    setting->in.params.budget = budget;
    assert_int_equal(xpl_explain(*state, &setting->in, &explanation, NULL), XPL_OK);
    assert_int_equal(setting->model.repeated, 0);
    assert_int_equal(setting->model.scored, explanation->calls + explanation->held_out);
    return explanation;
}

/* Zones without an effect may look like something in one of twenty cases: that is what the confidence says. */
static void assert_signs_of_logistic(const struct xpl_explanation *e, uint32_t d)
{
    const struct xpl_class_explanation *c = &e->classes[e->classes[0].index == 0 ? 0 : 1];
    uint32_t seen = 0;

    for (uint32_t j = 0; j < d; j++) {
        if (c->decisions[j] == XPL_OPEN)
            continue;
        if (j % 3 == 2)
            seen += c->decisions[j] != XPL_NEGLIGIBLE;
        else
            assert_int_equal(c->decisions[j], j % 3 == 0 ? XPL_POSITIVE : XPL_NEGATIVE);
    }
    assert_true(seen <= 1 + d / 20 || e->mode == XPL_DESIGN_REFERENCE);
}

static void random_pairs_end_when_every_zone_is_decided(void **state)
{
    struct xpl_explanation *e = explain(state, logistic, 12, XPL_DESIGN_ADAPTIVE, 0);

    assert_int_equal(e->stopped, XPL_STOPPED_CONFIDENT);
    assert_true(e->calls < 256);
    for (uint32_t j = 0; j < 12; j++)
        assert_int_not_equal(e->classes[0].decisions[j], XPL_OPEN);
    assert_signs_of_logistic(e, 12);
}

static void random_pairs_of_a_parity_stay_undecided(void **state)
{
    struct xpl_explanation *e = explain(state, parity, 12, XPL_DESIGN_ADAPTIVE, 0);

    assert_int_equal(e->calls, 512);
    assert_int_equal(e->stopped, XPL_STOPPED_BUDGET);
    assert_int_equal(e->n_warnings, 1);
    assert_int_equal(e->classes[0].verdict, XPL_VERDICT_LOW);
    for (uint32_t j = 0; j < 12; j++)
        assert_int_equal(e->classes[0].decisions[j], XPL_OPEN);
}

static void random_pairs_of_a_constant_end_at_the_first_look(void **state)
{
    assert_int_equal(explain(state, constant, 12, XPL_DESIGN_ADAPTIVE, 0)->calls, 48);
}

static void many_zones_are_explained_in_every_mode(void **state)
{
    static const enum xpl_design_mode modes[] = {XPL_DESIGN_AUTO, XPL_DESIGN_ADAPTIVE, XPL_DESIGN_REFERENCE};

    for (size_t k = 0; k < sizeof modes / sizeof *modes; k++) {
        assert_signs_of_logistic(explain(state, logistic, 20, modes[k], 0), 20);
        assert_signs_of_logistic(explain(state, logistic, 45, modes[k], 0), 45);
        assert_signs_of_logistic(explain(state, logistic, 63, modes[k], 0), 63);
    }
    assert_signs_of_logistic(explain(state, logistic, 30, XPL_DESIGN_ARRAY, 0), 30);
}

/* The surrogate's weights over the array's rows are those that very many random masks give. */
static void weights_of_many_zones_are_those_of_many_random_masks(void **state)
{
    struct xpl_explanation *ours = explain(state, logistic, 24, XPL_DESIGN_AUTO, 0);
    struct setting *setting = XPL_NEW(*state, struct setting);
    struct xpl_explanation *lime = NULL;

    setting->model = (struct model){.f = logistic, .d = 24, .n_classes = 2};
    setting->in = model_input(&setting->model, &setting->segments);
    setting->in.params.design = XPL_DESIGN_REFERENCE;
    setting->in.params.perturbations_count = 200000;
    assert_int_equal(xpl_explain(*state, &setting->in, &lime, NULL), XPL_OK);
    for (uint32_t j = 0; j < 24; j++) {
        double slack = 3 * (lime->classes[0].high[j] - lime->classes[0].weights[j]);

        assert_true(fabs(ours->classes[0].weights[j] - lime->classes[0].weights[j]) <
                    slack + (ours->classes[0].high[j] - ours->classes[0].weights[j]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_four_columns_of_the_arrays_are_independent),
        TEST(the_folded_arrays_are_distinct_and_balanced_over_five_columns),
        TEST(stages_of_the_arrays_hold_the_one_before),
        TEST(auto_takes_random_pairs_where_no_array_fits),
        TEST(what_cannot_be_is_refused),
        TEST(pairs_are_complements_and_are_looked_at_as_they_grow),
        TEST(pairs_of_many_zones_come_in_balanced_blocks),
        TEST(random_pairs_end_when_every_zone_is_decided),
        TEST(random_pairs_of_a_parity_stay_undecided),
        TEST(random_pairs_of_a_constant_end_at_the_first_look),
        TEST(many_zones_are_explained_in_every_mode),
        TEST(weights_of_many_zones_are_those_of_many_random_masks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
