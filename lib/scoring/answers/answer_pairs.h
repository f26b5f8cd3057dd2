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
#include "lib/scoring/model_hints.h"

enum xpl_answer_pairing {
    XPL_PAIRS_NONE, /* they do not fit together, or the scores are in the order of the classes already */
    XPL_PAIRS_MADE,
    XPL_PAIRS_UNSURE /* there are as many images as classes: a list of classes may be one of each */
};

/**
 * A row of {"label","score"} for each image, written into `arena`. Both lists may be flat or nested; `classes` are
 * texts or indexes, one for each score or for each score of an image.
 */
enum xpl_answer_pairing xpl_answer_pairs_make(struct xpl_arena *arena, struct xpl_text classes, struct xpl_text scores,
                                              uint32_t n_rows, const struct xpl_answer_hints *hints,
                                              struct xpl_text *ret);

/**
 * Likewise with the classes of a member of `object` that is called as they are: a list with a list for each image or,
 * where the subscription names the classes, a list for all images.
 */
enum xpl_answer_pairing xpl_answer_pairs_beside(struct xpl_arena *arena, struct xpl_text object, struct xpl_text scores,
                                                uint32_t n_rows, const struct xpl_answer_hints *hints,
                                                struct xpl_text *ret);

#endif
