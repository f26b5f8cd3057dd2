/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring_hints.h"

#include "api/json_spec.h"

enum xpl_status xpl_scoring_hints(struct xpl_arena *arena, const json_t *subscription, struct xpl_answer_hints *ret,
                                  struct xpl_error *err)
{
    const json_t *fields = xpl_json_at(subscription, "asset_properties.probability_fields");
    const char *prediction = xpl_json_string_at(subscription, "asset_properties.prediction_field");
    size_t n = json_array_size(fields);
    const char **names = XPL_NEW_ARRAY(arena, const char *, n + 1);

    if (!names)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++)
        if (!(names[i] = xpl_arena_string(arena, json_string_value(json_array_get(fields, i)))))
            return xpl_no_memory(err);
    *ret = (struct xpl_answer_hints){names, n, xpl_arena_string(arena, prediction)};
    return XPL_OK;
}
