/* SPDX-License-Identifier: Apache-2.0 */
/* The names of an answer's classes. Servers may sort them by score, so a class is told by its name, never by its place.
 */
#ifndef XPL_SCORING_ANSWER_LABELS_H
#define XPL_SCORING_ANSWER_LABELS_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

/** The classes: names in the order of their indexes, and the same sorted, for finding them. */
struct xpl_class_names {
    const char *const *names;
    const char **sorted;
    uint32_t *index; /* of the i-th sorted one */
    uint32_t n;
};

/** Names in the order of their indexes; XPL_MODEL_BAD_ANSWER for one that comes twice. */
enum xpl_status xpl_class_names_of(struct xpl_arena *arena, const char *const *names, uint32_t n,
                                   struct xpl_class_names *ret, struct xpl_error *err);

/** The strings of a JSON array: at most `max`. XPL_MODEL_BAD_ANSWER for more, or a broken one. */
enum xpl_status xpl_class_names_read(struct xpl_arena *arena, struct xpl_text labels, uint32_t max,
                                     const char ***ret_list, uint32_t *ret_n, struct xpl_error *err);

/** Sorts a list of names, which gives classes in the order of their names. */
void xpl_class_names_sort(const char **list, uint32_t n);

/** A JSON scalar as a name: a string's content, or the text of anything else. NULL for a broken escape. */
const char *xpl_class_name_of(struct xpl_arena *arena, struct xpl_text scalar);

/** The index of a class; UINT32_MAX when there is none of that name. */
uint32_t xpl_class_index(const struct xpl_class_names *classes, const char *name);

#endif
