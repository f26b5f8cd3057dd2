/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numerical core without a model, for comparisons with other software:
 *
 *     engine_tool fit < CASES             prints coefficients, r2, q2 and standard errors of each case (fit_case.h)
 *     engine_tool masks MODE D [BUDGET]   prints the design's masks, a line "stage NAME" behind each stage
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/explain/confidence.h"
#include "lib/explain/design.h"
#include "tests/tools/fit_case.h"

#define ARENA_BYTES ((size_t)1 << 30)

static void print_numbers(const char *name, const double *numbers, size_t n)
{
    printf("%s", name);
    for (size_t i = 0; i < n; i++)
        printf(" %.17g", numbers[i]);
    printf("\n");
}

static enum xpl_status fit_one(struct xpl_arena *arena, const struct fit_case *given, struct xpl_error *err)
{
    double errors[XPL_MAX_SEGMENTS], q2;
    struct xpl_fit_result result;
    struct xpl_fit *fit;
    enum xpl_status st = xpl_fit_factor(arena, &given->rows, &fit, err);

    if (st)
        return st;
    xpl_fit_solve(fit, given->scores, &result);
    q2 = xpl_confidence_q2(fit, given->scores, &result);
    xpl_confidence_standard_errors(fit, given->scores, &result, errors);
    printf("case %s\n", given->name);
    print_numbers("coefficients", result.coefficients, fit->size);
    print_numbers("r2", &result.r2, 1);
    print_numbers("q2", &q2, 1);
    print_numbers("errors", errors, given->rows.n_segments);
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

static int print_masks(struct xpl_arena *arena, int argc, char **argv, struct xpl_error *err)
{
    static const enum xpl_design_mode modes[] = {XPL_DESIGN_AUTO, XPL_DESIGN_EXACT, XPL_DESIGN_REFERENCE};
    static const uint8_t seed[XPL_HASH_BYTES] = {0};
    struct xpl_explain_params params = xpl_explain_params_default();
    int64_t d, budget = 0;
    struct xpl_design *design;
    size_t row = 0, mode = 0;

    while (mode < 3 && strcmp(argv[2], xpl_design_mode_name(modes[mode])) != 0)
        mode++;
    if (mode == 3 || !xpl_parse_int(argv[3], 2, XPL_MAX_SEGMENTS, &d) ||
        (argc > 4 && !xpl_parse_int(argv[4], 1, 1000000, &budget)))
        return 2;
    params.design = modes[mode];
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

int main(int argc, char **argv)
{
    struct xpl_arena *arena = xpl_arena_new(ARENA_BYTES);
    struct xpl_error err = {0};
    int code = 2;

    if (arena && argc == 2 && strcmp(argv[1], "fit") == 0)
        code = fit_all(arena, &err);
    else if (arena && argc >= 4 && strcmp(argv[1], "masks") == 0)
        code = print_masks(arena, argc, argv, &err);
    if (code == 2)
        fprintf(stderr, "usage: engine_tool fit < CASES | engine_tool masks auto|exact|reference D [BUDGET]\n");
    if (*err.message)
        fprintf(stderr, "engine_tool: %s\n", err.message);
    xpl_arena_free(arena);
    return code;
}
