/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Gaussian process on {0,1}^d whose rows are blocks of a code (cosets.h): its matrix falls into one small matrix for
 * each word of the code. Private to surrogate.c.
 *
 * kernel(z, z') = 1 + exp(-sum of theta_j over the superpixels in which z and z' differ), plus `noise` on the diagonal.
 * Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5.
 */
#ifndef XPL_EXPLAIN_PROCESS_H
#define XPL_EXPLAIN_PROCESS_H

#include "lib/explain/designs/cosets.h"

#define XPL_TABLE_BITS  8u
#define XPL_TABLE_MASKS (1u << XPL_TABLE_BITS)
#define XPL_MAX_TABLES  ((XPL_MAX_SEGMENTS + XPL_TABLE_BITS - 1) / XPL_TABLE_BITS)

struct xpl_process {
    const struct xpl_cosets *cosets;
    size_t count; /* of the blocks it learns from: the first ones */
    uint32_t d;
    double theta[XPL_MAX_SEGMENTS], noise;
    const double *target; /* one per row */
    /* products of decays over each eight bits of a mask, 256 a piece */
    double tables[XPL_MAX_TABLES * XPL_TABLE_MASKS];
    uint32_t n_tables;
    /* what follows is in the transformed space, one word of the code after the other */
    double *products; /* kernel less 1 of two blocks, lower triangle, each `size` long; not transformed */
    double *matrix;   /* size x count x count, lower triangles: K, then its factor, then K^-1 or a gradient */
    double *inverse;  /* size x count x count, lower triangles: of the factor */
    double *values;   /* size x count: the target */
    double *alpha;    /* size x count: K^-1 target */
    double changes[XPL_MAX_TABLES * XPL_TABLE_MASKS]; /* of the likelihood, by each eight bits of a difference */
    double *buffer;                                   /* size */
    double *column;                                   /* count */
    double fit;                                       /* target' K^-1 target */
    double log_determinant;
};

/** Room for the first `count` blocks; what is given is borrowed. NULL without memory. */
struct xpl_process *xpl_process_new(struct xpl_arena *arena, const struct xpl_cosets *cosets, size_t count, uint32_t d,
                                    const double *target);

/** Of two masks that differ in these superpixels: the kernel less 1. */
double xpl_process_product(const double *tables, uint32_t n_tables, xpl_mask differing);

/** Solves for the theta and noise it has. False when the matrix is not positive definite. */
bool xpl_process_solve(struct xpl_process *p);

/** Log likelihood up to a constant, after xpl_process_solve, with the scale of the process chosen best. */
double xpl_process_likelihood(const struct xpl_process *p);

/** Its derivatives by the logarithms of theta (d) and, behind them, of the noise. Overwrites `matrix`. */
void xpl_process_gradient(struct xpl_process *p, double *ret);

/** Rows x values, into the transformed space and back: size x count numbers each. `rows` are in the masks' order. */
void xpl_process_transform(struct xpl_process *p, const double *rows, double *ret);
void xpl_process_restore(struct xpl_process *p, const double *values, double *ret_rows);

/** K^-1's diagonal, which is the same for all rows of a block: `count` of them. */
void xpl_process_diagonal(const struct xpl_process *p, double *ret);

/** Times the kernel less 1 between all masks: 2^d numbers in place. */
void xpl_process_spread(const struct xpl_process *p, double *field);

#endif
