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

/** The secrets of a type of resource. */
struct xpl_secrets {
    const char *const *pointers; /* JSON pointers without escapes, ended by NULL */
    const char *url;             /* pointer to the address they are for */
};

/** Replaces each secret by its sealed form; null counts as none and is removed. */
enum xpl_status xpl_secrets_seal(const struct xpl_app *app, struct xpl_arena *arena, const struct xpl_secrets *secrets,
                                 const char *table, const char *id, json_t *entity, struct xpl_error *err);

/** Replaces the sealed forms by the plain values. */
enum xpl_status xpl_secrets_unseal(const struct xpl_app *app, struct xpl_arena *arena,
                                   const struct xpl_secrets *secrets, const char *table, const char *id, json_t *entity,
                                   struct xpl_error *err);

/** Leaves only each `secret_id`: for answers. */
void xpl_secrets_hide(const struct xpl_secrets *secrets, json_t *entity);

/**
 * Stored secrets must not go to a server they were not given for: XPL_BAD_FIELD when `patch` made `after` out of
 * `before`, the address leads to another origin, and any part of a secret was not sent again. Both are unsealed.
 */
enum xpl_status xpl_secrets_check_moved(const struct xpl_secrets *secrets, const json_t *before, const json_t *after,
                                        const json_t *patch, struct xpl_error *err);

#endif
