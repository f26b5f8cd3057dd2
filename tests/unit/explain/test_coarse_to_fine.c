/* SPDX-License-Identifier: Apache-2.0 */
/* From coarse to fine, on a grid whose small zones make up larger ones. */
#include "tests/unit/explain/explain_test.h"

#include <string.h>

#include "lib/explain/coarse_to_fine.h"
#include "tests/unit/image/paint.h"

#define SIDE 24u /* pixels; 6 x 6 cells of 4 */

/* The model sees pixels: each mask is turned into which cells are shown. */
struct seen {
    const struct xpl_segments *segments;
    size_t scored, fail_after;
    uint32_t used; /* how often other segments were taken */
    bool flat, odd;
};

/* Two cells matter, in different corners: 0.4 for the one, 0.2 for the other. Or whether an odd number of superpixels
 * is shown, which no design of a few hundred calls finds out. */
static double probability(const struct seen *seen, xpl_mask mask)
{
    const uint16_t *labels = seen->segments->labels;
    bool first = mask >> labels[1 * SIDE + 1] & 1u, second = mask >> labels[22 * SIDE + 22] & 1u;

    if (seen->odd)
        return (first ? 0.1 : 0) + (__builtin_parityll(mask & 0x7f) ? 0.8 : 0.1);
    return seen->flat ? 0.5 : 0.2 + (first ? 0.4 : 0) + (second ? 0.2 : 0);
}

static enum xpl_status score(void *model, const xpl_mask *masks, size_t n, double *ret_scores, struct xpl_error *err)
{
    struct seen *seen = model;

    if (seen->fail_after && seen->scored + n > seen->fail_after)
        return xpl_fail(err, XPL_DEADLINE, "the time is over");
    for (size_t i = 0; i < n; i++) {
        ret_scores[2 * i] = probability(seen, masks[i]);
        ret_scores[2 * i + 1] = 1 - ret_scores[2 * i];
    }
    seen->scored += n;
    return XPL_OK;
}

static enum xpl_status use(void *model, const struct xpl_segments *segments, struct xpl_error *err)
{
    struct seen *seen = model;

    (void)err;
    seen->segments = segments;
    seen->used++;
    return XPL_OK;
}

/* Cells of a colour each, neighbours alike. */
static double cells(uint32_t r, uint32_t c, uint32_t k)
{
    return 10.0 * (r / 4) + 14.0 * (c / 4) + 3.0 * k + 20 * (r / 12) + 30 * (c / 12);
}

static enum xpl_status explain(void **state, struct seen *seen, struct xpl_explain_params params,
                               const struct xpl_segments **ret_segments, struct xpl_explanation **ret)
{
    struct xpl_pixels *image = paint(state, SIDE, SIDE, 3, true, cells);
    struct xpl_explain_input in = {.image = image, .n_classes = 2, .seed = {9}, .score = score, .model = seen};
    struct xpl_segments *fine;

    params.segmentation.algorithm = XPL_SEGMENTATION_GRID;
    params.segmentation.grid_rows = params.segmentation.grid_columns = 6;
    in.params = params;
    assert_int_equal(xpl_segment_image(*state, image, &params, NULL, &fine, NULL), XPL_OK);
    in.segments = seen->segments = fine;
    return xpl_explain_coarse_to_fine(*state, &in, use, ret_segments, ret, NULL);
}

static struct xpl_explain_params refined(uint32_t to)
{
    struct xpl_explain_params params = xpl_explain_params_default();

    params.segmentation.refine = to;
    params.segmentation.max_segments = 9;
    return params;
}

static void only_what_matters_is_split(void **state)
{
    struct seen seen = {0};
    const struct xpl_segments *segments;
    struct xpl_explanation *e;
    const struct xpl_class_explanation *c;
    uint32_t first, second;

    assert_int_equal(explain(state, &seen, refined(24), &segments, &e), XPL_OK);
    assert_int_equal(seen.used, 2);
    assert_int_equal(e->coarse_segments, 9);
    assert_in_range(segments->count, 10, 24);
    first = segments->labels[1 * SIDE + 1];
    second = segments->labels[22 * SIDE + 22];
    assert_int_equal(segments->segments[first].area, 16); /* a cell alone */
    assert_int_equal(segments->segments[second].area, 16);
    c = &e->classes[e->classes[0].index == 0 ? 0 : 1];
    for (uint32_t j = 0; j < segments->count; j++)
        assert_near(c->weights[j], j == first ? 0.4 : j == second ? 0.2 : 0, 1e-3);
    assert_in_range(seen.scored, e->calls + e->held_out + e->coarse_calls,
                    e->calls + e->held_out + e->coarse_calls + 2);
}

static void without_being_asked_nothing_is_split(void **state)
{
    struct seen seen = {0};
    const struct xpl_segments *segments;
    struct xpl_explanation *e;
    struct xpl_explain_params params = xpl_explain_params_default();

    assert_int_equal(explain(state, &seen, params, &segments, &e), XPL_OK);
    assert_int_equal(seen.used, 0);
    assert_int_equal(segments->count, 36);
    assert_int_equal(e->coarse_segments, 0);
}

static void where_nothing_matters_the_coarse_answer_stays(void **state)
{
    struct seen seen = {.flat = true};
    const struct xpl_segments *segments;
    struct xpl_explanation *e;

    assert_int_equal(explain(state, &seen, refined(36), &segments, &e), XPL_OK);
    assert_int_equal(segments->count, 9);
    assert_int_equal(seen.used, 1);
    assert_int_equal(e->n_warnings, 1);
    assert_non_null(strstr(e->warnings[0], "No superpixel was split"));
}

/* The quarter of the budget that the coarse ones have is no end of the budget. */
static void where_nothing_can_be_split_the_budget_did_not_end_it(void **state)
{
    struct xpl_explain_params params = refined(9);
    struct seen seen = {.odd = true};
    const struct xpl_segments *segments;
    struct xpl_explanation *e;

    params.budget = 1024;
    assert_int_equal(explain(state, &seen, params, &segments, &e), XPL_OK);
    assert_true(segments->count == 9 && seen.scored <= 300);
    assert_int_equal(e->stopped, XPL_STOPPED_COMPLETE);
    assert_int_equal(e->n_warnings, 1);
    assert_non_null(strstr(e->warnings[0], "No superpixel was split"));
}

static void an_image_with_fewer_superpixels_is_warned_of(void **state)
{
    struct seen seen = {0};
    struct xpl_explain_params params = refined(63);
    const struct xpl_segments *segments;
    struct xpl_explanation *e;

    assert_int_equal(explain(state, &seen, params, &segments, &e), XPL_OK);
    assert_int_equal(e->n_warnings, 1);
    assert_string_equal(e->warnings[0], "Refining to 63 superpixels was asked for, and the image has 36.");
    params.segmentation.max_segments = 40;
    assert_int_equal(explain(state, &seen, params, &segments, &e), XPL_OK);
    assert_string_equal(e->warnings[e->n_warnings - 1],
                        "Refining to 63 superpixels was asked for, and the image has 36: nothing was split.");
}

/* Also where the model leaves much open, so that all calls there are get used. */
static void the_budget_holds_for_both(void **state)
{
    static const uint32_t budgets[] = {700, 2100};

    for (uint32_t i = 0; i < 4; i++) {
        struct xpl_explain_params params = refined(36);
        struct seen seen = {.odd = i / 2};
        const struct xpl_segments *segments;
        struct xpl_explanation *e;

        params.budget = budgets[i % 2];
        assert_int_equal(explain(state, &seen, params, &segments, &e), XPL_OK);
        assert_true(seen.scored <= params.budget);
        assert_true(!seen.odd || e->stopped == XPL_STOPPED_BUDGET);
        assert_true(segments->count > 9);
    }
}

static void a_deadline_in_the_fine_part_leaves_the_coarse_answer(void **state)
{
    struct seen seen = {.fail_after = 300};
    const struct xpl_segments *segments;
    struct xpl_explanation *e;

    assert_int_equal(explain(state, &seen, refined(36), &segments, &e), XPL_OK);
    assert_int_equal(e->stopped, XPL_STOPPED_DEADLINE);
    assert_int_equal(segments->count, 9);
    assert_int_equal(e->n_warnings, 1);
    assert_non_null(strstr(e->warnings[0], "deadline"));
    seen = (struct seen){.fail_after = 20};
    assert_int_equal(explain(state, &seen, refined(36), &segments, &e), XPL_DEADLINE);
}

/* The calls of the first part are not what the client asked for. */
static void a_deadline_is_not_told_as_a_budget(void **state)
{
    struct xpl_explain_params params = refined(36);
    struct seen seen = {.odd = true, .fail_after = 600};
    const struct xpl_segments *segments;
    struct xpl_explanation *e;

    params.segmentation.max_segments = 16;
    assert_int_equal(explain(state, &seen, params, &segments, &e), XPL_OK);
    assert_int_equal(e->stopped, XPL_STOPPED_DEADLINE);
    assert_int_equal(segments->count, 16);
    assert_int_equal(e->n_warnings, 1);
    assert_non_null(strstr(e->warnings[0], "deadline"));
}

static void a_budget_that_is_too_small_is_known_before(void **state)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_error err = {0};

    (void)state;
    params.segmentation.algorithm = XPL_SEGMENTATION_GRID;
    params.segmentation.grid_rows = 7;
    params.segmentation.grid_columns = 9;
    assert_int_equal(xpl_explain_known_segments(&params, 100, 100), 63);
    assert_int_equal(xpl_explain_known_segments(&params, 2, 100), 18);
    assert_int_equal(xpl_explain_check_budget(&params, 63, NULL), XPL_OK);
    params.budget = 64;
    assert_int_equal(xpl_explain_check_budget(&params, 63, &err), XPL_BAD_FIELD);
    assert_string_equal(err.field, "parameters.image.budget");
    assert_int_equal(xpl_explain_check_budget(&params, 18, NULL), XPL_OK);
    assert_int_equal(xpl_explain_check_budget(&params, 0, NULL), XPL_OK);
    params.segmentation.algorithm = XPL_SEGMENTATION_SLIC;
    assert_int_equal(xpl_explain_known_segments(&params, 100, 100), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_matters_is_split),
        TEST(without_being_asked_nothing_is_split),
        TEST(where_nothing_matters_the_coarse_answer_stays),
        TEST(the_budget_holds_for_both),
        TEST(where_nothing_can_be_split_the_budget_did_not_end_it),
        TEST(an_image_with_fewer_superpixels_is_warned_of),
        TEST(a_deadline_in_the_fine_part_leaves_the_coarse_answer),
        TEST(a_deadline_is_not_told_as_a_budget),
        TEST(a_budget_that_is_too_small_is_known_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
