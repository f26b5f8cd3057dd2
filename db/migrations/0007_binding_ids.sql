-- SPDX-License-Identifier: Apache-2.0
-- Clients of API v1 choose the ids of their service bindings, "999" among them: an id is one of its data mart.
CREATE TABLE service_providers_7 (
    id TEXT NOT NULL, data_mart_id TEXT NOT NULL, entity TEXT NOT NULL,
    name TEXT, service_type TEXT, instance_id TEXT, operational_space_id TEXT, deployment_space_id TEXT,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, modified_at INTEGER, modified_by TEXT,
    PRIMARY KEY (data_mart_id, id));
INSERT INTO service_providers_7 SELECT id, data_mart_id, entity, name, service_type, instance_id, operational_space_id,
    deployment_space_id, created_at, created_by, modified_at, modified_by FROM service_providers;
DROP TABLE service_providers;
ALTER TABLE service_providers_7 RENAME TO service_providers;
CREATE INDEX service_providers_list ON service_providers (data_mart_id, created_at, id);
