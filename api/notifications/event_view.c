/* SPDX-License-Identifier: Apache-2.0 */
#include "api/notifications/event_view.h"

#include "api/explanations/explanation_views.h"
#include "lib/base/time.h"

json_t *xpl_event_view(const struct xpl_task_event *event, const struct xpl_task_progress *progress)
{
    char when[XPL_TIME_TEXT_SIZE];
    json_t *view = json_pack("{s:s, s:s, s:s, s:s, s:s}", "explanation_task_id", event->task_id, "subscription_id",
                             event->subscription_id, "scoring_id", event->scoring_id, "state", event->state, "at",
                             xpl_time_format(event->at, when));

    if (view && progress)
        json_object_set_new(view, "progress", xpl_progress_view(progress));
    if (view && event->error_code)
        json_object_set_new(view, "error",
                            json_pack("{s:s, s:s}", "code", event->error_code, "message",
                                      event->error_message ? event->error_message : ""));
    return view;
}
