-- SPDX-License-Identifier: Apache-2.0
-- How the records of a data set are distributed, as it was counted once. entity: JSON.
CREATE TABLE distributions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, data_mart_id TEXT NOT NULL, data_set_id TEXT NOT NULL,
    entity TEXT NOT NULL, created_at INTEGER NOT NULL, created_by TEXT NOT NULL);
CREATE INDEX distributions_by_data_set ON distributions (data_set_id, seq);
