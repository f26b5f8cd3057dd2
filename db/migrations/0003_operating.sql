-- SPDX-License-Identifier: Apache-2.0
-- The W3C trace context of the request that asked for an explanation.
ALTER TABLE explanation_tasks ADD COLUMN traceparent TEXT;

-- One row that is written to find out whether anything can be.
CREATE TABLE write_probe (id INTEGER PRIMARY KEY CHECK (id = 1), written_at INTEGER NOT NULL);
