/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/explain/explain_test.h"

#include <string.h>

#include "lib/explain/drawing/overlay.h"

#define MAX_SVG ((size_t)1 << 20)

/* Two zones of a pixel each: the heavier one may be for or against, the other is for the class. */
static void expect_words(void **state, double clip, double second_low, bool nothing_sure)
{
    double values[] = {0, 255}, weights[] = {1, 0.2}, low[] = {-1, second_low}, high[] = {3, 0.3};
    uint16_t labels[] = {0, 1};
    struct xpl_pixels image = {.height = 1, .width = 2, .channels = 1, .integers = true, .values = values};
    struct xpl_segments segments = {.height = 1, .width = 2, .count = 2, .labels = labels};
    struct xpl_weighted_zones zones = {&image, &segments, weights, low, high};
    struct xpl_overlay style = {.alpha = 1, .clip = clip};
    XPL_AUTO(xpl_buf) svg = xpl_buf_new(MAX_SVG);

    assert_int_equal(xpl_overlay_svg(*state, &zones, &style, 1, true, svg, NULL), XPL_OK);
    assert_int_equal(strstr(svg->data, "no zone is") != NULL, nothing_sure);
    assert_int_equal(strstr(svg->data, ">+1") != NULL, !nothing_sure);
}

static void a_scale_says_that_no_zone_is_sure(void **state)
{
    expect_words(state, 0, -0.1, true);
    expect_words(state, 0, 0.1, false);
}

static void zones_that_are_only_left_out_are_sure(void **state)
{
    expect_words(state, 0.5, 0.1, false);
    expect_words(state, 0.5, -0.1, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_scale_says_that_no_zone_is_sure),
        TEST(zones_that_are_only_left_out_are_sure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
