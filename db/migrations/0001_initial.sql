-- SPDX-License-Identifier: Apache-2.0
-- The first schema. Times are microseconds since 1970-01-01 UTC; entities are JSON; every row names its data mart (tenant).

CREATE TABLE data_marts (
    id TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL, entity TEXT NOT NULL,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, modified_at INTEGER, modified_by TEXT);

CREATE TABLE service_providers (
    id TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL, entity TEXT NOT NULL,
    name TEXT, service_type TEXT, instance_id TEXT, operational_space_id TEXT, deployment_space_id TEXT,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, modified_at INTEGER, modified_by TEXT);
CREATE INDEX service_providers_list ON service_providers (data_mart_id, created_at, id);

CREATE TABLE subscriptions (
    id TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL, entity TEXT NOT NULL,
    service_provider_id TEXT, asset_id TEXT, asset_type TEXT, deployment_id TEXT, deployment_type TEXT,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, modified_at INTEGER, modified_by TEXT);
CREATE INDEX subscriptions_list ON subscriptions (data_mart_id, created_at, id);
CREATE INDEX subscriptions_by_provider ON subscriptions (service_provider_id);

CREATE TABLE data_sets (
    id TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL, entity TEXT NOT NULL,
    target_type TEXT, target_id TEXT, type TEXT, managed_by TEXT, name TEXT,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, modified_at INTEGER, modified_by TEXT);
CREATE INDEX data_sets_list ON data_sets (data_mart_id, created_at, id);
CREATE INDEX data_sets_by_target ON data_sets (target_id);

CREATE TABLE monitor_instances (
    id TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL, entity TEXT NOT NULL,
    monitor_definition_id TEXT, target_type TEXT, target_id TEXT,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, modified_at INTEGER, modified_by TEXT);
CREATE INDEX monitor_instances_list ON monitor_instances (data_mart_id, created_at, id);
CREATE INDEX monitor_instances_by_target ON monitor_instances (target_id);

-- One POST of records.
CREATE TABLE record_requests (
    id TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL, data_set_id TEXT NOT NULL,
    state TEXT NOT NULL, failure TEXT, n_records INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX record_requests_by_data_set ON record_requests (data_set_id);

-- What was logged, as the client sent it (zstd): the template of every scoring call.
CREATE TABLE payloads (
    id INTEGER PRIMARY KEY, data_mart_id TEXT NOT NULL, data_set_id TEXT NOT NULL, hash BLOB NOT NULL,
    request BLOB NOT NULL, request_size INTEGER NOT NULL, response BLOB NOT NULL, response_size INTEGER NOT NULL);
CREATE INDEX payloads_by_data_set ON payloads (data_set_id);

-- One image of a payload. scoring_id = transaction_id-row_number.
CREATE TABLE records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    data_mart_id TEXT NOT NULL, data_set_id TEXT NOT NULL, subscription_id TEXT NOT NULL,
    scoring_id TEXT NOT NULL, transaction_id TEXT NOT NULL, row_number INTEGER NOT NULL,
    payload_id INTEGER NOT NULL, image_index INTEGER NOT NULL, image_offset INTEGER NOT NULL,
    image_length INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL, channels INTEGER NOT NULL,
    probabilities TEXT NOT NULL, prediction TEXT NOT NULL, prediction_probability REAL NOT NULL,
    scoring_timestamp INTEGER NOT NULL, response_time REAL, asset_revision TEXT, user_id TEXT,
    deployment_id TEXT, annotations TEXT, created_at INTEGER NOT NULL, created_by TEXT NOT NULL,
    UNIQUE (data_set_id, scoring_id));
CREATE INDEX records_by_data_set ON records (data_set_id, seq);
CREATE INDEX records_by_time ON records (data_set_id, scoring_timestamp, seq);
CREATE INDEX records_by_scoring_id ON records (data_mart_id, scoring_id);
CREATE INDEX records_by_transaction ON records (data_mart_id, transaction_id, row_number);

CREATE TABLE explanation_tasks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    data_mart_id TEXT NOT NULL, subscription_id TEXT NOT NULL, deployment_id TEXT NOT NULL,
    record_id TEXT NOT NULL, scoring_id TEXT NOT NULL, transaction_id TEXT NOT NULL,
    parameters TEXT NOT NULL, parameters_hash BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'finished', 'error')),
    attempt INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
    retries INTEGER NOT NULL DEFAULT 0, run_at INTEGER NOT NULL,
    lease_owner TEXT, lease_until INTEGER, error_code TEXT, error_message TEXT, trace_id TEXT NOT NULL,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, started_at INTEGER, updated_at INTEGER);
-- At most one lease for a deployment, whatever the program does.
CREATE UNIQUE INDEX tasks_leased ON explanation_tasks (data_mart_id, deployment_id) WHERE state = 'leased';
CREATE INDEX tasks_queued ON explanation_tasks (seq) WHERE state = 'queued';
CREATE INDEX tasks_queued_by_deployment ON explanation_tasks (data_mart_id, deployment_id, seq) WHERE state = 'queued';
CREATE INDEX tasks_open ON explanation_tasks (subscription_id) WHERE state IN ('queued', 'leased');
-- The state behind the order: counts and filters by it read the index alone.
CREATE INDEX tasks_by_data_mart ON explanation_tasks (data_mart_id, seq, state);
CREATE INDEX tasks_by_subscription ON explanation_tasks (subscription_id, seq, state);
CREATE INDEX tasks_by_scoring_id ON explanation_tasks (data_mart_id, scoring_id, seq);
CREATE INDEX tasks_by_transaction ON explanation_tasks (data_mart_id, transaction_id, seq);
CREATE INDEX tasks_by_record ON explanation_tasks (record_id, seq);

-- answer: the body of GET /v2/explanation_tasks/{id}; attributions: that of its attributions.
CREATE TABLE explanations (
    task_id TEXT PRIMARY KEY REFERENCES explanation_tasks (id) ON DELETE CASCADE,
    answer TEXT NOT NULL, attributions TEXT NOT NULL, created_at INTEGER NOT NULL);

-- Masks (little-endian 64 bit) and scores (float32, calls x classes): later questions cost no model call.
CREATE TABLE explanation_samples (
    task_id TEXT PRIMARY KEY REFERENCES explanation_tasks (id) ON DELETE CASCADE,
    n_segments INTEGER NOT NULL, masks BLOB NOT NULL, classes BLOB NOT NULL, scores BLOB NOT NULL);

CREATE TABLE explanation_images (
    task_id TEXT NOT NULL REFERENCES explanation_tasks (id) ON DELETE CASCADE,
    pane TEXT NOT NULL, class_index INTEGER NOT NULL, png BLOB NOT NULL,
    PRIMARY KEY (task_id, pane, class_index));
