/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a subscription says about its model: asset_properties (probability_fields, prediction_field) and the object
 * `explaind`, in asset_properties or deployment.scoring_endpoint, for what a logged transaction does not show.
 */
#ifndef XPL_API_MODEL_SETTINGS_H
#define XPL_API_MODEL_SETTINGS_H

#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/scoring/model_settings.h"

/** Texts are copied into `arena`. XPL_BAD_FIELD names the member that is wrong. */
enum xpl_status xpl_model_settings_read(struct xpl_arena *arena, const json_t *subscription,
                                        struct xpl_model_settings *ret, struct xpl_error *err);

/** The same for one object {"protocol", "layout", …} alone; `path` is said in errors. */
enum xpl_status xpl_model_settings_object(struct xpl_arena *arena, const json_t *object, const char *path,
                                          struct xpl_model_settings *ret, struct xpl_error *err);

/**
 * What a breaker knows the model at `url` by: its address together with what the subscription and its provider say
 * about how it is called, credentials included (as a hash), so that a model whose settings were corrected is asked
 * again. NULL without memory.
 */
const char *xpl_model_circuit(struct xpl_arena *arena, const json_t *subscription, const json_t *provider,
                              const char *url);

#endif
