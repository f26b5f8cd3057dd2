/* SPDX-License-Identifier: Apache-2.0 */
/* What the API streams as lines of JSON, of all data marts, without a server: the API's own code on a reader. */
#include "server/commands/export_command.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "api/export.h"
#include "db/resources.h"
#include "server/data_dir.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define PART_BYTES  ((size_t)128 << 20)

static int fail(const struct xpl_error *err, int code)
{
    fprintf(stderr, "explaind: %s%s%s\n", err->field, *err->field ? ": " : "", err->message);
    return code;
}

static bool no_progress(void *context, const char *task_id, struct xpl_task_progress *ret)
{
    (void)context, (void)task_id, (void)ret;
    return false;
}

struct exporting {
    struct xpl_app app;
    struct xpl_db *db;
    struct xpl_arena *arena;
    const char *includes;
};

static void start_call(struct exporting *e, struct xpl_pair *query, const char *data_mart_id, struct xpl_call *ret)
{
    *ret = (struct xpl_call){.app = &e->app, .arena = e->arena, .db = e->db, .data_mart_id = data_mart_id};
    xpl_buf_init(&ret->out, PART_BYTES);
    *query = (struct xpl_pair){"includes", e->includes};
    ret->query = query;
    ret->n_query = e->includes ? 1 : 0;
}

/* What the API would answer, as one line. */
static enum xpl_status refused(const struct xpl_call *call, struct xpl_error *err)
{
    XPL_AUTO_JSON body = json_loadb(call->reply.body.ptr, call->reply.body.length, 0, NULL);
    const json_t *first = json_array_get(json_object_get(body, "errors"), 0);
    const char *message = json_string_value(json_object_get(first, "message"));

    return xpl_fail(err, XPL_BAD_REQUEST, "%s", message ? message : "this cannot be exported");
}

static enum xpl_status print_all(struct xpl_call *call, struct xpl_error *err)
{
    enum xpl_streaming state = XPL_STREAM_GOES_ON;

    if (!call->stream.next)
        return refused(call, err);
    while (state == XPL_STREAM_GOES_ON) {
        struct xpl_arena *scratch = xpl_arena_new(PART_BYTES);

        xpl_buf_clear(&call->out);
        state = scratch ? call->stream.next(call, scratch, &call->out) : XPL_STREAM_BREAKS;
        if (state != XPL_STREAM_BREAKS &&
            fwrite(call->out.data ? call->out.data : "", 1, call->out.length, stdout) != call->out.length)
            state = XPL_STREAM_BREAKS;
        xpl_arena_free(scratch);
    }
    return state == XPL_STREAM_ENDS && fflush(stdout) == 0 ? XPL_OK
                                                           : xpl_fail(err, XPL_STORAGE_FAILED, "not all was written");
}

static enum xpl_status export_records(struct exporting *e, const char *data_mart_id, struct xpl_error *err)
{
    const struct xpl_resource_filter all = {0};
    struct xpl_resource *data_sets;
    enum xpl_status st;
    size_t n;

    st = xpl_resource_list(e->db, e->arena, &xpl_kind_data_set, data_mart_id, &all, &data_sets, &n, err);
    for (size_t i = 0; !st && i < n; i++) {
        struct xpl_pair query;
        struct xpl_call call;

        start_call(e, &query, data_mart_id, &call);
        call.path_params[0] = data_sets[i].id;
        xpl_records_export(&call);
        st = print_all(&call, err);
        xpl_buf_release(&call.out);
    }
    return st;
}

static enum xpl_status export_explanations(struct exporting *e, const char *data_mart_id, struct xpl_error *err)
{
    const struct xpl_task_query all = {.data_mart_id = data_mart_id};
    struct xpl_pair query;
    struct xpl_call call;
    enum xpl_status st;

    start_call(e, &query, data_mart_id, &call);
    xpl_tasks_export(&call, &all);
    st = print_all(&call, err);
    xpl_buf_release(&call.out);
    return st;
}

int xpl_export_command(const char *what, const char *database, const char *includes)
{
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO(xpl_db) db = NULL;
    struct exporting e = {.app = {.workers = {.progress = no_progress}}, .arena = arena, .includes = includes};
    bool records = strcmp(what, "records") == 0;
    struct xpl_error err = {0};
    const char **data_marts;
    enum xpl_status st = XPL_OK;
    size_t n;

    if (!records && strcmp(what, "explanations") != 0) {
        fprintf(stderr, "explaind: %s is neither records nor explanations\n", what);
        return EX_USAGE;
    }
    if (!arena || xpl_db_open(database, XPL_DB_READER, &db, &err) || xpl_db_check_version(db, &err) ||
        xpl_data_marts_in_use(db, arena, &data_marts, &n, &err))
        return fail(&err, EX_DATAERR);
    e.db = db;
    for (size_t i = 0; !st && i < n; i++)
        st = records ? export_records(&e, data_marts[i], &err) : export_explanations(&e, data_marts[i], &err);
    return st ? fail(&err, st == XPL_STORAGE_FAILED ? EX_IOERR : EX_USAGE) : EX_OK;
}
