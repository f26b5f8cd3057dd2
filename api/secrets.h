/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials inside an entity: encrypted where they are stored, a `secret_id` where they are shown.
 *
 * A stored entity holds {"secret_id": id, "sealed": base64 of XChaCha20-Poly1305}; the table, the row and the member
 * are the associated data, so that a sealed value is of no use in another place.
 */
#ifndef XPL_API_SECRETS_H
#define XPL_API_SECRETS_H

#include <jansson.h>

#include "api/app.h"
#include "lib/base/arena.h"
#include "lib/base/status.h"

/** Replaces `member` of `object` by its sealed form. Nothing happens when there is no such member. */
enum xpl_status xpl_secret_seal(const struct xpl_app *app, struct xpl_arena *arena, json_t *object, const char *member,
                                const char *table, const char *id, struct xpl_error *err);

/** Replaces the sealed form by the plain object. */
enum xpl_status xpl_secret_unseal(const struct xpl_app *app, struct xpl_arena *arena, json_t *object,
                                  const char *member, const char *table, const char *id, struct xpl_error *err);

/** Leaves only the `secret_id`: for answers. */
void xpl_secret_hide(json_t *object, const char *member);

#endif
