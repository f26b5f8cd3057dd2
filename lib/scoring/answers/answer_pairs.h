/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scores in one list and the classes that they are of in another one, for several images: the best few first, as a
 * rule, so that a score's place says nothing about its class.
 */
#ifndef XPL_SCORING_ANSWER_PAIRS_H
#define XPL_SCORING_ANSWER_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/text.h"

/**
 * A row of {"label","score"} for each image, written into `arena`. Both lists may be flat or nested; `classes` are
 * texts or indexes, one for each score or for each score of an image. False when they do not fit together.
 */
bool xpl_answer_pairs_make(struct xpl_arena *arena, struct xpl_text classes, struct xpl_text scores, uint32_t n_rows,
                           struct xpl_text *ret);

/** Likewise with the classes of a member of `object` that is called as they are: a list with a list for each image. */
bool xpl_answer_pairs_beside(struct xpl_arena *arena, struct xpl_text object, struct xpl_text scores, uint32_t n_rows,
                             struct xpl_text *ret);

#endif
