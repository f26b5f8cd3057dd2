-- SPDX-License-Identifier: Apache-2.0
-- Fewer B-trees for each logged record: a transaction is a range of scoring ids, the payloads of a data set are those of
-- its records, and a request is found by its id alone.

CREATE TABLE lighter_records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    data_mart_id TEXT NOT NULL, data_set_id TEXT NOT NULL, subscription_id TEXT NOT NULL,
    scoring_id TEXT NOT NULL, transaction_id TEXT NOT NULL, row_number INTEGER NOT NULL,
    payload_id INTEGER NOT NULL, image_index INTEGER NOT NULL, image_offset INTEGER NOT NULL,
    image_length INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL, channels INTEGER NOT NULL,
    probabilities TEXT NOT NULL, prediction TEXT NOT NULL, prediction_probability REAL NOT NULL,
    scoring_timestamp INTEGER NOT NULL, response_time REAL, asset_revision TEXT, user_id TEXT,
    deployment_id TEXT, annotations TEXT, created_at INTEGER NOT NULL, created_by TEXT NOT NULL);
INSERT INTO lighter_records SELECT * FROM records;
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'records')
    WHERE name = 'lighter_records' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'records');
DROP TABLE records;
ALTER TABLE lighter_records RENAME TO records;
CREATE UNIQUE INDEX records_by_scoring_id ON records (data_mart_id, scoring_id, data_set_id);
CREATE INDEX records_by_data_set ON records (data_set_id, seq);
CREATE INDEX records_by_time ON records (data_set_id, scoring_timestamp, seq);

DROP INDEX payloads_by_data_set;

CREATE TABLE lighter_requests (
    id TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL, data_set_id TEXT NOT NULL,
    state TEXT NOT NULL, failure TEXT, n_records INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO lighter_requests SELECT * FROM record_requests;
DROP TABLE record_requests;
ALTER TABLE lighter_requests RENAME TO record_requests;
