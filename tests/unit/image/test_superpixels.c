/* SPDX-License-Identifier: Apache-2.0 */
/* SLIC, Felzenszwalb and label maps: what holds for any image, and for the odd ones. */
#include "tests/unit/image/image_test.h"

#include "lib/explain/superpixels/segment.h"

static double flat(uint32_t r, uint32_t c, uint32_t k)
{
    (void)r, (void)c, (void)k;
    return 90;
}

static double halves(uint32_t r, uint32_t c, uint32_t k)
{
    (void)r;
    return c < 10 ? 20 + 10 * k : 200 - 20 * k;
}

static double texture(uint32_t r, uint32_t c, uint32_t k)
{
    return ((r / 9 * 7 + c / 9 * 3 + k * 5) * 37 % 200) + (r * 13 + c * 17 + k) % 7;
}

static double noise(uint32_t r, uint32_t c, uint32_t k)
{
    return ((r * 7919 + c * 104729 + k * 1299709) * 2654435761u >> 8) % 256;
}

static struct xpl_segments *cut(void **state, const struct xpl_pixels *image, struct xpl_segmentation settings)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_segments *segments = NULL;

    settings.max_dist = params.segmentation.max_dist;
    settings.ratio = params.segmentation.ratio;
    params.segmentation = settings;
    assert_int_equal(xpl_segment_image(*state, image, &params, NULL, &segments, NULL), XPL_OK);
    return segments;
}

static struct xpl_segmentation settings_of(enum xpl_segmentation_algorithm algorithm)
{
    struct xpl_segmentation settings = xpl_explain_params_default().segmentation;

    settings.algorithm = algorithm;
    return settings;
}

static void assert_sound(const struct xpl_segments *s, uint32_t most)
{
    bool used[XPL_MAX_SEGMENTS] = {false};

    assert_in_range(s->count, 2, most);
    for (size_t i = 0; i < (size_t)s->height * s->width; i++) {
        assert_in_range(s->labels[i], 0, s->count - 1);
        used[s->labels[i]] = true;
    }
    for (uint32_t j = 0; j < s->count; j++)
        assert_true(used[j]);
}

static void every_algorithm_cuts_every_image(void **state)
{
    static const uint32_t shapes[][3] = {{1, 40, 3}, {40, 1, 3},  {20, 20, 3}, {28, 28, 1},
                                         {2, 1, 1},  {90, 90, 4}, {1, 2, 3},   {5, 7, 3}};
    static double (*const pictures[])(uint32_t, uint32_t, uint32_t) = {flat, halves, texture, noise};
    static const enum xpl_segmentation_algorithm algorithms[] = {XPL_SEGMENTATION_QUICKSHIFT, XPL_SEGMENTATION_SLIC,
                                                                 XPL_SEGMENTATION_FELZENSZWALB, XPL_SEGMENTATION_GRID};

    for (size_t a = 0; a < 4; a++) {
        for (size_t p = 0; p < 4; p++) {
            for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
                struct xpl_segmentation settings = settings_of(algorithms[a]);

                settings.connected = i % 2;
                settings.slic_zero = p % 2;
                assert_sound(
                    cut(state, paint(state, shapes[i][0], shapes[i][1], shapes[i][2], true, pictures[p]), settings),
                    16);
            }
        }
    }
}

static void slic_finds_about_as_many_as_asked_and_merges_the_rest(void **state)
{
    struct xpl_segmentation settings = settings_of(XPL_SEGMENTATION_SLIC);
    struct xpl_segments *s;

    settings.compactness = 50;
    settings.n_segments = 40;
    settings.max_segments = 63;
    s = cut(state, paint(state, 90, 90, 3, true, texture), settings);
    assert_in_range(s->found, 20, 60);
    assert_int_equal(s->count, s->found);
    settings.max_segments = 9;
    assert_int_equal(cut(state, paint(state, 90, 90, 3, true, texture), settings)->count, 9);
    settings.n_segments = 0; /* as many as are wanted */
    assert_in_range(cut(state, paint(state, 90, 90, 3, true, texture), settings)->found, 5, 14);
}

static void felzenszwalb_joins_what_looks_alike(void **state)
{
    struct xpl_segmentation settings = settings_of(XPL_SEGMENTATION_FELZENSZWALB);
    struct xpl_segments *s;

    settings.sigma = 0;
    s = cut(state, paint(state, 20, 20, 3, true, halves), settings);
    assert_int_equal(s->found, 2);
    for (size_t i = 0; i < 400; i++)
        assert_int_equal(s->labels[i], i % 20 < 10 ? 0 : 1);
    assert_true(cut(state, paint(state, 20, 20, 3, true, flat), settings)->fell_back);
}

static uint32_t count_parts(void **state, const struct xpl_segments *s)
{
    size_t n = (size_t)s->height * s->width;
    struct xpl_label_map map = {.labels = XPL_NEW_ARRAY(*state, uint32_t, n)};

    for (size_t i = 0; i < n; i++)
        map.labels[i] = s->labels[i];
    assert_int_equal(xpl_split_segments(*state, s->height, s->width, &map, NULL), XPL_OK);
    return map.count;
}

static void superpixels_are_in_one_piece_when_that_is_asked_for(void **state)
{
    struct xpl_pixels *image = paint(state, 60, 60, 3, true, noise);
    struct xpl_segmentation settings = settings_of(XPL_SEGMENTATION_QUICKSHIFT);
    struct xpl_segments *s;

    settings.kernel_size = 3;
    s = cut(state, image, settings);
    assert_true(count_parts(state, s) > s->count); /* quickshift jumps over pixels */
    settings.connected = true;
    s = cut(state, image, settings);
    assert_int_equal(count_parts(state, s), s->count);
    assert_sound(s, 16);
}

static void a_label_map_is_taken_as_it_is(void **state)
{
    static const struct xpl_label_run runs[] = {{1, 3}, {0, 5}, {2, 4}};
    struct xpl_segmentation settings = {.algorithm = XPL_SEGMENTATION_LABELS, .runs = runs, .n_runs = 3};
    struct xpl_segments *s = cut(state, paint(state, 3, 4, 3, true, texture), settings);
    static const uint16_t expected[] = {1, 1, 1, 0, 0, 0, 0, 0, 2, 2, 2, 2};

    assert_sound(s, 3);
    assert_memory_equal(s->labels, expected, sizeof expected);
    assert_int_equal(s->segments[1].area, 3);
}

static void a_label_map_of_another_size_is_refused(void **state)
{
    static const struct xpl_label_run runs[] = {{1, 3}, {0, 5}};
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_segments *segments = NULL;
    struct xpl_error err = {0};

    params.segmentation = (struct xpl_segmentation){.algorithm = XPL_SEGMENTATION_LABELS, .runs = runs, .n_runs = 2};
    assert_int_equal(xpl_segment_image(*state, paint(state, 3, 3, 3, true, texture), &params, NULL, &segments, &err),
                     XPL_BAD_FIELD);
    assert_string_equal(err.field, "parameters.image.segmentation.labels");
    assert_int_equal(xpl_segment_image(*state, paint(state, 1, 7, 3, true, texture), &params, NULL, &segments, NULL),
                     XPL_BAD_FIELD);
}

/* Ends the work at one of the times that it asks. */
struct alarm {
    size_t checks, rings_at;
};

static enum xpl_status ring(void *context, struct xpl_error *err)
{
    struct alarm *alarm = context;

    return ++alarm->checks > alarm->rings_at ? xpl_fail(err, XPL_CANCELLED, "enough") : XPL_OK;
}

static void cutting_can_be_ended_at_any_time(void **state)
{
    static const struct {
        enum xpl_segmentation_algorithm algorithm;
        size_t checks; /* at least */
    } cases[] = {
        {XPL_SEGMENTATION_QUICKSHIFT, 2 * 40}, {XPL_SEGMENTATION_SLIC, 10}, {XPL_SEGMENTATION_FELZENSZWALB, 3}};
    struct xpl_pixels *image = paint(state, 40, 60, 3, true, noise);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xpl_explain_params params = xpl_explain_params_default();
        struct alarm alarm = {.rings_at = SIZE_MAX};
        struct xpl_interrupt interrupt = {ring, &alarm};
        struct xpl_segments *segments = NULL;
        size_t all;

        params.segmentation.algorithm = cases[i].algorithm;
        assert_int_equal(xpl_segment_image(*state, image, &params, &interrupt, &segments, NULL), XPL_OK);
        all = alarm.checks;
        assert_true(all >= cases[i].checks);
        segments = NULL;
        for (size_t at = 0; at < all; at += 1 + all / 16) {
            alarm = (struct alarm){.rings_at = at};
            assert_int_equal(xpl_segment_image(*state, image, &params, &interrupt, &segments, NULL), XPL_CANCELLED);
            assert_int_equal(alarm.checks, at + 1);
            assert_null(segments);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(every_algorithm_cuts_every_image),
        IMAGE_TEST(slic_finds_about_as_many_as_asked_and_merges_the_rest),
        IMAGE_TEST(felzenszwalb_joins_what_looks_alike),
        IMAGE_TEST(superpixels_are_in_one_piece_when_that_is_asked_for),
        IMAGE_TEST(a_label_map_is_taken_as_it_is),
        IMAGE_TEST(a_label_map_of_another_size_is_refused),
        IMAGE_TEST(cutting_can_be_ended_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
