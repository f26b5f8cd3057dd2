/* SPDX-License-Identifier: Apache-2.0 */
/* Fills that change nothing give way, whatever numbers the pixels are. */
#include "tests/unit/explain/explain_test.h"

#include <math.h>

#include "lib/explain/superpixels/fill.h"

#define SIDE 8u

static uint16_t halves[SIDE * SIDE];

static struct xpl_pixels flat(void **state, double left, double right, bool integers)
{
    double *values = XPL_NEW_ARRAY(*state, double, SIDE *SIDE * 3);

    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        halves[i] = i % SIDE >= SIDE / 2;
        for (uint32_t c = 0; c < 3; c++)
            values[3 * i + c] = halves[i] ? right : left;
    }
    return (struct xpl_pixels){.height = SIDE, .width = SIDE, .channels = 3, .values = values, .integers = integers};
}

static enum xpl_status fill(void **state, const struct xpl_pixels *image, struct xpl_explain_params *params,
                            struct xpl_fill_effect *effect)
{
    struct xpl_segment each[2] = {{.area = SIDE * SIDE / 2}, {.area = SIDE * SIDE / 2}};
    struct xpl_segments segments = {.labels = halves, .count = 2, .segments = each};
    const uint8_t seed[XPL_HASH_BYTES] = {0};
    struct xpl_pixels *filled;

    return xpl_fill_visible(*state, image, &segments, params, seed, NULL, &filled, effect, NULL);
}

static void areas_of_one_colour_are_hidden_with_grey_or_black(void **state)
{
    static const struct {
        double left, right;
        bool integers;
        enum xpl_fill used;
    } cases[] = {{0.2, 0.2, false, XPL_FILL_COLOUR}, {0.4, 0.9, false, XPL_FILL_COLOUR},
                 {20, 200, true, XPL_FILL_COLOUR},   {127, 127, true, XPL_FILL_BLACK},
                 {0.5, 0.5, false, XPL_FILL_BLACK},  {0, 0, true, XPL_FILL_COLOUR}};
    static const enum xpl_fill asked[] = {XPL_FILL_MEAN, XPL_FILL_BLUR};

    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        struct xpl_pixels image = flat(state, cases[i / 2].left, cases[i / 2].right, cases[i / 2].integers);
        struct xpl_explain_params params = xpl_explain_params_default();
        struct xpl_fill_effect effect = {0};

        params.fill = asked[i % 2];
        if (params.fill == XPL_FILL_BLUR && cases[i / 2].left != cases[i / 2].right)
            continue; /* blurring shows at the edge */
        assert_int_equal(fill(state, &image, &params, &effect), XPL_OK);
        assert_true(effect.replaced && effect.asked == asked[i % 2]);
        assert_int_equal(params.fill, cases[i / 2].used);
        assert_int_equal(effect.n_unchanged, 0);
        assert_int_equal(fill(state, &image, &params, &effect), XPL_OK); /* of another cut */
        assert_true(effect.replaced && effect.asked == asked[i % 2]);
    }
}

static void what_is_visible_stays_and_what_was_chosen_is_not_replaced(void **state)
{
    struct xpl_pixels image = flat(state, 0, 200, true);
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_fill_effect effect = {0};

    params.fill = XPL_FILL_BLACK;
    assert_int_equal(fill(state, &image, &params, &effect), XPL_OK);
    assert_true(!effect.replaced && effect.n_unchanged == 1 && params.fill == XPL_FILL_BLACK);
    image = flat(state, 0, 0, true);
    assert_int_equal(fill(state, &image, &params, &effect), XPL_BAD_FIELD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(areas_of_one_colour_are_hidden_with_grey_or_black),
        TEST(what_is_visible_stays_and_what_was_chosen_is_not_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
