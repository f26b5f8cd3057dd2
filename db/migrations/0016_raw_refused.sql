-- SPDX-License-Identifier: Apache-2.0
-- Whether a subscription's deployment was tried with raw tensors and did not take them. endpoint is the SHA-256 of all
-- settings of the scoring endpoint from now on, not of its URL alone: what is known of others is found out again.
ALTER TABLE deployment_batches ADD COLUMN raw_refused INTEGER NOT NULL DEFAULT 0;
