-- SPDX-License-Identifier: Apache-2.0
-- What is added is counted once for an operation by whoever adds it (xpl_record_tally_up), not by a trigger for each row,
-- which made SQLite keep a journal of every insert.
DROP TRIGGER records_counted;
DROP TRIGGER payloads_added;
DROP TRIGGER request_texts_added;
