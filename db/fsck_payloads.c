/* SPDX-License-Identifier: Apache-2.0 */
/* The part of fsck that looks inside of payloads: it follows the records, whose payloads come in the same order. */
#include <stdio.h>
#include <string.h>

#include "db/fsck.h"
#include "db/records.h"

#define RECORDS_A_PAGE 500
#define PAGE_BYTES     ((size_t)4 << 20)
#define PAYLOAD_BYTES  ((size_t)1 << 30)

struct pointer {
    int64_t seq, payload_id, offset, length;
    const char *id;
};

static void read_pointer(struct xpl_row *row, void *out)
{
    struct pointer *p = out;

    p->seq = xpl_row_int(row, "seq");
    p->id = xpl_row_text(row, "id");
    p->payload_id = xpl_row_int(row, "payload_id");
    p->offset = xpl_row_int(row, "image_offset");
    p->length = xpl_row_int(row, "image_length");
}

static enum xpl_status read_page(struct xpl_db *db, struct xpl_arena *arena, int64_t after, struct pointer **ret,
                                 size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT seq, id, payload_id, image_offset, image_length FROM records WHERE seq > ?"
                             " ORDER BY seq LIMIT ?");

    xpl_bind_int(query, after);
    xpl_bind_int(query, RECORDS_A_PAGE);
    return xpl_fetch_all(query, arena, read_pointer, sizeof **ret, RECORDS_A_PAGE, ret, ret_count, err);
}

static void read_hash(struct xpl_row *row, void *out)
{
    *(struct xpl_blob *)out = xpl_row_blob(row, "hash");
}

static enum xpl_status stored_hash(struct xpl_db *db, struct xpl_arena *arena, int64_t id, struct xpl_blob *ret,
                                   struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT hash FROM payloads WHERE id = ?");

    xpl_bind_int(query, id);
    return xpl_fetch_one(query, arena, read_hash, ret, err);
}

struct walk {
    struct xpl_db *db;
    struct xpl_fsck_payloads *found;
    int64_t payload_id;
    bool readable;
    int64_t request_size;
};

/* Reads the payload of the records that follow, and compares it with its hash. */
static enum xpl_status enter_payload(struct walk *w, int64_t id, struct xpl_error *err)
{
    struct xpl_arena *arena = xpl_arena_new(PAYLOAD_BYTES);
    struct xpl_text request = {0}, response = {0};
    struct xpl_blob hash = {0};
    struct xpl_error inner = {0};
    uint8_t actual[XPL_HASH_BYTES];
    char name[24];

    if (!arena)
        return xpl_no_memory(err);
    snprintf(name, sizeof name, "%lld", (long long)id);
    w->payload_id = id;
    w->readable = !stored_hash(w->db, arena, id, &hash, &inner) &&
                  !xpl_payload_load(w->db, arena, id, &request, &response, &inner);
    if (!w->readable) {
        /* a missing one is another check's, and one without pixels was emptied */
        if (inner.status != XPL_NOT_FOUND && inner.status != XPL_GONE)
            xpl_fsck_note(&w->found->unreadable, name);
    } else {
        w->request_size = (int64_t)request.length;
        xpl_payload_hash(request, response, actual);
        if (hash.length != sizeof actual || memcmp(hash.data, actual, sizeof actual) != 0)
            xpl_fsck_note(&w->found->wrong_hash, name);
    }
    xpl_arena_free(arena);
    return XPL_OK;
}

static void check_image(struct walk *w, const struct pointer *p)
{
    if (p->offset < 0 || p->length < 1 || p->offset > w->request_size || p->length > w->request_size - p->offset)
        xpl_fsck_note(&w->found->outside, p->id);
}

static enum xpl_status walk_page(struct walk *w, const struct pointer *page, size_t n, struct xpl_error *err)
{
    for (size_t i = 0; i < n; i++) {
        enum xpl_status st;

        if (page[i].payload_id != w->payload_id && (st = enter_payload(w, page[i].payload_id, err)))
            return st;
        if (w->readable)
            check_image(w, &page[i]);
    }
    return XPL_OK;
}

enum xpl_status xpl_fsck_payloads(struct xpl_db *db, struct xpl_fsck_payloads *ret, struct xpl_error *err)
{
    struct walk walk = {.db = db, .found = ret};
    int64_t after = 0;
    size_t n = RECORDS_A_PAGE;
    enum xpl_status st = XPL_OK;

    while (!st && n == RECORDS_A_PAGE) {
        struct xpl_arena *arena = xpl_arena_new(PAGE_BYTES);
        struct pointer *page;

        if (!arena)
            return xpl_no_memory(err);
        st = read_page(db, arena, after, &page, &n, err);
        if (!st)
            st = walk_page(&walk, page, n, err);
        if (!st && n > 0)
            after = page[n - 1].seq;
        xpl_arena_free(arena);
    }
    return st;
}
