/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that deletes what retention.days and retention.bytes no longer allow: a few records at a time through the
 * writer, with a pause between, so that clients hardly notice.
 */
#ifndef XPL_SERVER_RETENTION_H
#define XPL_SERVER_RETENTION_H

#include "api/app.h"

struct xpl_retention;

/** Starts it; `*ret` stays NULL when neither setting bounds anything. The writer of `app` must outlive it. */
enum xpl_status xpl_retention_start(struct xpl_app *app, struct xpl_retention **ret, struct xpl_error *err);

/** NULL is fine. */
void xpl_retention_stop(struct xpl_retention *retention);

#endif
