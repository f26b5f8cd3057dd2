/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking in inference logs. A request and its response are two events with one id: whichever comes first waits in the
 * database, and both together become a record. What never becomes one is listed with the reason.
 */
#include <string.h>

#include "api/handlers.h"
#include "api/records/inference_logs_read.h"
#include "api/records/record_batch.h"
#include "api/records/records.h"
#include "db/inference_events.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/scoring/requests/raw_body.h"

#define WAITING_MAX 10000       /* halves of a subscription */
#define OWN_PREFIX  "explaind:" /* ids of our own variations */
#define FIRST       "[0]."
#define PAGE_MAX    1000
#define BLANKS      " \t\r\n"

#define SCRATCH_BYTES ((size_t)256 << 20)

/* One event on its way: a half to be stored, or a whole record. */
struct taking {
    struct xpl_event half;
    struct xpl_text text;
    struct xpl_record_batch *whole; /* NULL = the other half is not here */
    const char *reason;             /* why it cannot become a record; NULL = nothing is wrong */
    bool came_before;
};

struct taken {
    const char *subscription_id, *data_set_id;
    struct taking *events;
    size_t n, n_own;
};

/* ---- before the write ---- */

/* A field of the transaction; it is the first of a list of one. */
static const char *within(const char *field)
{
    return xpl_starts_with(field, FIRST) ? field + sizeof FIRST - 1 : field;
}

/* A request that is a broken file or form is no JSON, either, and that says less. */
static const char *reason_of(struct xpl_call *call, struct xpl_text request, const struct xpl_error *error)
{
    const struct xpl_raw_body body = {request, NULL, false, NULL};
    struct xpl_error broken = {0};
    struct xpl_text ignored;

    if (xpl_raw_body_as_json(call->arena, &body, &ignored, &broken) == XPL_BAD_RECORD)
        return xpl_arena_printf(call->arena, "request: %s", broken.message);
    return xpl_arena_printf(call->arena, "%s: %s", within(error->field), error->message);
}

/* The two halves as a transaction; what is wrong with it becomes the reason. */
static enum xpl_status make_whole(struct xpl_db *db, struct xpl_call *call, struct taken *t, struct taking *e,
                                  struct xpl_text other, int64_t other_time, struct xpl_error *err)
{
    bool response = e->half.response;
    struct xpl_transaction transaction = {.request = response ? other : e->text,
                                          .response = response ? e->text : other,
                                          .scoring_id = e->half.id,
                                          .scoring_timestamp = response ? other_time : e->half.time};
    int64_t took = response ? e->half.time - other_time : other_time - e->half.time;
    struct xpl_record_batch *whole = XPL_NEW(call->arena, struct xpl_record_batch);
    struct xpl_db *reader = call->db;
    struct xpl_error inner = {0};
    enum xpl_status st;

    transaction.has_response_time = took > 0;
    transaction.response_time = (double)took / 1000;
    if (!whole)
        return xpl_no_memory(err);
    call->db = db;
    st = xpl_record_batch_of_subscription(call, t->subscription_id, whole, err);
    if (!st && (st = xpl_record_batch_prepare(call, whole, &transaction, 1, &inner)) != XPL_NO_MEMORY && st) {
        e->reason = reason_of(call, transaction.request, &inner);
        st = e->reason ? XPL_OK : xpl_no_memory(err);
    }
    call->db = reader;
    e->whole = whole;
    return st;
}

/* A file or a raw tensor as the JSON that says the same; what is broken stays as it is, and is listed for that. */
static struct xpl_text as_json(struct xpl_call *call, const struct xpl_inference_event *event)
{
    const struct xpl_raw_body body = {event->data, xpl_call_header(call, "Inference-Header-Content-Length"),
                                      event->response, xpl_call_header(call, "Content-Type")};
    struct xpl_error ignored = {0};
    struct xpl_text json;

    return xpl_raw_body_as_json(call->arena, &body, &json, &ignored) ? event->data : json;
}

static enum xpl_status prepare(struct xpl_call *call, struct taken *t, const struct xpl_inference_event *event,
                               struct xpl_error *err)
{
    const struct xpl_text text = as_json(call, event);
    struct taking *e = &t->events[t->n];
    struct xpl_error missing = {0};
    struct xpl_text other;
    int64_t other_time;
    enum xpl_status st;

    if (xpl_starts_with(event->id, OWN_PREFIX) || xpl_call_header(call, "X-Explaind-Task")) {
        t->n_own++;
        return XPL_OK;
    }
    *e = (struct taking){.half = {.data_mart_id = call->data_mart_id,
                                  .subscription_id = t->subscription_id,
                                  .id = event->id,
                                  .response = event->response,
                                  .size = text.length,
                                  .time = event->time,
                                  .received_at = xpl_now_us()},
                         .text = text};
    t->n++;
    st = xpl_event_get(call->db, call->arena, t->subscription_id, event->id, !event->response, &other, &other_time,
                       &missing);
    if (st == XPL_OK)
        return make_whole(call->db, call, t, e, other, other_time, err);
    if (st != XPL_NOT_FOUND)
        return xpl_fail(err, st, "%s", missing.message);
    return xpl_payload_compress(call->arena, text, &e->half.data, err);
}

/* ---- the write ---- */

static enum xpl_status list_error(struct xpl_db *db, const struct taken *t, const struct taking *e,
                                  struct xpl_error *err)
{
    const struct xpl_event_error error = {.data_mart_id = e->half.data_mart_id,
                                          .subscription_id = t->subscription_id,
                                          .data_set_id = t->data_set_id,
                                          .event_id = e->half.id,
                                          .reason = e->reason,
                                          .created_at = xpl_now_us()};

    return xpl_event_error_add(db, &error, err);
}

/* ---- ids that were there before ---- */

/* Whether two texts of JSON are the same but for blanks outside of strings, which brokers may change. */
static bool is_same(struct xpl_text a, struct xpl_text b)
{
    bool in_string = false, escaped = false;
    size_t i = 0, k = 0;

    for (;; i++, k++) {
        while (!in_string && i < a.length && strchr(BLANKS, a.ptr[i]) && a.ptr[i])
            i++;
        while (!in_string && k < b.length && strchr(BLANKS, b.ptr[k]) && b.ptr[k])
            k++;
        if (i == a.length || k == b.length)
            return i == a.length && k == b.length;
        if (a.ptr[i] != b.ptr[k])
            return false;
        in_string ^= a.ptr[i] == '"' && !escaped;
        escaped = in_string && a.ptr[i] == '\\' && !escaped;
    }
}

/* What came before under the id of `e` is `there`, found with `st`: another content becomes the reason. */
static enum xpl_status compare(struct xpl_call *call, struct taking *e, enum xpl_status st, struct xpl_text there,
                               const char *what_was, const struct xpl_error *inner, struct xpl_error *err)
{
    if (st == XPL_GONE) /* its pixels were deleted */
        return XPL_OK;
    if (st)
        return xpl_fail(err, st, "%s", inner->message);
    if (is_same(xpl_text_without_mark(e->text), xpl_text_without_mark(there)))
        return XPL_OK;
    e->reason = xpl_arena_printf(call->arena, "the id %.100s was used before: this %s differs from the one that %s",
                                 e->half.id, e->half.response ? "response" : "request", what_was);
    return e->reason ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status compare_with_logged(struct xpl_db *db, struct xpl_call *call, struct taking *e,
                                           int64_t payload_id, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(SCRATCH_BYTES);
    struct xpl_error inner = {0};
    struct xpl_text there = {0};
    bool response = e->half.response;
    enum xpl_status st;

    if (!scratch)
        return xpl_no_memory(err);
    st = xpl_payload_load(db, scratch, payload_id, response ? NULL : &there, response ? &there : NULL, &inner);
    return compare(call, e, st, there, "was logged", &inner, err);
}

static enum xpl_status compare_with_waiting(struct xpl_db *db, struct xpl_call *call, struct taking *e,
                                            struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(SCRATCH_BYTES);
    struct xpl_error inner = {0};
    struct xpl_text there = {0};
    enum xpl_status st;
    int64_t time;

    if (!scratch)
        return xpl_no_memory(err);
    st = xpl_event_get(db, scratch, e->half.subscription_id, e->half.id, e->half.response, &there, &time, &inner);
    return compare(call, e, st, there, "waits for its other half", &inner, err);
}

/* A half whose id was logged before came twice, or belongs to another transaction. */
static enum xpl_status look_for_logged(struct xpl_db *db, struct xpl_call *call, const struct taken *t,
                                       struct taking *e, bool *ret_logged, struct xpl_error *err)
{
    struct xpl_record *found;
    enum xpl_status st;
    size_t n, i = 0;

    *ret_logged = false;
    if ((st = xpl_records_by_transaction(db, call->arena, call->data_mart_id, e->half.id, &found, &n, err)))
        return st;
    while (i < n && strcmp(found[i].data_set_id, t->data_set_id) != 0)
        i++;
    if (i == n)
        return XPL_OK;
    *ret_logged = true;
    if ((st = compare_with_logged(db, call, e, found[i].payload_id, err)))
        return st;
    e->came_before = !e->reason;
    return e->reason ? list_error(db, t, e, err) : XPL_OK;
}

/* Stays for its other half; the one that waits already is not replaced. */
static enum xpl_status wait_for_other(struct xpl_db *db, struct xpl_call *call, const struct taken *t, struct taking *e,
                                      struct xpl_error *err)
{
    bool is_new;
    enum xpl_status st = xpl_event_put(db, &e->half, &is_new, err);

    if (st || is_new || (st = compare_with_waiting(db, call, e, err)))
        return st;
    return e->reason ? list_error(db, t, e, err) : XPL_OK;
}

/* ---- one event ---- */

static enum xpl_status refuse_whole(struct xpl_db *db, const struct taken *t, const struct taking *e,
                                    struct xpl_error *err)
{
    enum xpl_status st = list_error(db, t, e, err);

    return st ? st : xpl_event_delete(db, t->subscription_id, e->half.id, err);
}

static enum xpl_status store_whole(struct xpl_db *db, struct xpl_call *call, const struct taken *t, struct taking *e,
                                   struct xpl_error *err)
{
    struct xpl_error inner = {0};
    const char *request_id;
    enum xpl_status st = e->reason ? XPL_OK : xpl_record_batch_store(db, call, e->whole, &request_id, &inner);

    if (st == XPL_CONFLICT)
        e->reason = xpl_arena_string(call->arena, inner.message);
    else if (st)
        return xpl_fail_field(err, st, inner.field, "%s", inner.message);
    return e->reason ? refuse_whole(db, t, e, err) : xpl_event_delete(db, t->subscription_id, e->half.id, err);
}

/* The other half may have come in the same body, or in the meantime. */
static enum xpl_status store(struct xpl_db *db, struct xpl_call *call, struct taken *t, struct taking *e,
                             struct xpl_error *err)
{
    struct xpl_error missing = {0};
    struct xpl_text other;
    int64_t other_time;
    enum xpl_status st;
    bool was_logged;

    if ((st = look_for_logged(db, call, t, e, &was_logged, err)) || was_logged)
        return st;
    if (!e->whole) {
        st = xpl_event_get(db, call->arena, t->subscription_id, e->half.id, !e->half.response, &other, &other_time,
                           &missing);
        if (st == XPL_NOT_FOUND)
            return wait_for_other(db, call, t, e, err);
        if (st)
            return xpl_fail(err, st, "%s", missing.message);
        if ((st = make_whole(db, call, t, e, other, other_time, err)))
            return st;
    }
    return store_whole(db, call, t, e, err);
}

static enum xpl_status check_room(struct xpl_db *db, const struct taken *t, struct xpl_error *err)
{
    int64_t n;
    enum xpl_status st = xpl_events_count(db, t->subscription_id, WAITING_MAX, &n, err);

    if (st)
        return st;
    return n < WAITING_MAX
               ? XPL_OK
               : xpl_fail(err, XPL_OVERLOADED, "%d events of this subscription wait for their other half", WAITING_MAX);
}

static enum xpl_status run_add(struct xpl_db *db, struct xpl_call *call, void *arg, struct xpl_error *err)
{
    struct taken *t = arg;
    size_t logged = 0, refused = 0, dropped = 0;
    enum xpl_status st = check_room(db, t, err);

    for (size_t i = 0; !st && i < t->n; i++) {
        struct taking *e = &t->events[i];

        if ((st = store(db, call, t, e, err)))
            return st;
        dropped += e->came_before;
        refused += e->reason != NULL;
        logged += !e->came_before && e->whole && !e->reason;
    }
    if (st)
        return st;
    xpl_reply_json(call, 200,
                   json_pack("{s:I, s:I, s:I, s:I}", "waiting", (json_int_t)(t->n - logged - refused - dropped),
                             "logged", (json_int_t)logged, "refused", (json_int_t)refused, "dropped",
                             (json_int_t)(t->n_own + dropped)));
    return XPL_OK;
}

enum xpl_answered xpl_inference_logs_add(struct xpl_call *call)
{
    struct taken *t = XPL_NEW(call->arena, struct taken);
    struct xpl_record_batch target;
    struct xpl_inference_event *events;
    struct xpl_error err = {0};
    size_t n;

    if (!t)
        return xpl_reply_json(call, 503, NULL);
    if (xpl_record_batch_of_subscription(call, call->path_params[0], &target, &err) ||
        xpl_events_read(call, &events, &n, &err))
        return xpl_reply_error(call, &err);
    t->subscription_id = target.subscription_id;
    t->data_set_id = target.data_set_id;
    if (!(t->events = XPL_NEW_ARRAY(call->arena, struct taking, n)))
        return xpl_reply_json(call, 503, NULL);
    for (size_t i = 0; i < n; i++)
        if (prepare(call, t, &events[i], &err))
            return xpl_reply_error(call, &err);
    return xpl_reply_after_commit(call, run_add, t, call->body.length);
}

/* ---- what never became a record ---- */

enum xpl_answered xpl_data_set_errors_list(struct xpl_call *call)
{
    XPL_AUTO_JSON list = json_array();
    struct xpl_event_error *errors;
    struct xpl_error err = {0};
    int64_t limit, offset;
    size_t n;

    if (xpl_check_data_set(call->db, call, &err) || xpl_query_int(call, "limit", 0, PAGE_MAX, 100, &limit, &err) ||
        xpl_query_int(call, "offset", 0, INT64_MAX, 0, &offset, &err) ||
        xpl_event_errors_list(call->db, call->arena, call->path_params[0], limit, offset, &errors, &n, &err))
        return xpl_reply_error(call, &err);
    for (size_t i = 0; i < n; i++) {
        char when[XPL_TIME_TEXT_SIZE];

        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "event_id", errors[i].event_id, "reason", errors[i].reason,
                                        "created_at", xpl_time_format(errors[i].created_at, when)));
    }
    return xpl_reply_json(call, 200, json_pack("{s:O}", "errors", list));
}
