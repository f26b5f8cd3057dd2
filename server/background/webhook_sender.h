/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that make deliveries to webhooks: each one at a time, of any webhook one at a time. A delivery is crossed
 * off after its receiver has taken it, so one that the process died in between of is made again, with the same id.
 */
#ifndef XPL_SERVER_WEBHOOK_SENDER_H
#define XPL_SERVER_WEBHOOK_SENDER_H

#include "api/app.h"

struct xpl_webhook_sender;

/** `*ret` stays NULL when webhooks.threads is 0. `app` and `db_path` must outlive it. */
enum xpl_status xpl_webhook_sender_start(struct xpl_app *app, const char *db_path, struct xpl_webhook_sender **ret,
                                         struct xpl_error *err);

/** Ends the threads; what was under way is made again later. The writer must still run. NULL is fine. */
void xpl_webhook_sender_stop(struct xpl_webhook_sender *sender);

/** After the writer has stopped. NULL is fine. */
void xpl_webhook_sender_free(struct xpl_webhook_sender *sender);

#endif
