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

/** Replaces `member` of `object` by its sealed form. Nothing happens when there is no such member; null
 * counts as none and is removed. */
enum xpl_status xpl_secret_seal(const struct xpl_app *app, struct xpl_arena *arena, json_t *object, const char *member,
                                const char *table, const char *id, struct xpl_error *err);

/** Replaces the sealed form by the plain object. */
enum xpl_status xpl_secret_unseal(const struct xpl_app *app, struct xpl_arena *arena, json_t *object,
                                  const char *member, const char *table, const char *id, struct xpl_error *err);

/**
 * Stored credentials must not go to a server they were not given for: XPL_BAD_FIELD when `patch` made `after` out of
 * `before`, the address at pointer `url` leads to another origin, and the credentials at pointer `secret` were not sent
 * again. Both entities are opened.
 */
enum xpl_status xpl_secret_check_moved(const json_t *before, const json_t *after, const json_t *patch,
                                       const char *secret, const char *url, struct xpl_error *err);

/** Leaves only the `secret_id`: for answers. */
void xpl_secret_hide(json_t *object, const char *member);

#endif
