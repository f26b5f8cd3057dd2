-- SPDX-License-Identifier: Apache-2.0
-- Pictures are drawn when they are asked for, and were never stored.
DROP TABLE explanation_images;
