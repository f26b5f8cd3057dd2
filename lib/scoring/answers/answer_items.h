/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probabilities of one image as answers write them: a number, a list of numbers, {"label":"cat","score":0.9}, a
 * list of these, or a map of classes, {"cat":0.9,"dog":0.1}. Texts were checked before.
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
};

struct xpl_answer_items {
    struct xpl_json_scan scan;
    struct xpl_text only; /* what is no list and no map */
    bool is_list, is_map;
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

/** Whether a value is a list of strings. */
bool xpl_answer_is_strings(struct xpl_text value);

/** A class and its score in one object; `ret_label` may be NULL. */
bool xpl_answer_pair(struct xpl_text object, struct xpl_text *ret_score, struct xpl_text *ret_label);

#endif
