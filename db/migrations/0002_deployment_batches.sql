-- SPDX-License-Identifier: Apache-2.0
-- How many images a subscription's deployment takes in one request. endpoint: SHA-256 of the scoring URL it was found at.
CREATE TABLE deployment_batches (
    subscription_id TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL, endpoint BLOB NOT NULL,
    accepted INTEGER NOT NULL, refused INTEGER NOT NULL, found_at INTEGER NOT NULL);
