/* SPDX-License-Identifier: Apache-2.0 */
/* How what happened to an explanation looks: the same in streams of events and in webhooks. */
#ifndef XPL_API_EVENT_VIEW_H
#define XPL_API_EVENT_VIEW_H

#include <jansson.h>

#include "api/app.h"
#include "db/task_events.h"

/** `progress` may be NULL. NULL without memory. */
json_t *xpl_event_view(const struct xpl_task_event *event, const struct xpl_task_progress *progress);

#endif
