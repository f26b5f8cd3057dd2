/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that deletes: what the settings and the subscriptions' rules no longer allow, and what purges ask for. A
 * few milliseconds at a time through the writer, with a pause as long between, so that clients hardly notice.
 */
#ifndef XPL_SERVER_RETENTION_H
#define XPL_SERVER_RETENTION_H

#include "api/app.h"

struct xpl_retention;

/** Starts it and sets app->upkeep. The writer of `app` must outlive it. */
enum xpl_status xpl_retention_start(struct xpl_app *app, const char *db_path, struct xpl_retention **ret,
                                    struct xpl_error *err);

/** Ends the thread. Writes may go on and wake it. NULL is fine. */
void xpl_retention_stop(struct xpl_retention *retention);

/** After the last write. NULL is fine. */
void xpl_retention_free(struct xpl_retention *retention);

#endif
