/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate and key for https: the configured files, or a self-signed pair kept in the data directory. */
#ifndef XPL_SERVER_TLS_H
#define XPL_SERVER_TLS_H

#include "api/app.h"

struct xpl_tls {
    const char *certificate, *key; /* PEM texts */
};

/**
 * The configured pair; both NULL when none is configured. XPL_BAD_FIELD: a file cannot be read, or certificate and key
 * do not belong together.
 */
enum xpl_status xpl_tls_configured(struct xpl_arena *arena, const struct xpl_settings *settings, struct xpl_tls *ret,
                                   struct xpl_error *err);

/** The configured pair, else the one in the data directory, which is made when it is not there. */
enum xpl_status xpl_tls_load(struct xpl_arena *arena, const struct xpl_settings *settings, const char *data_dir,
                             struct xpl_tls *ret, struct xpl_error *err);

#endif
