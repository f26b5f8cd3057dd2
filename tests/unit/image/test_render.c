/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/explain/drawing/render.h"
#include "tests/unit/image/image_test.h"

static double ramp(uint32_t r, uint32_t c, uint32_t k)
{
    return 1 + r * 20 + c * 3 + k;
}

/* Two segments: the left and the right half of 4 x 6 pixels. */
static struct xpl_segments *two_halves(void **state)
{
    struct xpl_segments *s = XPL_NEW(*state, struct xpl_segments);

    *s = (struct xpl_segments){.height = 4, .width = 6, .count = 2, .labels = XPL_NEW_ARRAY(*state, uint16_t, 24)};
    for (size_t i = 0; i < 24; i++)
        s->labels[i] = i % 6 >= 3;
    return s;
}

static void a_pane_shows_the_positive_segments_and_black(void **state)
{
    static const double weights[] = {-0.2, 0.3};
    struct xpl_pixels *image = paint(state, 4, 6, 3, true, ramp);
    struct xpl_pane pane;
    uint8_t *rgb;

    assert_int_equal(xpl_pane_of(*state, weights, 2, 1, &pane, NULL), XPL_OK);
    assert_int_equal(pane.count, 1);
    assert_int_equal(xpl_render_pane(*state, image, two_halves(state), &pane, &rgb, NULL), XPL_OK);
    for (size_t i = 0; i < 72; i++)
        assert_int_equal(rgb[i], i / 3 % 6 >= 3 ? (int)image->values[i] : 0);
}

static void the_two_panes_of_a_binary_model_complement_each_other(void **state)
{
    static const double weights[] = {0.0, 0.3, -0.1};
    struct xpl_pane pane, other;

    assert_int_equal(xpl_pane_of(*state, weights, 3, 1, &pane, NULL), XPL_OK);
    assert_int_equal(xpl_pane_complement(*state, weights, 3, &other, NULL), XPL_OK);
    for (size_t j = 0; j < 3; j++)
        assert_true(pane.shown[j] != other.shown[j]);
    assert_int_equal(pane.count + other.count, 3);
}

static void when_nothing_matters_all_panes_are_empty(void **state)
{
    static const double weights[] = {1e-12, -1e-12};
    struct xpl_pane pane;

    assert_int_equal(xpl_pane_of(*state, weights, 2, 1, &pane, NULL), XPL_OK);
    assert_int_equal(pane.count, 0);
    assert_int_equal(xpl_pane_of(*state, weights, 2, -1, &pane, NULL), XPL_OK);
    assert_int_equal(pane.count, 0);
    assert_int_equal(xpl_pane_complement(*state, weights, 2, &pane, NULL), XPL_OK);
    assert_int_equal(pane.count, 0);
}

static void what_is_left_of_a_zero_sum_decides_about_no_pane(void **state)
{
    static const double weights[] = {0.3, 1e-16, -1e-16};
    struct xpl_pane pane;

    assert_int_equal(xpl_pane_of(*state, weights, 3, 1, &pane, NULL), XPL_OK);
    assert_int_equal(pane.count, 1);
    assert_int_equal(xpl_pane_of(*state, weights, 3, -1, &pane, NULL), XPL_OK);
    assert_int_equal(pane.count, 0);
    assert_int_equal(xpl_pane_complement(*state, weights, 3, &pane, NULL), XPL_OK);
    assert_int_equal(pane.count, 2);
}

static void a_sheet_enlarges_small_pictures_by_whole_factors(void **state)
{
    uint8_t red[12] = {255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0}, blue[12];
    const uint8_t *pictures[] = {red, blue};
    uint32_t height, width;
    uint8_t *sheet;

    for (size_t i = 0; i < 12; i++)
        blue[i] = i % 3 == 2 ? 255 : 0;
    assert_int_equal(xpl_render_sheet(*state, pictures, 2, 2, 2, &sheet, &height, &width, NULL), XPL_OK);
    assert_int_equal(height, 256);
    assert_true(width > 512);
    assert_memory_equal(sheet, "\xff\0\0", 3);
    assert_memory_equal(sheet + 256 * 3, "\xff\xff\xff", 3); /* the gap */
    assert_memory_equal(sheet + (size_t)(width - 1) * 3, "\0\0\xff", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(a_pane_shows_the_positive_segments_and_black),
        IMAGE_TEST(what_is_left_of_a_zero_sum_decides_about_no_pane),
        IMAGE_TEST(the_two_panes_of_a_binary_model_complement_each_other),
        IMAGE_TEST(when_nothing_matters_all_panes_are_empty),
        IMAGE_TEST(a_sheet_enlarges_small_pictures_by_whole_factors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
