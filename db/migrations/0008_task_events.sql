-- SPDX-License-Identifier: Apache-2.0
-- What happened to explanations, for clients that follow them. Triggers write it, so that no change of a state can be
-- forgotten, whoever makes it; it is stored or lost together with the change. The last 100,000 are kept.
CREATE TABLE task_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, data_mart_id TEXT NOT NULL, subscription_id TEXT NOT NULL,
    task_id TEXT NOT NULL, scoring_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'in_progress', 'finished', 'error', 'cancelled')),
    error_code TEXT, error_message TEXT,
    at INTEGER NOT NULL DEFAULT (CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000));
CREATE INDEX task_events_by_task ON task_events (task_id, seq);
CREATE INDEX task_events_by_subscription ON task_events (subscription_id, seq);

CREATE TRIGGER task_events_kept AFTER INSERT ON task_events BEGIN
    DELETE FROM task_events WHERE seq <= NEW.seq - 100000;
END;

CREATE TRIGGER task_event_queued AFTER INSERT ON explanation_tasks BEGIN
    INSERT INTO task_events (data_mart_id, subscription_id, task_id, scoring_id, state)
        VALUES (NEW.data_mart_id, NEW.subscription_id, NEW.id, NEW.scoring_id, NEW.state);
END;

CREATE TRIGGER task_event_changed AFTER UPDATE OF state ON explanation_tasks WHEN NEW.state <> OLD.state BEGIN
    INSERT INTO task_events (data_mart_id, subscription_id, task_id, scoring_id, state, error_code, error_message)
        VALUES (NEW.data_mart_id, NEW.subscription_id, NEW.id, NEW.scoring_id,
                CASE NEW.state WHEN 'leased' THEN 'in_progress' ELSE NEW.state END, NEW.error_code, NEW.error_message);
END;

-- Of a deleted task only its cancellation is left.
CREATE TRIGGER task_event_deleted AFTER DELETE ON explanation_tasks BEGIN
    DELETE FROM task_events WHERE task_id = OLD.id;
    INSERT INTO task_events (data_mart_id, subscription_id, task_id, scoring_id, state)
        SELECT OLD.data_mart_id, OLD.subscription_id, OLD.id, OLD.scoring_id, 'cancelled'
        WHERE OLD.state IN ('queued', 'leased');
END;
