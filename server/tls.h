/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate and key for https: the configured files, or a self-signed pair kept in the data directory. */
#ifndef XPL_SERVER_TLS_H
#define XPL_SERVER_TLS_H

#include "api/app.h"

struct xpl_tls {
    const char *certificate, *key; /* PEM texts */
};

enum xpl_status xpl_tls_load(struct xpl_arena *arena, const struct xpl_settings *settings, const char *data_dir,
                             struct xpl_tls *ret, struct xpl_error *err);

#endif
