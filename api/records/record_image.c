/* SPDX-License-Identifier: Apache-2.0 */
#include "api/records/record_image.h"

#include "api/call.h"
#include "api/scoring/model_settings.h"
#include "db/subscriptions.h"

enum xpl_status xpl_model_settings_of_data_set(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                               const char *data_set_id, struct xpl_model_settings *ret,
                                               struct xpl_error *err)
{
    XPL_AUTO_JSON properties = NULL;
    struct xpl_log_target target;
    enum xpl_status st = xpl_log_target_get(db, arena, data_mart_id, data_set_id, &target, err);

    if (st)
        return st;
    if (!(properties = json_loads(target.asset_properties, 0, NULL)))
        return xpl_no_memory(err);
    return xpl_model_settings_read(arena, properties, ret, err);
}

enum xpl_status xpl_record_image_load(const struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                      const struct xpl_record *record, const struct xpl_request_hints *hints,
                                      struct xpl_request **ret_request, struct xpl_pixels **ret, struct xpl_error *err)
{
    struct xpl_text text;
    enum xpl_status st;

    if ((st = xpl_payload_load(db, arena, record->payload_id, &text, NULL, err)) ||
        (st = xpl_request_read(arena, text, hints, app->decoder, ret_request, err)))
        return st;
    if (record->image_index >= (*ret_request)->n_images)
        return xpl_fail(err, XPL_STORAGE_FAILED, "the stored payload is damaged");
    return xpl_request_pixels(arena, *ret_request, (uint32_t)record->image_index, ret, err);
}
