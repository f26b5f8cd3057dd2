-- SPDX-License-Identifier: Apache-2.0
-- Who may use the daemon. Of passwords and API keys only hashes are stored.

-- epoch: part of every token; a new one (password changed, tokens revoked) ends all tokens of the user.
CREATE TABLE users (
    name TEXT PRIMARY KEY, data_mart_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
    password_hash TEXT NOT NULL, epoch TEXT NOT NULL,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, modified_at INTEGER, modified_by TEXT);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY, user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE, description TEXT, created_at INTEGER NOT NULL, created_by TEXT NOT NULL);
CREATE INDEX api_keys_by_user ON api_keys (user_name, created_at, id);

-- Tokens that ended before their time, until that time.
CREATE TABLE revoked_tokens (
    id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, created_at INTEGER NOT NULL, created_by TEXT NOT NULL);
