/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/fit_case.h"

#include <inttypes.h>
#include <string.h>

#define MAX_ROWS 1000000u

static bool read_rows(struct xpl_arena *arena, FILE *file, struct fit_case *ret)
{
    size_t n = ret->rows.n;
    xpl_mask *masks = XPL_NEW_ARRAY(arena, xpl_mask, n);
    uint32_t *repeats = XPL_NEW_ARRAY(arena, uint32_t, n);

    ret->scores = XPL_NEW_ARRAY(arena, double, n);
    if (!masks || !repeats || !ret->scores)
        return false;
    for (size_t i = 0; i < n; i++)
        if (fscanf(file, "%" SCNx64 " %" SCNu32 " %lf", &masks[i], &repeats[i], &ret->scores[i]) != 3 ||
            masks[i] >> ret->rows.n_segments != 0)
            return false;
    ret->rows.masks = masks;
    ret->rows.repeats = repeats;
    return true;
}

static bool read_numbers(FILE *file, double *ret, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fscanf(file, "%lf", &ret[i]) != 1)
            return false;
    return true;
}

static bool read_expected(FILE *file, struct fit_case *ret)
{
    char word[16];

    while (fscanf(file, "%15s", word) == 1) {
        bool good = false;

        if (strcmp(word, "end") == 0)
            return true;
        if (strcmp(word, "coefficients") == 0)
            good = read_numbers(file, ret->coefficients, ret->rows.n_segments + 1);
        else if (strcmp(word, "r2") == 0)
            good = read_numbers(file, &ret->r2, 1);
        else if (strcmp(word, "q2") == 0)
            good = read_numbers(file, &ret->q2, 1);
        else if (strcmp(word, "errors") == 0)
            good = read_numbers(file, ret->errors, ret->rows.n_segments);
        if (!good)
            return false;
    }
    return false;
}

int fit_case_read(struct xpl_arena *arena, FILE *file, struct fit_case *ret)
{
    char word[16];

    memset(ret, 0, sizeof *ret);
    if (fscanf(file, "%15s", word) != 1)
        return 0;
    if (strcmp(word, "case") != 0 || fscanf(file, "%63s", ret->name) != 1 ||
        fscanf(file, " segments %" SCNu32, &ret->rows.n_segments) != 1 ||
        fscanf(file, " ridge %lf", &ret->rows.ridge) != 1 || fscanf(file, " rows %zu", &ret->rows.n) != 1)
        return -1;
    if (ret->rows.n_segments < 1 || ret->rows.n_segments > XPL_MAX_SEGMENTS || ret->rows.n < 1 ||
        ret->rows.n > MAX_ROWS)
        return -1;
    return read_rows(arena, file, ret) && read_expected(file, ret) ? 1 : -1;
}
