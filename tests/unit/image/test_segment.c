/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/explain/superpixels/segment.h"
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

    params.segmentation.max_segments = max_segments;
    assert_int_equal(xpl_segment_image(*state, image, &params, NULL, &segments, &err), XPL_OK);
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
    assert_int_equal(s->used.algorithm, XPL_SEGMENTATION_GRID);
    assert_int_equal(s->count, 16);
    assert_sound(s, 16);
}

static void thousands_of_segments_fall_back_to_a_grid(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_segments *s;

    params.segmentation.max_dist = 0.5; /* less than a pixel: every pixel is a segment */
    assert_int_equal(xpl_segment_image(*state, paint(state, 90, 90, 3, true, blocks), &params, NULL, &s, NULL), XPL_OK);
    assert_int_equal(s->found, 8100);
    assert_true(s->fell_back);
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

static void merging_looks_at_colours_even_when_quickshift_does_not(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_pixels *image = paint(state, 40, 40, 3, false, halves);
    struct xpl_segments *segments;
    struct xpl_error err = {0};

    params.segmentation.ratio = 0;
    params.segmentation.kernel_size = 0.5;
    params.segmentation.max_dist = 1;
    params.segmentation.max_segments = 2;
    assert_int_equal(xpl_segment_image(*state, image, &params, NULL, &segments, &err), XPL_OK);
    assert_int_equal(segments->segments[0].area, 800);
    assert_int_equal(segments->segments[1].area, 800);
}

static void the_exact_design_gets_twelve_segments_unless_told_otherwise(void **state)
{
    struct xpl_pixels *image = paint(state, 90, 90, 3, true, blocks);
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_segments *segments;

    params.design = XPL_DESIGN_EXACT;
    assert_int_equal(xpl_segment_image(*state, image, &params, NULL, &segments, NULL), XPL_OK);
    assert_int_equal(segments->count, XPL_EXACT_SEGMENTS);
    params.segmentation.max_segments = 14;
    assert_int_equal(xpl_segment_image(*state, image, &params, NULL, &segments, NULL), XPL_OK);
    assert_int_equal(segments->count, 14);
}

static void every_segment_knows_its_place_and_colour(void **state)
{
    struct xpl_segments *s = segment(state, paint(state, 30, 50, 3, false, halves), 0);
    const struct xpl_segment *left = &s->segments[0], *right = &s->segments[1];

    assert_int_equal(s->count, 2);
    assert_int_equal(left->area, 600);
    assert_true(left->top == 0 && left->left == 0 && left->bottom == 29 && left->right == 19);
    assert_true(right->top == 0 && right->left == 20 && right->bottom == 29 && right->right == 49);
    assert_true(fabs(left->row - 14.5) < 1e-9 && fabs(left->column - 9.5) < 1e-9);
    assert_true(fabs(right->row - 14.5) < 1e-9 && fabs(right->column - 34.5) < 1e-9);
    assert_true(fabs(left->mean_rgb[0] - 25.5) < 1e-9 && fabs(right->mean_rgb[0] - 229.5) < 1e-9);
    assert_true(fabs(right->mean_rgb[2] - 51) < 1e-9);
}

static void the_kernel_follows_the_size_of_the_image(void **state)
{
    assert_true(segment(state, paint(state, 28, 28, 1, true, blocks), 0)->used.kernel_size == 1);
    assert_true(segment(state, paint(state, 48, 48, 3, true, blocks), 0)->used.kernel_size == 3);
}

static void one_pixel_is_an_error(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_segments *segments;
    struct xpl_error err = {0};

    assert_int_equal(xpl_segment_image(*state, paint(state, 1, 1, 3, true, blocks), &params, NULL, &segments, &err),
                     XPL_BAD_RECORD);
}

static void a_grid_has_the_rows_and_columns_that_were_asked_for(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_segments *s = NULL;

    params.segmentation.algorithm = XPL_SEGMENTATION_GRID;
    params.segmentation.grid_rows = 3;
    params.segmentation.grid_columns = 5;
    assert_int_equal(xpl_segment_image(*state, paint(state, 31, 52, 3, true, blocks), &params, NULL, &s, NULL), XPL_OK);
    assert_sound(s, 15);
    assert_int_equal(s->count, 15);
    assert_false(s->fell_back);
    for (uint32_t j = 0; j < 15; j++) {
        assert_in_range(s->segments[j].bottom - s->segments[j].top + 1, 10, 11);
        assert_in_range(s->segments[j].right - s->segments[j].left + 1, 10, 11);
        assert_int_equal(s->segments[j].area, (s->segments[j].bottom - s->segments[j].top + 1) *
                                                  (s->segments[j].right - s->segments[j].left + 1));
    }
    assert_int_equal(xpl_segment_image(*state, paint(state, 1, 4, 3, true, blocks), &params, NULL, &s, NULL), XPL_OK);
    assert_int_equal(s->count, 4); /* no cell without a pixel */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(a_flat_image_falls_back_to_a_grid),
        IMAGE_TEST(thousands_of_segments_fall_back_to_a_grid),
        IMAGE_TEST(a_plateau_is_one_segment),
        IMAGE_TEST(odd_shapes_are_segmented),
        IMAGE_TEST(noise_is_bounded_too),
        IMAGE_TEST(merging_reaches_exactly_the_bound),
        IMAGE_TEST(merging_looks_at_colours_even_when_quickshift_does_not),
        IMAGE_TEST(the_exact_design_gets_twelve_segments_unless_told_otherwise),
        IMAGE_TEST(every_segment_knows_its_place_and_colour),
        IMAGE_TEST(the_kernel_follows_the_size_of_the_image),
        IMAGE_TEST(one_pixel_is_an_error),
        IMAGE_TEST(a_grid_has_the_rows_and_columns_that_were_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
