-- SPDX-License-Identifier: Apache-2.0
-- What a data set holds, for rules about it: the bytes of its payloads as they are stored, and up to which record its
-- pixels are gone. A payload without pixels has sizes of 0 and the hash of what was logged.
CREATE TABLE data_set_usage (
    data_set_id TEXT PRIMARY KEY, payload_bytes INTEGER NOT NULL, pixels_gone_seq INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
INSERT INTO data_set_usage (data_set_id, payload_bytes)
    SELECT data_set_id, SUM(length(request) + length(response)) FROM payloads GROUP BY 1;
CREATE TRIGGER payloads_added AFTER INSERT ON payloads BEGIN
    INSERT INTO data_set_usage (data_set_id, payload_bytes)
        VALUES (NEW.data_set_id, length(NEW.request) + length(NEW.response))
        ON CONFLICT (data_set_id) DO UPDATE SET payload_bytes = payload_bytes + excluded.payload_bytes;
END;
CREATE TRIGGER payloads_removed AFTER DELETE ON payloads BEGIN
    UPDATE data_set_usage SET payload_bytes = payload_bytes - length(OLD.request) - length(OLD.response)
        WHERE data_set_id = OLD.data_set_id;
END;
CREATE TRIGGER payloads_emptied AFTER UPDATE OF request, response ON payloads BEGIN
    UPDATE data_set_usage SET payload_bytes = payload_bytes - length(OLD.request) - length(OLD.response)
            + length(NEW.request) + length(NEW.response)
        WHERE data_set_id = OLD.data_set_id;
END;

-- What is to be deleted on demand, a little at a time: records of a time, or those that are named (a JSON array).
-- Only what was there at the time, up to until_seq, goes. The cursor is where the last step ended.
CREATE TABLE purges (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, data_mart_id TEXT NOT NULL, data_set_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('time', 'scoring_ids', 'transaction_ids')), pixels_only INTEGER NOT NULL,
    starts_at INTEGER, ends_at INTEGER, ids TEXT, until_seq INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'finished')), n_records INTEGER NOT NULL DEFAULT 0,
    cursor_time INTEGER NOT NULL, cursor_seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, updated_at INTEGER);
CREATE INDEX purges_active ON purges (seq) WHERE state = 'active';
CREATE INDEX purges_by_data_set ON purges (data_set_id, state);
