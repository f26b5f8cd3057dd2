/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numerical core without a model, for comparisons with other software:
 *
 *     engine_tool fit < CASES             prints coefficients, r2, q2 and standard errors of each case (fit_case.h)
 *     engine_tool masks MODE D [BUDGET]   prints the design's masks, a line "stage NAME" behind each stage
 *     engine_tool explain MODE [BUDGET [SEED]] < TABLES   explains models that are tables: "D CLASSES", then the
 *                                         probabilities of all classes for each of the masks 0 to 2^D - 1
 *     engine_tool shapley MODE [BUDGET [SEED]] < TABLES   the same with Shapley values of their most probable class
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/explain/designs/design.h"
#include "lib/explain/fitting/estimate.h"
#include "lib/explain/fitting/shapley.h"
#include "tests/tools/fit_case.h"

#define ARENA_BYTES        ((size_t)1 << 30)
#define MAX_TABLE_SEGMENTS 20u

static void print_numbers(const char *name, const double *numbers, size_t n)
{
    printf("%s", name);
    for (size_t i = 0; i < n; i++)
        printf(" %.17g", numbers[i]);
    printf("\n");
}

static enum xpl_status fit_one(struct xpl_arena *arena, const struct fit_case *given, struct xpl_error *err)
{
    struct xpl_estimate_rows rows = {0};
    struct xpl_estimate estimate;
    struct xpl_fit *fit;
    enum xpl_status st;

    if ((st = xpl_fit_factor(arena, &given->rows, &fit, err)))
        return st;
    rows.fit = fit;
    if ((st = xpl_estimate_class(arena, &rows, given->scores, &estimate, err)))
        return st;
    printf("case %s\n", given->name);
    print_numbers("coefficients", estimate.coefficients, fit->size);
    print_numbers("r2", &estimate.linear.r2, 1);
    print_numbers("q2", &estimate.q2, 1);
    print_numbers("errors", estimate.standard_errors, given->rows.n_segments);
    return XPL_OK;
}

static int fit_all(struct xpl_arena *arena, struct xpl_error *err)
{
    struct fit_case given;
    int found;

    while ((found = fit_case_read(arena, stdin, &given)) > 0)
        if (fit_one(arena, &given, err))
            return 1;
    if (found < 0)
        xpl_fail(err, XPL_BAD_REQUEST, "the input is not a list of cases");
    return found < 0;
}

static bool find_mode(const char *name, enum xpl_design_mode *ret)
{
    static const enum xpl_design_mode modes[] = {XPL_DESIGN_AUTO, XPL_DESIGN_EXACT, XPL_DESIGN_REFERENCE,
                                                 XPL_DESIGN_ADAPTIVE, XPL_DESIGN_ARRAY};

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        *ret = modes[i];
        if (strcmp(name, xpl_design_mode_name(modes[i])) == 0)
            return true;
    }
    return false;
}

static int print_masks(struct xpl_arena *arena, int argc, char **argv, struct xpl_error *err)
{
    static const uint8_t seed[XPL_HASH_BYTES] = {0};
    struct xpl_explain_params params = xpl_explain_params_default();
    int64_t d, budget = 0;
    struct xpl_design *design;
    size_t row = 0;

    if (!find_mode(argv[2], &params.design) || !xpl_parse_int(argv[3], 2, XPL_MAX_SEGMENTS, &d) ||
        (argc > 4 && !xpl_parse_int(argv[4], 1, 1000000, &budget)))
        return 2;
    params.budget = (uint32_t)budget;
    if (xpl_design_plan(arena, (uint32_t)d, &params, seed, &design, err))
        return 1;
    for (uint32_t stage = 0; stage < design->n_stages; stage++) {
        for (; row < design->stages[stage].end; row++)
            printf("%" PRIx64 " %u\n", design->masks[row], design->repeats ? design->repeats[row] : 1u);
        printf("stage %s\n", design->stages[stage].name);
    }
    return 0;
}

/* ---- a model that is a table of all its answers ---- */

struct table {
    uint32_t d, n_classes;
    double *scores; /* 2^d x n_classes */
};

static enum xpl_status look_up(void *model, const xpl_mask *masks, size_t n, double *ret_scores, struct xpl_error *err)
{
    const struct table *table = model;

    (void)err;
    for (size_t i = 0; i < n; i++)
        memcpy(ret_scores + i * table->n_classes, table->scores + masks[i] * table->n_classes,
               table->n_classes * sizeof *ret_scores);
    return XPL_OK;
}

/* One table of stdin; false at the end. */
static bool read_table(struct xpl_arena *arena, struct table *ret)
{
    size_t n;

    if (scanf("%" SCNu32 " %" SCNu32, &ret->d, &ret->n_classes) != 2 || ret->d < 2 || ret->d > MAX_TABLE_SEGMENTS ||
        ret->n_classes < 1 || ret->n_classes > 1000)
        return false;
    n = ((size_t)1 << ret->d) * ret->n_classes;
    if (!(ret->scores = XPL_NEW_ARRAY(arena, double, n)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (scanf("%lf", &ret->scores[i]) != 1)
            return false;
    return true;
}

static void print_explanation(const struct xpl_explanation *e, uint32_t d)
{
    printf("explanation %zu %s %s\n", e->calls + e->held_out, e->design, xpl_stop_reason_name(e->stopped));
    for (uint32_t i = 0; i < e->n_classes; i++) {
        const struct xpl_class_explanation *c = &e->classes[i];

        printf("class %u %s %.17g %.17g\n", c->index, xpl_verdict_name(c->verdict), c->q2, c->surrogate_q2);
        print_numbers("weights", c->weights, d);
        print_numbers("low", c->low, d);
        print_numbers("high", c->high, d);
        printf("decisions");
        for (uint32_t j = 0; j < d; j++)
            printf(" %s", xpl_decision_name(c->decisions[j]));
        printf("\n");
    }
}

/* As a replay does: from what an explanation kept. */
static enum xpl_status print_shapley(struct xpl_arena *arena, const struct xpl_explanation *e, uint32_t d,
                                     struct xpl_error *err)
{
    double *scores = XPL_NEW_ARRAY(arena, double, e->calls);
    struct xpl_fit_rows rows = {.masks = e->masks, .n = e->calls, .n_segments = d};
    double low[XPL_MAX_SEGMENTS], high[XPL_MAX_SEGMENTS];
    enum xpl_decision decisions[XPL_MAX_SEGMENTS];
    struct xpl_intervals intervals = {low, high, decisions};
    struct xpl_shapley shapley;
    uint32_t top = 0;
    enum xpl_status st;

    while (e->kept_classes[top] != e->classes[0].index)
        top++;
    for (size_t i = 0; scores && i < e->calls; i++)
        scores[i] = (double)e->kept_scores[i * e->n_kept + top];
    if (!scores)
        return xpl_no_memory(err);
    if ((st = xpl_shapley_values(arena, e->masks, scores, e->calls, d, &shapley, err)) ||
        (st = xpl_shapley_doubt(arena, &rows, scores, e->doubt, e->contradicted, &shapley, err)))
        return st;
    xpl_shapley_intervals(&shapley, d, 0.95, xpl_estimate_shapley_kind(e->mode, e->exact, e->calls), &intervals);
    print_numbers("shapley", shapley.values, d);
    print_numbers("low", low, d);
    print_numbers("high", high, d);
    return XPL_OK;
}

static int explain_tables(int argc, char **argv, struct xpl_error *err)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    int64_t budget = 0, seed = 0;

    if (!find_mode(argv[2], &params.design) || (argc > 3 && !xpl_parse_int(argv[3], 0, 1000000, &budget)) ||
        (argc > 4 && !xpl_parse_int(argv[4], 0, INT64_MAX, &seed)))
        return 2;
    params.budget = (uint32_t)budget;
    params.seed_given = argc > 4;
    params.seed = (uint64_t)seed;
    for (;;) {
        XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
        struct table table;
        struct xpl_segments segments = {0};
        struct xpl_explain_input input = {.segments = &segments, .params = params, .score = look_up, .model = &table};
        struct xpl_explanation *explanation;

        if (!arena || !read_table(arena, &table))
            return 0;
        segments.count = table.d;
        input.n_classes = table.n_classes;
        if (xpl_explain(arena, &input, &explanation, err))
            return 1;
        print_explanation(explanation, table.d);
        if (strcmp(argv[1], "shapley") == 0 && print_shapley(arena, explanation, table.d, err))
            return 1;
    }
}

int main(int argc, char **argv)
{
    struct xpl_arena *arena = xpl_arena_new(ARENA_BYTES);
    struct xpl_error err = {0};
    int code = 2;

    if (arena && argc == 2 && strcmp(argv[1], "fit") == 0)
        code = fit_all(arena, &err);
    else if (arena && argc >= 4 && strcmp(argv[1], "masks") == 0)
        code = print_masks(arena, argc, argv, &err);
    else if (argc >= 3 && (strcmp(argv[1], "explain") == 0 || strcmp(argv[1], "shapley") == 0))
        code = explain_tables(argc, argv, &err);
    if (code == 2)
        fprintf(
            stderr,
            "usage: engine_tool fit < CASES | masks MODE D [BUDGET] | explain|shapley MODE [BUDGET [SEED]] < TABLES\n");
    if (*err.message)
        fprintf(stderr, "engine_tool: %s\n", err.message);
    xpl_arena_free(arena);
    return code;
}
