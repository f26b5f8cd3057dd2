-- SPDX-License-Identifier: Apache-2.0
-- How many requests in flight a subscription's deployment makes use of; 0 = not known.
ALTER TABLE deployment_batches ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
