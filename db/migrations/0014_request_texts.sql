-- SPDX-License-Identifier: Apache-2.0
-- An image that is scored again and again is stored once in a data set: the request with it, by the hash of both. A
-- payload that shares its request has none of its own ('').
CREATE TABLE request_texts (
    id INTEGER PRIMARY KEY, data_set_id TEXT NOT NULL, key BLOB NOT NULL UNIQUE, request BLOB NOT NULL);

ALTER TABLE payloads ADD COLUMN request_text_id INTEGER;
CREATE INDEX payloads_by_request_text ON payloads (request_text_id) WHERE request_text_id IS NOT NULL;

-- Whoever deletes or empties the last payload that has it.
CREATE TRIGGER request_text_deleted AFTER DELETE ON payloads WHEN OLD.request_text_id IS NOT NULL BEGIN
    DELETE FROM request_texts WHERE id = OLD.request_text_id
        AND NOT EXISTS (SELECT 1 FROM payloads WHERE request_text_id = OLD.request_text_id);
END;
CREATE TRIGGER request_text_emptied AFTER UPDATE OF request_text_id ON payloads WHEN OLD.request_text_id IS NOT NULL BEGIN
    DELETE FROM request_texts WHERE id = OLD.request_text_id
        AND NOT EXISTS (SELECT 1 FROM payloads WHERE request_text_id = OLD.request_text_id);
END;

-- What a data set takes: each request once.
CREATE TRIGGER request_texts_added AFTER INSERT ON request_texts BEGIN
    INSERT INTO data_set_usage (data_set_id, payload_bytes) VALUES (NEW.data_set_id, length(NEW.request))
        ON CONFLICT (data_set_id) DO UPDATE SET payload_bytes = payload_bytes + excluded.payload_bytes;
END;
CREATE TRIGGER request_texts_removed AFTER DELETE ON request_texts BEGIN
    UPDATE data_set_usage SET payload_bytes = payload_bytes - length(OLD.request) WHERE data_set_id = OLD.data_set_id;
END;
