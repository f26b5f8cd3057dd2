-- SPDX-License-Identifier: Apache-2.0
-- Inference logs come as two events with one id, in any order: the one that is here waits for the other.
CREATE TABLE inference_events (
    data_mart_id TEXT NOT NULL, subscription_id TEXT NOT NULL, event_id TEXT NOT NULL, response INTEGER NOT NULL,
    data BLOB NOT NULL, size INTEGER NOT NULL, event_time INTEGER NOT NULL, received_at INTEGER NOT NULL,
    PRIMARY KEY (subscription_id, event_id, response)) WITHOUT ROWID;
CREATE INDEX inference_events_by_age ON inference_events (received_at);

-- Events that never became a record, and why.
CREATE TABLE event_errors (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, data_mart_id TEXT NOT NULL, subscription_id TEXT NOT NULL,
    data_set_id TEXT NOT NULL, event_id TEXT NOT NULL, reason TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX event_errors_by_data_set ON event_errors (data_set_id, seq);
CREATE TRIGGER event_errors_kept AFTER INSERT ON event_errors BEGIN
    DELETE FROM event_errors WHERE data_set_id = NEW.data_set_id AND seq <=
        (SELECT seq FROM event_errors WHERE data_set_id = NEW.data_set_id ORDER BY seq DESC LIMIT 1 OFFSET 10000);
END;
