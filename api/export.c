/* SPDX-License-Identifier: Apache-2.0 */
#include "api/export.h"

#include <string.h>

#include "api/configuration/resource.h"
#include "api/explanations/explanation_tasks.h"
#include "api/json_spec.h"
#include "api/json_text.h"
#include "api/records/record_filters.h"
#include "api/records/records.h"

#define MEDIA_TYPE   "application/x-ndjson"
#define ENOUGH_BYTES 262144u /* of a part: no further row is added */
#define IMAGE_ROWS   16      /* in a part: rows that are read and do not fit are read again */

/* What is left of a list, and what appends the next lines of it. */
struct export
{
    struct xpl_part left;
    int64_t rows_left;
    enum xpl_status (*append)(struct xpl_call * call, struct export * export, struct xpl_buf * out,
                              struct xpl_error * err);
    void *selection;
};

bool xpl_export_wanted(const struct xpl_call *call)
{
    return xpl_call_accepts(call, MEDIA_TYPE);
}

/* What is made for a part is made in memory of the part, and of one state of the database. */
static enum xpl_streaming next_part(struct xpl_call *call, struct xpl_arena *scratch, struct xpl_buf *out)
{
    struct export *export = call->stream.arg;
    struct xpl_arena *whole = call->arena;
    struct xpl_error err = {0};
    enum xpl_status st = XPL_OK;

    if (export->left.after<export->left.last &&export->rows_left> 0) {
        call->arena = scratch;
        xpl_db_begin_read(call->db);
        st = export->append(call, export, out, &err);
        xpl_db_end_read(call->db);
        call->arena = whole;
    }
    if (st)
        return xpl_stream_failed(call, &err);
    return export->left.after<export->left.last &&export->rows_left> 0 ? XPL_STREAM_GOES_ON : XPL_STREAM_ENDS;
}

static enum xpl_status refuse_paging(struct xpl_call *call, struct xpl_error *err)
{
    static const char *const paging[] = {"offset", "after", "order", "seed", "format", "include_total_count"};

    for (size_t i = 0; i < XPL_COUNT(paging); i++)
        if (xpl_call_query(call, paging[i]))
            return xpl_fail_field(err, XPL_BAD_FIELD, paging[i],
                                  "does not go with " MEDIA_TYPE
                                  ": all rows leave in the order in which they were made");
    return XPL_OK;
}

static enum xpl_answered start(struct xpl_call *call, const struct export *export)
{
    struct export *kept = xpl_arena_copy(call->arena, export, sizeof *export);
    const struct xpl_streamed stream = {.next = next_part, .arg = kept};
    struct xpl_error err = {0};

    if (!kept || refuse_paging(call, &err) ||
        xpl_query_int(call, "limit", 0, INT64_MAX, INT64_MAX, &kept->rows_left, &err))
        return err.status ? xpl_reply_error(call, &err) : xpl_reply_json(call, 503, NULL);
    xpl_reply_header(call, "Cache-Control", "no-store");
    return xpl_reply_stream(call, 200, MEDIA_TYPE, &stream);
}

/* How many of the rows that were looked at are to be read at once. */
static int64_t rows_at_once(const struct export *export, int64_t most)
{
    return export->rows_left < most ? export->rows_left : most;
}

/* A row is in the part. */
static bool took(struct export *export, int64_t seq, struct xpl_buf *out)
{
    export->left.after = seq;
    export->rows_left--;
    return xpl_buf_string(out, "\n") && out->length < ENOUGH_BYTES;
}

/* ---- records ---- */

struct record_selection {
    struct xpl_record_query query;
    struct xpl_record_view view;
};

static enum xpl_status append_records(struct xpl_call *call, struct export *export, struct xpl_buf *out,
                                      struct xpl_error *err)
{
    struct record_selection *selection = export->selection;
    struct xpl_record_query *query = &selection->query;
    bool images = selection->view.shown[XPL_VIEW_SCORING_INPUT] && !selection->view.image_by_reference;
    struct xpl_record *records;
    bool more = true;
    enum xpl_status st;
    size_t n, i;

    if ((st = xpl_records_part(call->db, query->data_set_id, &export->left, &query->part, err)))
        return st;
    query->limit = rows_at_once(export, images ? IMAGE_ROWS : XPL_PART_ROWS);
    if ((st = xpl_records_list(call->db, call->arena, query, &records, &n, err)))
        return st;
    for (i = 0; i < n && more; i++) {
        if ((st = xpl_record_append(call, out, &records[i], &selection->view, err)))
            return st;
        more = took(export, records[i].seq, out);
    }
    if (i == n && (int64_t)n < query->limit)
        export->left.after = query->part.last;
    return out->failed ? xpl_no_memory(err) : XPL_OK;
}

enum xpl_answered xpl_records_export(struct xpl_call *call)
{
    struct record_selection *selection = XPL_NEW(call->arena, struct record_selection);
    struct export export = {.append = append_records, .selection = selection};
    struct xpl_error err = {0};

    if (!selection)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_check_data_set(call->db, call, &err) ||
        xpl_record_selection_read(call, &selection->query, &selection->view, &err) ||
        xpl_records_whole(call->db, call->path_params[0], &export.left, &err))
        return xpl_reply_error(call, &err);
    selection->query.data_set_id = call->path_params[0];
    return start(call, &export);
}

/* ---- explanations ---- */

struct task_selection {
    struct xpl_task_query query;
    bool answer, attributions; /* what of a finished one is in its line */
};

static enum xpl_status append_unfinished(struct xpl_call *call, const struct xpl_task *task, struct xpl_buf *out,
                                         struct xpl_error *err)
{
    XPL_AUTO_JSON view = xpl_task_view_now(call, task);
    const char *text = view ? xpl_json_text(call->arena, view) : NULL;

    return text && xpl_buf_string(out, text) ? XPL_OK : xpl_no_memory(err);
}

/* The stored bodies as they are; of both, one as a member of the other. */
static enum xpl_status append_finished(struct xpl_call *call, const struct xpl_task *task,
                                       const struct task_selection *selection, struct xpl_buf *out,
                                       struct xpl_error *err)
{
    const char *answer, *attributions;
    enum xpl_status st;

    if (selection->attributions &&
        (st = xpl_explanation_attributions(call->db, call->arena, task->id, &attributions, err)))
        return st;
    if (selection->answer && (st = xpl_explanation_answer(call->db, call->arena, task->id, &answer, err)))
        return st;
    if (!selection->answer)
        xpl_buf_string(out, attributions);
    else if (!selection->attributions)
        xpl_buf_string(out, answer);
    else
        xpl_buf_printf(out, "%.*s,\"attributions\":%s}", (int)strlen(answer) - 1, answer, attributions);
    return out->failed ? xpl_no_memory(err) : XPL_OK;
}

static enum xpl_status append_tasks(struct xpl_call *call, struct export *export, struct xpl_buf *out,
                                    struct xpl_error *err)
{
    struct task_selection *selection = export->selection;
    struct xpl_task_query *query = &selection->query;
    struct xpl_task *tasks;
    bool more = true;
    enum xpl_status st;
    size_t n, i;

    if ((st = xpl_tasks_part(call->db, query->data_mart_id, &export->left, &query->part, err)))
        return st;
    query->limit = rows_at_once(export, IMAGE_ROWS);
    if ((st = xpl_tasks_list(call->db, call->arena, query, &tasks, &n, err)))
        return st;
    for (i = 0; i < n && more; i++) {
        st = tasks[i].state == XPL_TASK_FINISHED ? append_finished(call, &tasks[i], selection, out, err)
                                                 : append_unfinished(call, &tasks[i], out, err);
        if (st)
            return st;
        more = took(export, tasks[i].seq, out);
    }
    if (i == n && (int64_t)n < query->limit)
        export->left.after = query->part.last;
    return out->failed ? xpl_no_memory(err) : XPL_OK;
}

static enum xpl_status read_includes(struct xpl_call *call, struct task_selection *selection, struct xpl_error *err)
{
    const char *list = xpl_call_query(call, "includes");

    selection->answer = !list || !*list;
    while (list && *list) {
        size_t length = strcspn(list, ",");
        struct xpl_text name = {list, length};

        if (xpl_text_equal(name, "answer"))
            selection->answer = true;
        else if (xpl_text_equal(name, "attributions"))
            selection->attributions = true;
        else
            return xpl_fail_field(err, XPL_BAD_FIELD, "includes", "\"%.40s\" is neither answer nor attributions", list);
        list += length + (list[length] == ',');
    }
    return XPL_OK;
}

enum xpl_answered xpl_tasks_export(struct xpl_call *call, const struct xpl_task_query *query)
{
    struct task_selection *selection = XPL_NEW(call->arena, struct task_selection);
    struct export export = {.append = append_tasks, .selection = selection};
    struct xpl_error err = {0};

    if (!selection)
        return xpl_reply_json(call, 503, NULL);
    selection->query = *query;
    if (read_includes(call, selection, &err) || xpl_tasks_whole(call->db, query->data_mart_id, &export.left, &err))
        return xpl_reply_error(call, &err);
    return start(call, &export);
}
