/* SPDX-License-Identifier: Apache-2.0 */
/* The image of a logged record, read as its subscription says. */
#ifndef XPL_API_RECORD_IMAGE_H
#define XPL_API_RECORD_IMAGE_H

#include "api/app.h"
#include "db/records.h"
#include "lib/scoring/model_settings.h"
#include "lib/scoring/requests/request.h"

/** What the subscription of a data set says about its model. */
enum xpl_status xpl_model_settings_of_data_set(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                               const char *data_set_id, struct xpl_model_settings *ret,
                                               struct xpl_error *err);

/** The logged request and the pixels of the record's image in it. */
enum xpl_status xpl_record_image_load(const struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                      const struct xpl_record *record, const struct xpl_request_hints *hints,
                                      struct xpl_request **ret_request, struct xpl_pixels **ret, struct xpl_error *err);

#endif
