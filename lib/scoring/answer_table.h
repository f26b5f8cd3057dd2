/* SPDX-License-Identifier: Apache-2.0 */
/* Where the table of an answer is: in predictions[0] (WML v4) or at the top (WML v3, custom engines). */
#ifndef XPL_SCORING_ANSWER_TABLE_H
#define XPL_SCORING_ANSWER_TABLE_H

#include <stdbool.h>

#include "lib/base/status.h"
#include "lib/base/text.h"

/** JSON texts inside the answer; ptr NULL = not there. */
struct xpl_answer_table {
    struct xpl_text fields, values, labels;
};

/** "values" is an array on success; XPL_MODEL_BAD_ANSWER or XPL_BAD_JSON otherwise. */
enum xpl_status xpl_answer_table_find(struct xpl_text text, struct xpl_answer_table *ret, struct xpl_error *err);

/** Whether a JSON text is an array. */
static inline bool xpl_json_text_is_array(struct xpl_text text)
{
    return text.length >= 2 && text.ptr[0] == '[';
}

#endif
