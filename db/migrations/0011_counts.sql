-- SPDX-License-Identifier: Apache-2.0
-- Lists stay as fast as they are however long they get: what a list counts is kept, and where its n-th row is.

-- How many records of a data set have a seq from 4096 * block on.
CREATE TABLE record_blocks (
    data_set_id TEXT NOT NULL, block INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (data_set_id, block)) WITHOUT ROWID;
INSERT INTO record_blocks SELECT data_set_id, seq / 4096, COUNT(*) FROM records GROUP BY 1, 2;
CREATE TRIGGER records_counted AFTER INSERT ON records BEGIN
    INSERT INTO record_blocks VALUES (NEW.data_set_id, NEW.seq / 4096, 1)
        ON CONFLICT (data_set_id, block) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER records_uncounted AFTER DELETE ON records BEGIN
    UPDATE record_blocks SET n = n - 1 WHERE data_set_id = OLD.data_set_id AND block = OLD.seq / 4096;
    DELETE FROM record_blocks WHERE data_set_id = OLD.data_set_id AND block = OLD.seq / 4096 AND n = 0;
END;

CREATE TABLE task_counts (
    data_mart_id TEXT NOT NULL, subscription_id TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (data_mart_id, subscription_id, state)) WITHOUT ROWID;
INSERT INTO task_counts SELECT data_mart_id, subscription_id, state, COUNT(*) FROM explanation_tasks GROUP BY 1, 2, 3;
CREATE TRIGGER tasks_counted AFTER INSERT ON explanation_tasks BEGIN
    INSERT INTO task_counts VALUES (NEW.data_mart_id, NEW.subscription_id, NEW.state, 1)
        ON CONFLICT (data_mart_id, subscription_id, state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tasks_recounted AFTER UPDATE OF state ON explanation_tasks WHEN NEW.state <> OLD.state BEGIN
    UPDATE task_counts SET n = n - 1
        WHERE data_mart_id = OLD.data_mart_id AND subscription_id = OLD.subscription_id AND state = OLD.state;
    INSERT INTO task_counts VALUES (NEW.data_mart_id, NEW.subscription_id, NEW.state, 1)
        ON CONFLICT (data_mart_id, subscription_id, state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tasks_uncounted AFTER DELETE ON explanation_tasks BEGIN
    UPDATE task_counts SET n = n - 1
        WHERE data_mart_id = OLD.data_mart_id AND subscription_id = OLD.subscription_id AND state = OLD.state;
    DELETE FROM task_counts WHERE data_mart_id = OLD.data_mart_id AND subscription_id = OLD.subscription_id
        AND state = OLD.state AND n = 0;
END;

-- The state was in these for counting. The few tasks that failed or did not end yet have indexes of their own.
DROP INDEX tasks_by_data_mart;
CREATE INDEX tasks_by_data_mart ON explanation_tasks (data_mart_id, seq);
DROP INDEX tasks_by_subscription;
CREATE INDEX tasks_by_subscription ON explanation_tasks (subscription_id, seq);
CREATE INDEX tasks_failed ON explanation_tasks (data_mart_id, seq) WHERE state = 'error';
CREATE INDEX tasks_in_progress ON explanation_tasks (data_mart_id, seq) WHERE state IN ('queued', 'leased');
