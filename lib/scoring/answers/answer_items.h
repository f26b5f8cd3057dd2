/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probabilities of one image as answers write them: a number, a list of numbers, {"label":"cat","score":0.9}, a
 * list of these, or a map of classes, {"cat":0.9,"dog":0.1}. Texts were checked before.
 *
 * Loose ones are taken where nothing else was found: lists whose label or score has a name of its own
 * ({"keyword":"cat","score":0.9,"root":"animal"}), lists of rows (["n02123045","tabby",0.9]), maps of objects
 * ({"cat":{"confidence":0.9}}), and maps with texts beside the numbers, which are left out.
 */
#ifndef XPL_SCORING_ANSWER_ITEMS_H
#define XPL_SCORING_ANSWER_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/json_scan.h"
#include "lib/base/text.h"

struct xpl_answer_item {
    struct xpl_text label;  /* a JSON string; ptr NULL = it has none */
    struct xpl_text number; /* a JSON number; ptr NULL = it is something else */
    struct xpl_text value;  /* what it was read from */
};

struct xpl_answer_items {
    struct xpl_json_scan scan;
    struct xpl_text only; /* what is no list and no map */
    bool is_list, is_map;
    bool is_loose; /* a list that is; a map as soon as something loose was read */
};

/** `probabilities` stays the caller's. */
void xpl_answer_items_start(struct xpl_answer_items *items, struct xpl_text probabilities);

/** False behind the last one. */
bool xpl_answer_items_next(struct xpl_answer_items *items, struct xpl_answer_item *ret);

uint32_t xpl_answer_items_count(struct xpl_text probabilities);

/** Whether the items say which classes they are of. */
bool xpl_answer_items_are_named(struct xpl_text probabilities);

/** Two or more items, the first of them with a label and a number. */
bool xpl_answer_is_named_list(struct xpl_text value);

/**
 * An object of two or more numbers and nothing else, with 1 (or 100, as percentages) as their sum; `any_sum`, when it
 * is known that these are scores: of one or more, whatever their sum.
 */
bool xpl_answer_is_map(struct xpl_text value, bool any_sum);

/** Likewise a map that is loose: of two or more. */
bool xpl_answer_is_loose_map(struct xpl_text value);

/** A loose map of two or more objects, each with a score that has a usual name. */
bool xpl_answer_is_map_of_objects(struct xpl_text value);

/** A list that is loose: of two or more. */
bool xpl_answer_is_loose_list(struct xpl_text value);

/** Whether a sum of probabilities is 1, or 100, up to their rounding. */
bool xpl_answer_is_whole(double sum);

/** Whether a value is a list of nothing. */
bool xpl_answer_is_empty_list(struct xpl_text value);

/** Whether an object has a text that says what went wrong: it is no answer, whatever its numbers are. */
bool xpl_answer_is_error(struct xpl_text object);

/** Whether a value is a list of strings. */
bool xpl_answer_is_strings(struct xpl_text value);

/** A class, by its name or its index, and its score in one object; `ret_label` may be NULL. */
bool xpl_answer_pair(struct xpl_text object, struct xpl_text *ret_score, struct xpl_text *ret_label);

/** The same of an entry in a list of classes, where an "index" is that of a class, too. */
bool xpl_answer_entry(struct xpl_text value, struct xpl_text *ret_score, struct xpl_text *ret_label);

/** Likewise in an entry of a loose list. `*ret_known` = the score has a usual name. */
bool xpl_answer_loose_pair(struct xpl_text entry, struct xpl_text *ret_score, struct xpl_text *ret_label,
                           bool *ret_known);

/** The score of an object: the number with a usual name. */
bool xpl_answer_score(struct xpl_text object, struct xpl_text *ret);

/** Likewise, or the only number of it. `*ret_known` as above. */
bool xpl_answer_loose_score(struct xpl_text object, struct xpl_text *ret, bool *ret_known);

#endif
