/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was logged: payloads (the transaction as the client sent it, compressed) and records (one image each).
 */
#ifndef XPL_DB_RECORDS_H
#define XPL_DB_RECORDS_H

#include "db/db.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

struct xpl_payload {
    const char *data_mart_id, *data_set_id;
    uint8_t hash[XPL_HASH_BYTES];       /* of request and response: the same content has the same hash */
    struct xpl_blob request, response;  /* as xpl_payload_compress made them */
    size_t request_size, response_size; /* before compression */
    bool is_shared;                     /* the request is stored once for all payloads of the data set that have it */
    uint8_t key[XPL_HASH_BYTES];        /* of a shared one: of data set and request */
};

/** The hash of a payload's request and response texts. */
void xpl_payload_hash(struct xpl_text request, struct xpl_text response, uint8_t ret[XPL_HASH_BYTES]);

/**
 * Packed (db/packing.h) if it is worth it, then zstd, level 1; a text of less than 256 bytes is only borrowed. Memory
 * from `arena`. To be done outside the writer.
 */
enum xpl_status xpl_payload_compress(struct xpl_arena *arena, struct xpl_text text, struct xpl_blob *ret,
                                     struct xpl_error *err);
/** The opposite; `size` is that of the text. XPL_STORAGE_FAILED: it is damaged. */
enum xpl_status xpl_payload_decompress(struct xpl_arena *arena, struct xpl_blob blob, int64_t size,
                                       struct xpl_text *ret, struct xpl_error *err);

/** Decides whether a complete payload shares its request: worth it from 1 KiB on. To be done outside the writer. */
void xpl_payload_share(struct xpl_payload *payload);

/** Seqs that are counted together; also in the triggers of record_blocks. */
#define XPL_RECORD_BLOCK 4096

/**
 * What an operation adds to one data set. It is counted by xpl_record_tally_up, which must end every operation that
 * inserts: in the same savepoint, so that counts are as true as what they count. (A trigger for each row made inserts
 * twice as expensive: SQLite journals every statement that may have to undo more than its own row.)
 */
struct xpl_record_tally {
    const char *data_set_id;
    int64_t payload_bytes;
    int64_t block, n; /* records of the last block of seqs, not counted yet */
};

enum xpl_status xpl_payload_insert(struct xpl_db *db, const struct xpl_payload *payload, struct xpl_record_tally *tally,
                                   int64_t *ret_id, struct xpl_error *err);

/** Request and response text, decompressed. Either may be NULL. XPL_GONE when they were deleted before their records.
 */
enum xpl_status xpl_payload_load(struct xpl_db *db, struct xpl_arena *arena, int64_t id, struct xpl_text *ret_request,
                                 struct xpl_text *ret_response, struct xpl_error *err);

/** XPL_GONE, as xpl_payload_load, without loading it. */
enum xpl_status xpl_payload_check(struct xpl_db *db, int64_t id, struct xpl_error *err);

/** What a model says of an image. */
struct xpl_prediction {
    const char *probabilities; /* JSON array; XPL_NO_PROBABILITIES before a model was asked */
    const char *prediction;    /* JSON value */
    double probability;        /* of the most probable class */
};
#define XPL_NO_PROBABILITIES "[]"

struct xpl_record {
    int64_t seq;
    const char *id, *data_mart_id, *data_set_id, *subscription_id;
    const char *scoring_id, *transaction_id;
    int64_t row_number; /* from 1 */
    int64_t payload_id;
    int64_t image_index, image_offset, image_length; /* in the request: which image, and the bytes of its JSON text */
    int64_t height, width, channels;
    struct xpl_prediction predicted;
    int64_t scoring_timestamp; /* microseconds */
    bool has_response_time;
    double response_time;
    const char *asset_revision, *user_id, *deployment_id; /* NULL = none */
    const char *annotations;                              /* JSON object or NULL */
    int64_t created_at;
    const char *created_by;
};

enum xpl_status xpl_record_insert(struct xpl_db *db, const struct xpl_record *record, struct xpl_record_tally *tally,
                                  struct xpl_error *err);

/** Counts what was added, and empties the tally. */
enum xpl_status xpl_record_tally_up(struct xpl_db *db, struct xpl_record_tally *tally, struct xpl_error *err);

/** By record id; `data_set_id` may be NULL. XPL_NOT_FOUND for one of another data mart, too. */
enum xpl_status xpl_record_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                               const char *data_set_id, const char *id, struct xpl_record *ret, struct xpl_error *err);

/** The record with this scoring id and the hash of its payload; XPL_NOT_FOUND when there is none. */
struct xpl_record_content {
    const char *id;
    struct xpl_blob hash;
};
enum xpl_status xpl_record_content_of(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                      const char *data_set_id, const char *scoring_id, struct xpl_record_content *ret,
                                      struct xpl_error *err);

/** Sets the prediction of a task's record that was logged without one; any other stays as it is. */
enum xpl_status xpl_record_set_prediction(struct xpl_db *db, const char *task_id,
                                          const struct xpl_prediction *prediction, struct xpl_error *err);

/**
 * The records a scoring id names: an exact one, or row 1 of a bare transaction id. More than one only when several
 * subscriptions logged the same id; `subscription_id` NULL = any.
 */
enum xpl_status xpl_records_by_scoring_id(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                          const char *subscription_id, const char *scoring_id, struct xpl_record **ret,
                                          size_t *ret_count, struct xpl_error *err);

/** What was logged last; XPL_NOT_FOUND when nothing was. */
enum xpl_status xpl_record_latest(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                  struct xpl_record *ret, struct xpl_error *err);

/** All rows of a transaction, in order. */
enum xpl_status xpl_records_by_transaction(struct xpl_db *db, struct xpl_arena *arena, const char *data_mart_id,
                                           const char *transaction_id, struct xpl_record **ret, size_t *ret_count,
                                           struct xpl_error *err);

/** What of a record may change after it was logged. */
struct xpl_record_notes {
    const char *annotations;              /* JSON object; NULL = none */
    const char *asset_revision, *user_id; /* NULL = none */
    bool has_response_time;
    double response_time;
};
enum xpl_status xpl_record_update(struct xpl_db *db, const char *id, const struct xpl_record_notes *notes,
                                  struct xpl_error *err);

/* ---- one POST of records ---- */

struct xpl_record_request {
    const char *id, *data_mart_id, *data_set_id;
    const char *state; /* "active" */
    int64_t n_records, created_at;
};
enum xpl_status xpl_record_request_insert(struct xpl_db *db, const struct xpl_record_request *request,
                                          struct xpl_error *err);
enum xpl_status xpl_record_request_get(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                       const char *id, struct xpl_record_request *ret, struct xpl_error *err);

/* ---- a data set's content ---- */

enum xpl_status xpl_data_set_exists(struct xpl_db *db, const char *data_mart_id, const char *data_set_id, bool *ret,
                                    struct xpl_error *err);

enum xpl_status xpl_data_set_count_records(struct xpl_db *db, const char *data_set_id, int64_t *ret,
                                           struct xpl_error *err);

/** Ids of the tasks for its records that are queued or being worked on. */
enum xpl_status xpl_data_set_running_tasks(struct xpl_db *db, struct xpl_arena *arena, const char *data_set_id,
                                           const char ***ret_ids, size_t *ret_count, struct xpl_error *err);

/** Deletes records, payloads, requests and the explanations of the records. */
enum xpl_status xpl_data_set_purge(struct xpl_db *db, const char *data_set_id, struct xpl_error *err);

/** For queries of other files that select RECORD columns. */
#define XPL_RECORD_COLUMNS                                                                                             \
    "seq, id, data_mart_id, data_set_id, subscription_id, scoring_id, transaction_id, row_number, payload_id,"         \
    " image_index, image_offset, image_length, height, width, channels, probabilities, prediction,"                    \
    " prediction_probability, scoring_timestamp, response_time, asset_revision, user_id, deployment_id, annotations,"  \
    " created_at, created_by"
void xpl_record_read(struct xpl_row *row, void *record);

/* SQL: is a row of the transaction `id`. All scoring ids of one lie between "id-" and "id." in the index. */
#define XPL_OF_TRANSACTION(id) "scoring_id > " id " || '-' AND scoring_id < " id " || '.' AND transaction_id = " id

#endif
