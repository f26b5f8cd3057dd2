/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/explain/segment.h"
#include "tests/unit/image/image_test.h"

static double flat(uint32_t r, uint32_t c, uint32_t k)
{
    (void)r, (void)c, (void)k;
    return 0.5;
}

static double halves(uint32_t r, uint32_t c, uint32_t k)
{
    (void)r;
    return c < 20 ? 0.1 : k == 0 ? 0.9 : 0.2;
}

/* A different colour every 10 pixels in both directions, with some texture. */
static double blocks(uint32_t r, uint32_t c, uint32_t k)
{
    uint32_t block = r / 10 * 7 + c / 10 * 3 + k * 5;

    return block * 37 % 200 + (r * 13 + c * 17 + k) % 7;
}

static double noise(uint32_t r, uint32_t c, uint32_t k)
{
    return ((r * 7919 + c * 104729 + k * 1299709) * 2654435761u >> 8) % 256;
}

static struct xpl_segments *segment(void **state, const struct xpl_pixels *image, uint32_t max_segments)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_segments *segments = NULL;
    struct xpl_error err = {0};

    params.max_segments = max_segments;
    assert_int_equal(xpl_segment_image(*state, image, &params, &segments, &err), XPL_OK);
    return segments;
}

/* Labels 0 to count - 1, each used, and statistics that fit. */
static void assert_sound(const struct xpl_segments *s, uint32_t max_segments)
{
    size_t n = (size_t)s->height * s->width, area = 0;

    assert_in_range(s->count, 2, max_segments);
    for (size_t i = 0; i < n; i++)
        assert_in_range(s->labels[i], 0, s->count - 1);
    for (uint32_t j = 0; j < s->count; j++) {
        assert_true(s->segments[j].area > 0);
        assert_in_range(s->segments[j].bottom, s->segments[j].top, s->height - 1);
        assert_in_range(s->segments[j].right, s->segments[j].left, s->width - 1);
        area += s->segments[j].area;
    }
    assert_int_equal(area, n);
}

static void a_flat_image_falls_back_to_a_grid(void **state)
{
    struct xpl_segments *s = segment(state, paint(state, 30, 40, 3, false, flat), 0);

    assert_true(s->fell_back);
    assert_int_equal(s->algorithm, XPL_SEGMENTATION_GRID);
    assert_int_equal(s->count, 16);
    assert_sound(s, 16);
}

static void a_plateau_is_one_segment(void **state)
{
    struct xpl_segments *s = segment(state, paint(state, 40, 40, 3, false, halves), 0);

    assert_false(s->fell_back);
    assert_int_equal(s->found, 2);
    for (size_t i = 0; i < 1600; i++)
        assert_int_equal(s->labels[i], i % 40 < 20 ? 0 : 1);
}

static void odd_shapes_are_segmented(void **state)
{
    static const uint32_t shapes[][3] = {{1, 40, 3}, {40, 1, 3},  {20, 20, 3}, {28, 28, 1},
                                         {2, 1, 1},  {90, 90, 4}, {1, 2, 3}};

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        assert_sound(segment(state, paint(state, shapes[i][0], shapes[i][1], shapes[i][2], true, blocks), 0), 16);
}

static void noise_is_bounded_too(void **state)
{
    assert_sound(segment(state, paint(state, 90, 90, 3, true, noise), 0), 16);
    assert_sound(segment(state, paint(state, 40, 40, 3, true, noise), 5), 5);
}

static void merging_reaches_exactly_the_bound(void **state)
{
    struct xpl_pixels *image = paint(state, 90, 90, 3, true, blocks);
    uint32_t found = segment(state, image, 0)->found;

    assert_true(found > 16);
    for (uint32_t max = 2; max <= 16; max++) {
        struct xpl_segments *s = segment(state, image, max);

        assert_int_equal(s->count, max);
        assert_sound(s, max);
    }
}

static void merging_joins_the_most_similar_neighbours(void **state)
{
    /* three stripes, two of them nearly equal */
    float lab[30 * 3] = {0};
    uint32_t labels[30], count = 3;

    for (size_t i = 0; i < 30; i++) {
        labels[i] = (uint32_t)(i / 10);
        lab[i * 3] = i < 10 ? 10.0f : i < 20 ? 50.0f : 51.0f;
    }
    assert_int_equal(xpl_merge_segments(*state, lab, 1, 30, 2, labels, &count, NULL), XPL_OK);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 30; i++)
        assert_int_equal(labels[i], i < 10 ? 0 : 1);
}

static void equal_costs_are_merged_by_the_lowest_ids(void **state)
{
    float lab[4 * 3] = {0};
    uint32_t labels[4] = {0, 1, 2, 3}, count = 4;

    assert_int_equal(xpl_merge_segments(*state, lab, 1, 4, 3, labels, &count, NULL), XPL_OK);
    assert_int_equal(labels[0], labels[1]);
    assert_int_not_equal(labels[1], labels[2]);
}

static void the_kernel_follows_the_size_of_the_image(void **state)
{
    assert_true(segment(state, paint(state, 28, 28, 1, true, blocks), 0)->kernel_size == 1);
    assert_true(segment(state, paint(state, 48, 48, 3, true, blocks), 0)->kernel_size == 3);
}

static void one_pixel_is_an_error(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_segments *segments;
    struct xpl_error err = {0};

    assert_int_equal(xpl_segment_image(*state, paint(state, 1, 1, 3, true, blocks), &params, &segments, &err),
                     XPL_BAD_RECORD);
}

static void integers_stay_integers_in_a_fill(void **state)
{
    struct xpl_pixels *image = paint(state, 30, 30, 3, true, blocks), *fill;
    struct xpl_segments *s = segment(state, image, 0);

    assert_int_equal(xpl_fill_image(*state, image, s, XPL_FILL_MEAN, &fill, NULL), XPL_OK);
    for (size_t i = 0; i < 2700; i++) {
        assert_true(fill->values[i] == floor(fill->values[i]));
        assert_true(fill->values[i] >= 0 && fill->values[i] <= 255);
    }
}

static void a_mean_fill_is_the_mean_of_each_segment(void **state)
{
    struct xpl_pixels *image = paint(state, 40, 40, 3, false, halves), *fill;
    struct xpl_segments *s = segment(state, image, 0);

    assert_int_equal(xpl_fill_image(*state, image, s, XPL_FILL_MEAN, &fill, NULL), XPL_OK);
    for (size_t i = 0; i < 4800; i++)
        assert_true(fabs(fill->values[i] - image->values[i]) < 1e-12);
}

static double minus_one_to_one(uint32_t r, uint32_t c, uint32_t k)
{
    return blocks(r, c, k) / 103 - 1;
}

static void black_is_the_lowest_value_of_the_range(void **state)
{
    struct xpl_pixels *image = paint(state, 30, 30, 3, false, minus_one_to_one), *fill;

    assert_int_equal(xpl_fill_image(*state, image, segment(state, image, 0), XPL_FILL_BLACK, &fill, NULL), XPL_OK);
    for (size_t i = 0; i < 2700; i++)
        assert_true(fill->values[i] == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(a_flat_image_falls_back_to_a_grid),
        IMAGE_TEST(a_plateau_is_one_segment),
        IMAGE_TEST(odd_shapes_are_segmented),
        IMAGE_TEST(noise_is_bounded_too),
        IMAGE_TEST(merging_reaches_exactly_the_bound),
        IMAGE_TEST(merging_joins_the_most_similar_neighbours),
        IMAGE_TEST(equal_costs_are_merged_by_the_lowest_ids),
        IMAGE_TEST(the_kernel_follows_the_size_of_the_image),
        IMAGE_TEST(one_pixel_is_an_error),
        IMAGE_TEST(integers_stay_integers_in_a_fill),
        IMAGE_TEST(a_mean_fill_is_the_mean_of_each_segment),
        IMAGE_TEST(black_is_the_lowest_value_of_the_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
