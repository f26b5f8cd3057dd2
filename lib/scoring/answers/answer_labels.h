/* SPDX-License-Identifier: Apache-2.0 */
/* The names of an answer's classes. Servers may sort them by score, so a class is told by its name, never by its place.
 */
#ifndef XPL_SCORING_ANSWER_LABELS_H
#define XPL_SCORING_ANSWER_LABELS_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"
#include "lib/scoring/model_hints.h"

/** The classes: names in the order of their indexes, and the same sorted, for finding them. */
struct xpl_class_names {
    const char *const *names;
    const char **sorted;
    uint32_t *index; /* of the i-th sorted one */
    uint32_t n;
    bool numbered; /* a number that is no name is the index of one */
};

/** Names in the order of their indexes; XPL_MODEL_BAD_ANSWER for one that comes twice. */
enum xpl_status xpl_class_names_of(struct xpl_arena *arena, const char *const *names, uint32_t n,
                                   struct xpl_class_names *ret, struct xpl_error *err);

/** The strings of a JSON array: at most `max`. XPL_MODEL_BAD_ANSWER for more, or a broken one. */
enum xpl_status xpl_class_names_read(struct xpl_arena *arena, struct xpl_text labels, uint32_t max,
                                     const char ***ret_list, uint32_t *ret_n, struct xpl_error *err);

/** Sorts a list of names, which gives classes in the order of their names. */
void xpl_class_names_sort(const char **list, uint32_t n);

/**
 * Those of a list of labels that are the same get their index behind them: "crane (134)" and "crane (517)". `*ret_n` is
 * how many they are. False without memory.
 */
bool xpl_class_names_tell_apart(struct xpl_arena *arena, const char **list, uint32_t n, uint32_t *ret_n);

/** Whether several classes were told apart that had this name. */
bool xpl_class_names_are_several(const struct xpl_class_names *classes, const char *name);

/** A JSON scalar as a name: a string's content, or the text of anything else. NULL for a broken escape. */
const char *xpl_class_name_of(struct xpl_arena *arena, struct xpl_text scalar);

/**
 * The names of `n` (2 or more) classes in an object: a list of so many strings with a usual name, all of which are
 * among those of the subscription where that names them, or a list of their indexes. `*ret` stays as it is when there
 * is none.
 */
void xpl_class_names_beside(struct xpl_text object, const struct xpl_answer_hints *hints, uint32_t n,
                            struct xpl_text *ret);

/** Whether lists of indexes are usually called so: of two, "classes" may be a one for each class that is there. */
bool xpl_class_indexes_are_called(struct xpl_text name, uint32_t n);

/** Whether a text is a whole number without a sign, as indexes are written. */
bool xpl_text_is_index(struct xpl_text text);

/** Whether lists of classes are usually called so. */
bool xpl_class_names_are_called(struct xpl_text name);

/** Whether all of a list of strings are classes that the subscription names, if it names any. */
bool xpl_class_names_fit(struct xpl_text list, const struct xpl_answer_hints *hints);

/** Whether a number is the name of a class that the subscription names; of two classes it may be a probability. */
bool xpl_class_names_are_known(struct xpl_text number, const struct xpl_answer_hints *hints);

/** Whether an object has a number for each class that the subscription names; false when it names none. */
bool xpl_class_names_are_members(struct xpl_text object, const struct xpl_answer_hints *hints);

/** A map (answer_items.h) of such an object without what is no class; ptr NULL without memory. */
struct xpl_text xpl_class_members(struct xpl_arena *arena, struct xpl_text object,
                                  const struct xpl_answer_hints *hints);

/** The index of a class; UINT32_MAX when there is none of that name. */
uint32_t xpl_class_index(const struct xpl_class_names *classes, const char *name);

#endif
