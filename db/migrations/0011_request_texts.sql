-- SPDX-License-Identifier: Apache-2.0
-- An image that is scored again and again is stored once in a data set: the request with it, by the hash of both. A
-- payload that shares its request has none of its own ('').
CREATE TABLE request_texts (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, request BLOB NOT NULL);

ALTER TABLE payloads ADD COLUMN request_text_id INTEGER;
CREATE INDEX payloads_by_request_text ON payloads (request_text_id) WHERE request_text_id IS NOT NULL;

-- Whoever deletes the last payload that has it.
CREATE TRIGGER request_text_unused AFTER DELETE ON payloads WHEN OLD.request_text_id IS NOT NULL BEGIN
    DELETE FROM request_texts WHERE id = OLD.request_text_id
        AND NOT EXISTS (SELECT 1 FROM payloads WHERE request_text_id = OLD.request_text_id);
END;
