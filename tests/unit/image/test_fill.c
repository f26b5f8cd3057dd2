/* SPDX-License-Identifier: Apache-2.0 */
/* What hidden superpixels show. */
#include "lib/explain/superpixels/fill.h"

#include <math.h>
#include <string.h>

#include "tests/unit/image/image_test.h"

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

    params.segmentation.max_segments = max_segments;
    assert_int_equal(xpl_segment_image(*state, image, &params, NULL, &segments, NULL), XPL_OK);
    return segments;
}

static struct xpl_pixels *fill_with(void **state, const struct xpl_pixels *image,
                                    const struct xpl_explain_params *params, uint8_t seed_byte)
{
    uint8_t seed[XPL_HASH_BYTES] = {seed_byte};
    struct xpl_pixels *fill = NULL;

    assert_int_equal(xpl_fill_image(*state, image, segment(state, image, 0), params, seed, NULL, &fill, NULL), XPL_OK);
    return fill;
}

static struct xpl_pixels *filled(void **state, const struct xpl_pixels *image, const struct xpl_segments *segments,
                                 enum xpl_fill kind)
{
    struct xpl_explain_params params = {.fill = kind};
    static const uint8_t seed[XPL_HASH_BYTES] = {0};
    struct xpl_pixels *fill = NULL;

    assert_int_equal(xpl_fill_image(*state, image, segments, &params, seed, NULL, &fill, NULL), XPL_OK);
    return fill;
}

static void integers_stay_integers_in_a_fill(void **state)
{
    struct xpl_pixels *image = paint(state, 30, 30, 3, true, blocks), *fill;
    struct xpl_segments *s = segment(state, image, 0);

    fill = filled(state, image, s, XPL_FILL_MEAN);
    for (size_t i = 0; i < 2700; i++) {
        assert_true(fill->values[i] == floor(fill->values[i]));
        assert_true(fill->values[i] >= 0 && fill->values[i] <= 255);
    }
}

static void a_mean_fill_is_the_mean_of_each_segment(void **state)
{
    struct xpl_pixels *image = paint(state, 40, 40, 3, false, halves), *fill;
    struct xpl_segments *s = segment(state, image, 0);

    fill = filled(state, image, s, XPL_FILL_MEAN);
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

    fill = filled(state, image, segment(state, image, 0), XPL_FILL_BLACK);
    for (size_t i = 0; i < 2700; i++)
        assert_true(fill->values[i] == -1);
}

static double colours_in_unit(uint32_t r, uint32_t c, uint32_t k)
{
    return noise(r, c, k) / 255;
}

static double colours_in_signed_unit(uint32_t r, uint32_t c, uint32_t k)
{
    return noise(r, c, k) / 127.5 - 1;
}

static void fills_stay_in_the_range_of_the_model(void **state)
{
    static const struct {
        paint_fn colour;
        double low, high;
    } cases[] = {{noise, 0, 255}, {colours_in_unit, 0, 1}, {colours_in_signed_unit, -1, 1}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xpl_pixels *image = paint(state, 30, 31, 3, false, cases[i].colour), *mean, *black;
        struct xpl_segments *s = segment(state, image, 0);

        mean = filled(state, image, s, XPL_FILL_MEAN);
        black = filled(state, image, s, XPL_FILL_BLACK);
        for (size_t k = 0; k < xpl_pixels_count(image); k++) {
            assert_true(mean->values[k] > cases[i].low && mean->values[k] < cases[i].high);
            assert_true(black->values[k] == cases[i].low);
        }
    }
}

static void a_black_fill_keeps_the_alpha_channel(void **state)
{
    struct xpl_pixels *image = paint(state, 20, 20, 4, true, blocks), *fill;

    for (size_t i = 3; i < xpl_pixels_count(image); i += 4)
        image->values[i] = 255;
    fill = filled(state, image, segment(state, image, 0), XPL_FILL_BLACK);
    for (size_t i = 0; i < xpl_pixels_count(image); i++)
        assert_true(fill->values[i] == (i % 4 == 3 ? 255 : 0));
}

static void a_colour_is_scaled_to_the_range(void **state)
{
    static const struct xpl_explain_params orange = {.fill = XPL_FILL_COLOUR, .fill_colour = 0xff8000};
    struct xpl_pixels *bytes = fill_with(state, paint(state, 30, 30, 3, true, blocks), &orange, 0);
    struct xpl_pixels *signs = fill_with(state, paint(state, 30, 30, 3, false, minus_one_to_one), &orange, 0);

    for (size_t i = 0; i < 2700; i += 3) {
        assert_true(bytes->values[i] == 255 && bytes->values[i + 1] == 128 && bytes->values[i + 2] == 0);
        assert_true(signs->values[i] == 1 && fabs(signs->values[i + 1] - 1 / 255.0) < 1e-12 &&
                    signs->values[i + 2] == -1);
    }
}

static void a_colour_is_its_luminance_on_one_channel(void **state)
{
    static const struct xpl_explain_params green = {.fill = XPL_FILL_COLOUR, .fill_colour = 0x00ff00};
    struct xpl_pixels *fill = fill_with(state, paint(state, 30, 30, 1, true, blocks), &green, 0);

    for (size_t i = 0; i < 900; i++)
        assert_true(fill->values[i] == 150); /* 0.587 x 255, rounded */
}

static void noise_is_drawn_from_the_range_by_the_seed(void **state)
{
    static const struct xpl_explain_params params = {.fill = XPL_FILL_NOISE};
    struct xpl_pixels *image = paint(state, 40, 40, 3, true, noise);
    struct xpl_pixels *one = fill_with(state, image, &params, 1), *same = fill_with(state, image, &params, 1);
    struct xpl_pixels *other = fill_with(state, image, &params, 2);
    double sum = 0;

    assert_memory_equal(one->values, same->values, 4800 * sizeof(double));
    assert_memory_not_equal(one->values, other->values, 4800 * sizeof(double));
    for (size_t i = 0; i < 4800; i++) {
        assert_true(one->values[i] >= 0 && one->values[i] <= 255 && one->values[i] == floor(one->values[i]));
        sum += one->values[i];
    }
    assert_true(fabs(sum / 4800 - 127.5) < 5);
}

static double one_bright_pixel(uint32_t r, uint32_t c, uint32_t k)
{
    (void)k;
    return r == 30 && c == 30 ? 255 : c % 2; /* 0 and 1 keep quickshift busy */
}

static void a_blur_keeps_the_mean_and_spreads_what_there_is(void **state)
{
    static const struct xpl_explain_params params = {.fill = XPL_FILL_BLUR};
    struct xpl_pixels *image = paint(state, 61, 61, 1, false, one_bright_pixel);
    struct xpl_pixels *fill = fill_with(state, image, &params, 0);
    double sum = 0, peak = fill->values[30 * 61 + 30];

    for (size_t i = 0; i < 61 * 61; i++)
        sum += fill->values[i] - 0.5;
    assert_true(sum > 200 && sum < 300);
    /* a Gaussian of 6.1 pixels has 255 / (2 pi 6.1^2) at its centre */
    assert_true(fabs(peak - 0.5 - 255 / (2 * M_PI * 6.1 * 6.1)) < 0.25);
    for (size_t d = 1; d <= 20; d++) {
        assert_true(fabs(fill->values[30 * 61 + 30 - d] - fill->values[30 * 61 + 30 + d]) < 0.1);
        assert_true(fabs(fill->values[(30 - d) * 61 + 30] - fill->values[(30 + d) * 61 + 30]) < 1e-9);
    }
}

static void a_flat_image_stays_flat_when_blurred_up_to_its_edges(void **state)
{
    static const struct xpl_explain_params params = {.fill = XPL_FILL_BLUR};
    struct xpl_pixels *image = paint(state, 1, 37, 3, false, halves);

    for (size_t i = 0; i < xpl_pixels_count(image); i++)
        image->values[i] = 0.25;
    image = fill_with(state, image, &params, 0);
    for (size_t i = 0; i < xpl_pixels_count(image); i++)
        assert_true(fabs(image->values[i] - 0.25) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(integers_stay_integers_in_a_fill),
        IMAGE_TEST(a_mean_fill_is_the_mean_of_each_segment),
        IMAGE_TEST(black_is_the_lowest_value_of_the_range),
        IMAGE_TEST(fills_stay_in_the_range_of_the_model),
        IMAGE_TEST(a_black_fill_keeps_the_alpha_channel),
        IMAGE_TEST(a_colour_is_scaled_to_the_range),
        IMAGE_TEST(a_colour_is_its_luminance_on_one_channel),
        IMAGE_TEST(noise_is_drawn_from_the_range_by_the_seed),
        IMAGE_TEST(a_blur_keeps_the_mean_and_spreads_what_there_is),
        IMAGE_TEST(a_flat_image_stays_flat_when_blurred_up_to_its_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
