-- SPDX-License-Identifier: Apache-2.0
-- Who is called when explanations end, and what is still to be said to them.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL, entity TEXT NOT NULL, target_type TEXT, target_id TEXT,
    numbered INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, modified_at INTEGER, modified_by TEXT);
CREATE INDEX webhooks_list ON webhooks (data_mart_id, created_at, id);
CREATE INDEX webhooks_by_target ON webhooks (target_id);

-- A delivery is here until it is made; a dead one is not tried again unless somebody asks for it. Webhooks number
-- what is theirs.
CREATE TABLE webhook_deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    data_mart_id TEXT NOT NULL, subscription_id TEXT NOT NULL, task_id TEXT NOT NULL, scoring_id TEXT NOT NULL,
    event TEXT NOT NULL, error_code TEXT, error_message TEXT, at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'dead')), attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL, tried_at INTEGER, reason TEXT);
CREATE INDEX webhook_deliveries_list ON webhook_deliveries (webhook_id, number, state);
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (webhook_id, next_at, seq) WHERE state = 'pending';

-- In the transaction that ends the explanation.
CREATE TRIGGER webhook_delivery AFTER INSERT ON task_events WHEN NEW.state IN ('finished', 'error') BEGIN
    INSERT INTO webhook_deliveries (id, webhook_id, number, data_mart_id, subscription_id, task_id, scoring_id,
                                    event, error_code, error_message, at, next_at)
        SELECT 'msg_' || lower(hex(randomblob(16))), w.id, w.numbered + 1, w.data_mart_id, NEW.subscription_id,
               NEW.task_id, NEW.scoring_id, NEW.state, NEW.error_code, NEW.error_message, NEW.at, NEW.at
        FROM webhooks w WHERE w.target_id = NEW.subscription_id AND w.entity ->> '$.enabled'
        AND NEW.state IN (SELECT value FROM json_each(w.entity, '$.events'));
END;

-- What could not be made goes when 10,000 further ones have come.
CREATE TRIGGER webhook_deliveries_kept AFTER INSERT ON webhook_deliveries BEGIN
    UPDATE webhooks SET numbered = NEW.number, dropped = dropped + (SELECT COUNT(*) FROM webhook_deliveries
        WHERE webhook_id = NEW.webhook_id AND number <= NEW.number - 10000) WHERE id = NEW.webhook_id;
    DELETE FROM webhook_deliveries WHERE webhook_id = NEW.webhook_id AND number <= NEW.number - 10000;
END;
