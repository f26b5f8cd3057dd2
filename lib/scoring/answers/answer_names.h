/* SPDX-License-Identifier: Apache-2.0 */
/* What model servers call the parts of an answer, the usual ones first. Lists end with NULL. */
#ifndef XPL_SCORING_ANSWER_NAMES_H
#define XPL_SCORING_ANSWER_NAMES_H

extern const char *const xpl_probability_names[]; /* of one image */
extern const char *const xpl_score_names[];       /* of one number */
extern const char *const xpl_label_names[];       /* of the class that a number is of */
extern const char *const xpl_prediction_names[];
extern const char *const xpl_container_names[];  /* of all rows */
extern const char *const xpl_label_list_names[]; /* of the classes of all rows */

#endif
