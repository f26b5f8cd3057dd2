/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regression as text, for the engine tool and the recorded vectors:
 *
 *     case NAME
 *     segments D
 *     ridge A
 *     rows N
 *     MASK REPEATS SCORE                 N lines; MASK in hexadecimal, bit j = superpixel j
 *     coefficients B0 B1 ... BD          from here on: what is expected; the tool needs none of it
 *     r2 X
 *     q2 X
 *     errors S1 ... SD
 *     end
 */
#ifndef XPL_TESTS_FIT_CASE_H
#define XPL_TESTS_FIT_CASE_H

#include <stdio.h>

#include "lib/explain/fitting/fit.h"

struct fit_case {
    char name[64];
    struct xpl_fit_rows rows;
    double *scores;
    double coefficients[XPL_FIT_MAX_SIZE];
    double r2, q2;
    double errors[XPL_MAX_SEGMENTS];
};

/** 1: read one; 0: end of file; -1: not in this form. */
int fit_case_read(struct xpl_arena *arena, FILE *file, struct fit_case *ret);

#endif
