-- SPDX-License-Identifier: Apache-2.0
-- The answers to requests with an Idempotency-Key. request: hash of all that the request asked.
CREATE TABLE idempotency_keys (
    data_mart_id TEXT NOT NULL, key TEXT NOT NULL, request BLOB NOT NULL, http_status INTEGER NOT NULL,
    location TEXT, content_type TEXT, body TEXT NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (data_mart_id, key));
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
