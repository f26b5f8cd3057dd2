/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logged transactions on their way into the database: whose they are, checked and compressed, then written. All of a
 * batch is stored or nothing.
 */
#ifndef XPL_API_RECORD_BATCH_H
#define XPL_API_RECORD_BATCH_H

#include "api/explanations/automatic.h"
#include "api/records/records_read.h"
#include "db/records.h"
#include "lib/scoring/answers/answer.h"
#include "lib/scoring/model_settings.h"

/** A checked transaction, ready to be written. */
struct xpl_prepared {
    struct xpl_payload payload;
    struct xpl_record *records;
    struct xpl_task **automatic; /* of each record: its explanation, when a rule picks it; else NULL */
    uint32_t n_records;
    bool id_is_new; /* it was made here: no record can have it */
};

struct xpl_record_batch {
    const char *data_set_id, *subscription_id, *deployment_id;
    struct xpl_model_settings model;
    struct xpl_automatic automatic; /* n_rules = 0 for records that somebody has explained anyway */
    struct xpl_prepared *prepared;
    size_t n, n_records;
    bool needs_schema; /* the subscription does not say yet what its output looks like */
};

/** Fills in whose records these are. XPL_NOT_AVAILABLE for data sets that are not for payloads. */
enum xpl_status xpl_record_batch_of_data_set(struct xpl_call *call, const char *data_set_id,
                                             struct xpl_record_batch *ret, struct xpl_error *err);
/** The same for the payload data set of a subscription. */
enum xpl_status xpl_record_batch_of_subscription(struct xpl_call *call, const char *subscription_id,
                                                 struct xpl_record_batch *ret, struct xpl_error *err);

/**
 * Checks transactions: image and probabilities must be found. One without a response gets its probabilities when it is
 * explained (xpl_prediction_of).
 */
enum xpl_status xpl_record_batch_prepare(struct xpl_call *call, struct xpl_record_batch *batch,
                                         const struct xpl_transaction *transactions, size_t n, struct xpl_error *err);

/**
 * On the writer, with the automatic explanations of what is new. A record that is there already with the same content
 * gets the id it has; `ret_request_id` is that of
 * the stored request, in the call's arena. XPL_CONFLICT when the content differs.
 */
enum xpl_status xpl_record_batch_store(struct xpl_db *db, struct xpl_call *call, struct xpl_record_batch *batch,
                                       const char **ret_request_id, struct xpl_error *err);

/** The columns of a record that a model's answer makes. `labels` may be NULL. */
enum xpl_status xpl_prediction_of(struct xpl_arena *arena, const double *probabilities, uint32_t n_classes,
                                  const char *const *labels, struct xpl_prediction *ret, struct xpl_error *err);

#endif
