/* SPDX-License-Identifier: Apache-2.0 */
/* The names of an answer's classes. Servers may sort them by score, so a class is told by its name, never by its place.
 */
#ifndef XPL_SCORING_ANSWER_LABELS_H
#define XPL_SCORING_ANSWER_LABELS_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

/**
 * `labels`: JSON text of an array of `n` names. `*ret_sorted` are the names sorted, which is the order of the class
 * indexes;
 * `*ret_order` says where the i-th name of this answer stands there. XPL_MODEL_BAD_ANSWER for another number or a name
 * twice.
 */
enum xpl_status xpl_answer_labels_read(struct xpl_arena *arena, struct xpl_text labels, uint32_t n,
                                       const char ***ret_sorted, uint32_t **ret_order, struct xpl_error *err);

#endif
