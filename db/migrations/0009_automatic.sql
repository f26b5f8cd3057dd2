-- SPDX-License-Identifier: Apache-2.0
-- Explanations that rules ask for. priority: 0 = asked for by somebody, else that of the rule, 1 before 9.
-- expected_calls: what an automatic task takes of the day's budget until it has ended.
ALTER TABLE explanation_tasks ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE explanation_tasks ADD COLUMN rule TEXT;
ALTER TABLE explanation_tasks ADD COLUMN expected_calls INTEGER NOT NULL DEFAULT 0;

DROP INDEX tasks_queued_by_deployment;
CREATE INDEX tasks_queued_by_deployment ON explanation_tasks (data_mart_id, deployment_id, priority, seq)
    WHERE state = 'queued';
DROP INDEX tasks_open;
CREATE INDEX tasks_open ON explanation_tasks (subscription_id, rule, expected_calls, state)
    WHERE state IN ('queued', 'leased');

-- What the rules of a subscription did on their last day. hour: of the last change, since 1970; in_hour is of that hour,
-- all others are of its day (UTC).
CREATE TABLE automatic_counts (
    subscription_id TEXT NOT NULL, rule TEXT NOT NULL, hour INTEGER NOT NULL, in_hour INTEGER NOT NULL,
    explanations INTEGER NOT NULL, model_calls INTEGER NOT NULL,
    over_budget INTEGER NOT NULL, queue_full INTEGER NOT NULL, not_possible INTEGER NOT NULL,
    PRIMARY KEY (subscription_id, rule)) WITHOUT ROWID;
