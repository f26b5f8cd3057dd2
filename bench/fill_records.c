/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a database with records, for measuring what their number costs: fill_records DATABASE DATA_SET TOTAL. The last
 * logged record of the data set is logged again under ids in ascending order, a millisecond apart, until there are
 * TOTAL. The daemon must not run. Nothing is synchronised: a crash of the machine leaves a broken database.
 */
#include <stdio.h>
#include <stdlib.h>

#include "db/records.h"
#include "lib/base/hash.h"

#define AT_ONCE     10000
#define ARENA_BYTES ((size_t)64 << 20)
#define MS          1000

struct filling {
    struct xpl_db *db;
    struct xpl_arena *arena; /* of the model */
    struct xpl_record model;
    struct xpl_payload payload;
    struct xpl_error err;
};

static enum xpl_status load_model(struct filling *f, const char *data_set_id)
{
    struct xpl_text request, response;
    enum xpl_status st;

    if ((st = xpl_record_latest(f->db, f->arena, data_set_id, &f->model, &f->err)) ||
        (st = xpl_payload_load(f->db, f->arena, f->model.payload_id, &request, &response, &f->err)) ||
        (st = xpl_payload_compress(f->arena, request, &f->payload.request, &f->err)) ||
        (st = xpl_payload_compress(f->arena, response, &f->payload.response, &f->err)))
        return st;
    f->payload.data_mart_id = f->model.data_mart_id;
    f->payload.data_set_id = data_set_id;
    f->payload.request_size = request.length;
    f->payload.response_size = response.length;
    xpl_payload_hash(request, response, f->payload.hash);
    return XPL_OK;
}

static enum xpl_status add(struct filling *f, int64_t number)
{
    char id[XPL_UUID_SIZE], transaction_id[33], scoring_id[36];
    struct xpl_record_tally tally = {.data_set_id = f->model.data_set_id};
    struct xpl_record record = f->model;
    enum xpl_status st;

    snprintf(transaction_id, sizeof transaction_id, "%032llx", (unsigned long long)number);
    snprintf(scoring_id, sizeof scoring_id, "%s-1", transaction_id);
    if ((st = xpl_payload_insert(f->db, &f->payload, &tally, &record.payload_id, &f->err)))
        return st;
    record.id = xpl_uuid(id);
    record.transaction_id = transaction_id;
    record.scoring_id = scoring_id;
    record.row_number = 1;
    record.scoring_timestamp = f->model.scoring_timestamp + number * MS;
    st = xpl_record_insert(f->db, &record, &tally, &f->err);
    return st ? st : xpl_record_tally_up(f->db, &tally, &f->err);
}

/* Numbers go on behind the newest record's, so that none comes twice, whatever was deleted meanwhile. */
static enum xpl_status fill(struct filling *f, int64_t n, int64_t total)
{
    int64_t from = f->model.seq, to = from + (total > n ? total - n : 0);
    enum xpl_status st = XPL_OK;

    while (!st && from < to) {
        int64_t end = to - from < AT_ONCE ? to : from + AT_ONCE;

        if ((st = xpl_db_exec(f->db, "BEGIN", &f->err)))
            return st;
        while (!st && from < end)
            st = add(f, from++);
        if (!st)
            st = xpl_db_exec(f->db, "COMMIT", &f->err);
    }
    return st;
}

int main(int argc, char **argv)
{
    struct filling f = {.arena = xpl_arena_new(ARENA_BYTES)};
    int64_t n = 0;

    if (argc != 4 || !f.arena || !xpl_crypto_start())
        return 64;
    xpl_db_start();
    if (xpl_db_open(argv[1], XPL_DB_WRITER, &f.db, &f.err) ||
        xpl_db_exec(f.db, "PRAGMA synchronous=OFF; PRAGMA cache_size=-400000; PRAGMA wal_autocheckpoint=100000",
                    &f.err) ||
        load_model(&f, argv[2]) || xpl_data_set_count_records(f.db, argv[2], &n, &f.err) ||
        fill(&f, n, strtoll(argv[3], NULL, 10)) || xpl_db_exec(f.db, "PRAGMA wal_checkpoint(TRUNCATE)", &f.err)) {
        fprintf(stderr, "fill_records: %s\n", f.err.message);
        return 1;
    }
    xpl_db_close(f.db);
    xpl_arena_free(f.arena);
    return 0;
}
