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
    bool flat;
};

/* Two cells matter, in different corners: 0.4 for the one, 0.2 for the other. */
static double probability(const struct seen *seen, xpl_mask mask)
{
    const uint16_t *labels = seen->segments->labels;
    bool first = mask >> labels[1 * SIDE + 1] & 1u, second = mask >> labels[22 * SIDE + 22] & 1u;

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
}

static void the_budget_holds_for_both(void **state)
{
    struct xpl_explain_params params = refined(36);
    struct seen seen = {0};
    const struct xpl_segments *segments;
    struct xpl_explanation *e;

    params.budget = 700;
    assert_int_equal(explain(state, &seen, params, &segments, &e), XPL_OK);
    assert_true(seen.scored <= 700);
    assert_true(segments->count > 9);
}

static void a_deadline_in_the_fine_part_leaves_the_coarse_answer(void **state)
{
    struct seen seen = {.fail_after = 300};
    const struct xpl_segments *segments;
    struct xpl_explanation *e;

    assert_int_equal(explain(state, &seen, refined(36), &segments, &e), XPL_OK);
    assert_int_equal(e->stopped, XPL_STOPPED_DEADLINE);
    assert_int_equal(segments->count, 9);
    seen = (struct seen){.fail_after = 20};
    assert_int_equal(explain(state, &seen, refined(36), &segments, &e), XPL_DEADLINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_matters_is_split),
        TEST(without_being_asked_nothing_is_split),
        TEST(where_nothing_matters_the_coarse_answer_stays),
        TEST(the_budget_holds_for_both),
        TEST(a_deadline_in_the_fine_part_leaves_the_coarse_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
